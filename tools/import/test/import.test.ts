/** The import against a whole server: a small file, the same again, a wrong one, and the real bank's where it is at hand. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TransactionQueryService } from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import { type GrpcClient, grpcClient } from '../../client/grpc-client.js';
import { startTestServer, type TestServer } from '../../../test/standalone.js';
import { importFile, type ImportListener, type ImportSummary } from '../import.js';
import { reportLines } from '../report.js';

const HEADER = 'movement_id,account_id,booked_on,kind,purpose,amount_minor,balance_after_minor,counterparty';
const ROWS = [
  '1,anna,1993-01-01,cash_deposit,,90000,90000,',
  '2,ben,1993-01-01,transfer_in,pension,500,500,XY 9',
  '3,ben,1993-01-02,cash_withdrawal,,-800,-300,',
  '4,anna,1993-01-03,transfer_out,household,-40000,50000,',
  '5,anna,1993-01-31,interest_credit,interest,0,50000,',
  '6,ben,1993-01-31,cash_withdrawal,penalty_interest,-1,-301,',
];

let server: TestServer;
let client: GrpcClient;
let directory: string;
let notes: string[];

beforeAll(async () => {
  server = await startTestServer();
  client = grpcClient(server.grpc);
  directory = mkdtempSync(join(tmpdir(), 'quittance-import-'));
});

afterAll(async () => {
  client.close();
  await server.stop();
  rmSync(directory, { recursive: true });
});

beforeEach(() => {
  notes = [];
});

function importRows(ledgerId: string, rows: readonly string[]): Promise<ImportSummary> {
  const file = join(directory, `${ledgerId}.csv`);
  writeFileSync(file, [HEADER, ...rows, ''].join('\n'));
  return run(ledgerId, file);
}

function run(ledgerId: string, file: string): Promise<ImportSummary> {
  const quiet = () => undefined;
  const listener: ImportListener = {
    begin: quiet,
    progress: quiet,
    end: quiet,
    note: (line) => notes.push(line),
  };
  const target = { ledgerId, currency: 'CZK', withCounterparty: false };
  return importFile(file, target, client, { patience_ms: 5000, listener });
}

test('every printed balance is found in the answer of its own row, and overdrafts are as deep as the file shows', async () => {
  const summary = await importRows('small', ROWS);
  expect(summary).toEqual({ rows: 6, accounts: 2, matches: 5, replayed: 0, empty: 1, mismatches: [] });
  expect(reportLines(summary, 1000).join('\n')).toContain('balances: 5 of 5 match');
  const { account } = await client.unary(AccountQueryService.method.getAccount, {
    ledgerId: 'small',
    accountId: 'ben',
    consistency: { requirement: { case: 'fullyConsistent', value: true } },
  });
  expect(account).toMatchObject({ overdraftLimit: 301n, balance: { posted: -301n, available: 0n } });
});

test('a second run books nothing and finds the same balances', async () => {
  await importRows('again', ROWS);
  expect(await importRows('again', ROWS)).toMatchObject({ matches: 5, replayed: 5, mismatches: [] });
  const { transactions } = await client.unary(TransactionQueryService.method.listTransactions, {
    ledgerId: 'again',
    accountId: 'ben',
    consistency: { requirement: { case: 'fullyConsistent', value: true } },
  });
  expect(transactions.map(({ reference }) => reference)).toEqual(['2', '3', '6']);
  expect(transactions[0]).toMatchObject({
    metadata: { kind: 'transfer_in', purpose: 'pension' },
    effectiveTime: { seconds: 725_846_400n },
  });
});

test('a file that has grown resumes: what is new is booked, an account that is open already is named', async () => {
  await importRows('grown', ROWS.slice(0, 2));
  expect(await importRows('grown', ROWS.slice(0, 2).concat(ROWS.slice(3)))).toMatchObject({
    rows: 5,
    replayed: 2,
  });
});

test('each wrong balance, decline and refusal is reported with its line', async () => {
  await importRows('wrong', ROWS.slice(0, 1));
  const summary = await importRows('wrong', [
    '1,anna,1993-01-01,cash_deposit,,80000,80000,',
    '2,anna,1993-01-02,cash_deposit,,5,1,',
    '3,anna,1993-01-02,cash_withdrawal,,-90006,0,',
  ]);
  expect(summary).toMatchObject({ matches: 0 });
  const lines = reportLines(summary, 1000);
  expect(lines[0]).toMatch(/^line 2: movement 1, account anna: not booked, REQUEST_ID_REUSED/);
  expect(lines[1]).toBe('line 3: movement 2, account anna: printed 1, posted 90005');
  expect(lines[2]).toBe('line 4: movement 3, account anna: not booked, declined: INSUFFICIENT_FUNDS');
  expect(lines.at(-1)).toBe('balances: 0 of 3 match, 3 DO NOT');
});

test('nothing is sent of a file with a bad row', async () => {
  await expect(importRows('bad', [...ROWS, '7,anna,1993-02-31,x,,1,1,'])).rejects.toThrow(
    'line 8: booked_on',
  );
  await expect(
    client.unary(AccountQueryService.method.getAccount, { ledgerId: 'bad', accountId: 'anna' }),
  ).rejects.toThrow('bad');
});

describe('the real bank', () => {
  const data =
    process.env['QUITTANCE_TEST_DATA'] ?? fileURLToPath(new URL('../../../../shared/data', import.meta.url));
  const file = join(data, 'bank-movements.csv');
  const there = existsSync(file);

  afterEach(() => {
    expect(notes).toEqual([]);
  });

  (there ? test : test.skip)(
    there
      ? 'all 9,046 balances that it printed match'
      : 'is skipped: there is no bank-movements.csv (set QUITTANCE_TEST_DATA to its directory)',
    async () => {
      const summary = await run('real', file);
      expect(summary.mismatches).toEqual([]);
      expect(summary).toMatchObject({ rows: 9046, accounts: 591, matches: 9046, empty: 0 });
    },
    120_000,
  );
});
