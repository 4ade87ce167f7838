/** The import against a whole server: small files, each fault that was found from outside, and the real bank's file where it is at hand. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { AccountCommandService } from '../../../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { TransactionCommandService } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import { TransactionQueryService } from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { type GrpcClient, grpcClient } from '../../client/grpc-client.js';
import { startTestServer, type TestServer } from '../../../test/standalone.js';
import { movementCommand } from '../commands.js';
import { importCommand } from '../import-command.js';
import { rowsOf } from './reading.js';

const HEADER = 'movement_id,account_id,booked_on,kind,purpose,amount_minor,balance_after_minor,counterparty';
const ROWS = [
  '1,anna,1993-01-01,cash_deposit,,90000,90000,',
  '2,ben,1993-01-01,transfer_in,pension,500,500,XY 9',
  '3,ben,1993-01-02,cash_withdrawal,,-800,-300,',
  '4,anna,1993-01-03,transfer_out,household,-40000,50000,',
  '5,anna,1993-01-31,interest_credit,interest,0,50000,',
  '6,ben,1993-01-31,cash_withdrawal,penalty_interest,-1,-301,',
];
const FRESH = { requirement: { case: 'fullyConsistent', value: true } } as const;

let server: TestServer;
let client: GrpcClient;
let directory: string;
let ledger: string;

beforeAll(async () => {
  server = await startTestServer();
  client = grpcClient(server.grpc);
  directory = mkdtempSync(join(tmpdir(), 'quittance-import-test-'));
});

afterAll(async () => {
  client.close();
  await server.stop();
  rmSync(directory, { recursive: true });
});

beforeEach(() => {
  ledger = `l-${randomUUID()}`;
});

interface Run {
  readonly code: number;
  readonly out: string;
  readonly notes: string;
}

/** Runs the command as an operator would. */
async function run(file: string, args: readonly string[] = [], stdin = Readable.from([])): Promise<Run> {
  let out = '';
  let notes = '';
  const code = await importCommand(
    [file, '--ledger', ledger, '--address', server.grpc, '--patience', '5', ...args],
    {
      stdout: { write: (text: string) => (out += text) },
      stderr: { write: (text: string) => (notes += text) },
      stdin,
      env: {},
    },
  );
  return { code, out, notes };
}

function fileOf(content: string | Buffer): string {
  const file = join(directory, randomUUID());
  writeFileSync(file, content);
  return file;
}

function csv(...rows: readonly string[]): string {
  return fileOf([HEADER, ...rows, ''].join('\n'));
}

function runCsv(rows: readonly string[], args: readonly string[] = []): Promise<Run> {
  return run(csv(...rows), ['--currency', 'CZK', ...args]);
}

async function account(accountId: string) {
  const request = { ledgerId: ledger, accountId, consistency: FRESH };
  return (await client.unary(AccountQueryService.method.getAccount, request)).account;
}

async function posted(accountId: string): Promise<bigint | undefined> {
  return (await account(accountId))?.balance?.posted;
}

async function setLimit(accountId: string, overdraftLimit: bigint): Promise<void> {
  await client.unary(AccountCommandService.method.updateAccount, {
    ledgerId: ledger,
    requestId: randomUUID(),
    accountId,
    overdraftLimit,
    updateMask: { paths: ['overdraft_limit'] },
  });
}

async function references(accountId: string): Promise<string[]> {
  const request = { ledgerId: ledger, accountId, consistency: FRESH };
  const { transactions } = await client.unary(TransactionQueryService.method.listTransactions, request);
  return transactions.map(({ reference }) => reference);
}

async function expectNothingBooked(): Promise<void> {
  await expect(account('anna')).rejects.toThrow(/NOT_FOUND/);
}

test('every printed balance is found in the answer of its own row, and overdrafts are as deep as the file shows', async () => {
  const { code, out, notes } = await runCsv(ROWS);
  expect({ code, notes }).toEqual({ code: 0, notes: '' });
  expect(out).toContain('6 movements of 2 accounts');
  expect(out).toContain('1 with an amount of zero not sent');
  expect(out).toContain('balances: 5 of 5 match');
  expect(await account('ben')).toMatchObject({
    overdraftLimit: 301n,
    balance: { posted: -301n, available: 0n },
  });
});

test('a file in an asset of the ledger is booked in it, with the decimals of the asset', async () => {
  const { createLedger, registerAsset } = LedgerCommandService.method;
  await client.unary(createLedger, { ledgerId: ledger, requestId: randomUUID() });
  const asset = { code: 'GOLD.OZ', exponent: 4, name: 'Gold, ounces' };
  await client.unary(registerAsset, { ledgerId: ledger, requestId: randomUUID(), ...asset });
  const rows = ['1,anna,1993-01-01,GOLD.OZ,1.2345', '2,anna,1993-01-02,,-0.2'];
  const file = fileOf(['movement_id,account_id,booked_on,currency,amount', ...rows, ''].join('\n'));
  const { code, out, notes } = await run(file, ['--currency', 'GOLD.OZ', '--no-balances']);
  expect({ code, notes }).toEqual({ code: 0, notes: '' });
  expect(out).toContain('2 movements of 1 account');
  expect(await account('anna')).toMatchObject({
    currency: 'GOLD.OZ',
    balance: { posted: 10_345n, exponent: 4 },
  });
  const again = await run(file, ['--currency', 'GOLD.OZ', '--no-balances']);
  expect(again.code).toBe(0);
  expect(await posted('anna')).toBe(10_345n);
});

test('a second run books nothing and finds the same balances', async () => {
  await runCsv(ROWS);
  const { code, out } = await runCsv(ROWS);
  expect(code).toBe(0);
  expect(out).toContain('5 of them booked by an earlier run');
  expect(out).toContain('balances: 5 of 5 match');
  const request = { ledgerId: ledger, accountId: 'ben', consistency: FRESH };
  const { transactions } = await client.unary(TransactionQueryService.method.listTransactions, request);
  expect(transactions.map(({ reference }) => reference)).toEqual(['2', '3', '6']);
  expect(transactions[0]).toMatchObject({
    metadata: { kind: 'transfer_in', purpose: 'pension' },
    effectiveTime: { seconds: 725_846_400n },
  });
});

test('a file that has grown resumes: what is new is booked', async () => {
  await runCsv(ROWS.slice(0, 2));
  const { code, out } = await runCsv(ROWS);
  expect(code).toBe(0);
  expect(out).toContain('2 of them booked by an earlier run');
  expect([await posted('anna'), await posted('ben')]).toEqual([50_000n, -301n]);
});

test('two imports of the same file at once book every row once', async () => {
  const rows = Array.from(
    { length: 300 },
    (_, n) => `${n},a${n % 7},1993-01-01,x,,100,${100 * (Math.floor(n / 7) + 1)},`,
  );
  const runs = await Promise.all([runCsv(rows), runCsv(rows), runCsv(rows)]);
  expect(runs.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(await posted('a0')).toBe(4_300n);
  expect(await posted('a6')).toBe(4_200n);
});

test('a row that was changed after it was imported is refused with its line, and the rows behind it go on', async () => {
  await runCsv(ROWS.slice(0, 1));
  const { code, out } = await runCsv([
    '1,anna,1993-01-01,cash_deposit,,80000,80000,',
    '2,anna,1993-01-02,cash_deposit,,5,80005,',
  ]);
  expect(code).toBe(1);
  const lines = out.split('\n');
  expect(lines[0]).toMatch(/^line 2: movement 1, account anna: not booked, REQUEST_ID_REUSED/);
  expect(lines[1]).toBe('line 3: movement 2, account anna: printed 800.05 CZK, posted 900.05 CZK');
  expect(out).toContain('balances: 0 of 1 match, 1 DO NOT');
});

describe('what is wrong in a file is found before anything is booked', () => {
  test.each([
    ['a day that is none', '7,anna,1993-02-31,x,,1,50001,', 'line 8: booked_on "1993-02-31"'],
    ['NUL', '7,anna,1993-02-01,x,a\0b,1,50001,', 'line 8: holds a NUL character'],
    [
      'a purpose over 500',
      `7,anna,1993-02-01,x,${'p'.repeat(501)},1,50001,`,
      'line 8: purpose has 501 characters',
    ],
    ['a day in the future', '7,anna,2999-02-01,x,,1,50001,', 'line 8: booked_on 2999-02-01 is in the future'],
    [
      'a movement id twice',
      '1,anna,1993-02-01,x,,1,50001,',
      'line 8: the movement id "1" stands in line 2 already',
    ],
    [
      'a balance that does not follow',
      '7,anna,1993-02-01,x,,1,50000,',
      'line 8: the balance 500.00 CZK of account anna does not follow',
    ],
  ])('%s', async (_, row, problem) => {
    const { code, out, notes } = await runCsv([...ROWS, row]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(notes).toContain(problem);
    expect(notes).toContain('nothing was booked');
    await expectNothingBooked();
  });

  test('bytes that are not UTF-8', async () => {
    const file = fileOf(Buffer.from(`${HEADER}\n1,anna,1993-01-01,d\u00f9chod,,1,1,\n`, 'latin1'));
    const { code, notes } = await run(file, ['--currency', 'CZK']);
    expect(code).toBe(2);
    expect(notes).toContain('line 2: the byte 0xf9 after');
    await expectNothingBooked();
    expect((await run(file, ['--currency', 'CZK', '--encoding', 'windows-1250'])).code).toBe(0);
    const request = { ledgerId: ledger, accountId: 'anna', consistency: FRESH };
    const { transactions } = await client.unary(TransactionQueryService.method.listTransactions, request);
    expect(transactions[0]?.metadata).toEqual({ kind: 'důchod' });
  });

  test('an unknown currency', async () => {
    const { code, notes } = await run(csv(...ROWS), ['--currency', 'XQQ']);
    expect(code).toBe(2);
    expect(notes).toContain('--currency XQQ is no currency of ISO 4217, and no asset of ledger');
    await expectNothingBooked();
  });

  test('an account that the ledger has in another currency', async () => {
    await runCsv(ROWS.slice(1, 2));
    const { code, notes } = await run(csv(...ROWS), ['--currency', 'EUR']);
    expect(code).toBe(2);
    expect(notes).toContain('line 3: account ben is in EUR in the file, and in CZK in the ledger');
    await expectNothingBooked();
  });

  test('a file that does not go on from where the ledger is', async () => {
    await runCsv(ROWS.slice(0, 1));
    const later = ['8,anna,1994-01-01,x,,100,70100,'];
    const { code, notes } = await runCsv(later);
    expect(code).toBe(2);
    expect(notes).toContain(
      'line 2: account anna begins at 700.00 CZK in the file, and is at 900.00 CZK in the ledger; import what is missing',
    );
    expect(await posted('anna')).toBe(90_000n);
    expect((await runCsv(later, ['--no-balances'])).code).toBe(0);
    expect(await posted('anna')).toBe(90_100n);
  });
});

describe('declines', () => {
  const LOWER = ['7,ben,1993-02-01,cash_withdrawal,,-700,-1001,', '8,ben,1993-02-02,cash_deposit,,1,-1000,'];

  test('a later file that goes lower raises the overdraft limit first, and never lowers one', async () => {
    await runCsv(ROWS);
    const { code, out } = await runCsv([...ROWS, ...LOWER]);
    expect(out).toContain('balances: 7 of 7 match');
    expect(code).toBe(0);
    expect((await account('ben'))?.overdraftLimit).toBe(1001n);
    await setLimit('ben', 5000n);
    expect((await runCsv([...ROWS, ...LOWER, '9,ben,1993-02-03,x,,-1,-1001,'])).code).toBe(0);
    expect((await account('ben'))?.overdraftLimit).toBe(5000n);
  });

  test('a limit that was lowered after everything was booked is left alone', async () => {
    await runCsv([...ROWS, '7,ben,1993-02-01,x,,1000,699,']);
    await setLimit('ben', 0n);
    expect((await runCsv([...ROWS, '7,ben,1993-02-01,x,,1000,699,'])).code).toBe(0);
    expect((await account('ben'))?.overdraftLimit).toBe(0n);
  });

  test('money that a hold reserves is counted', async () => {
    await runCsv(ROWS.slice(0, 2));
    await client.unary(TransactionCommandService.method.authorizePayment, {
      ledgerId: ledger,
      requestId: randomUUID(),
      payerAccountId: 'ben',
      payeeAccountId: 'anna',
      amount: { currency: 'CZK', minorUnits: 400n },
    });
    expect((await runCsv(ROWS)).code).toBe(0);
    expect((await account('ben'))?.overdraftLimit).toBe(701n);
  });

  test('an account stops at its first decline, and the same command books the rest once the cause is mended', async () => {
    await runCsv(ROWS);
    const freeze = { ledgerId: ledger, accountId: 'ben' };
    await client.unary(AccountCommandService.method.freezeAccount, { ...freeze, requestId: randomUUID() });
    const rows = [...ROWS, ...LOWER, '9,anna,1993-02-03,x,,1,50001,'];
    for (const run of [1, 2]) {
      const { code, out, notes } = await runCsv(rows);
      expect([run, code]).toEqual([run, 1]);
      expect(notes).toContain('account ben: it is frozen for debits');
      expect(out).toContain('line 8: movement 7, account ben: not booked, declined: ACCOUNT_FROZEN');
      expect(out).toContain(
        'account ben stopped at line 8, 1 later movements of it were not sent: unfreeze it',
      );
      expect(await posted('ben')).toBe(-301n);
      expect(await posted('anna')).toBe(50_001n);
    }
    await client.unary(AccountCommandService.method.unfreezeAccount, { ...freeze, requestId: randomUUID() });
    const mended = await runCsv(rows);
    expect(mended.code).toBe(0);
    expect(mended.out).toContain('balances: 8 of 8 match');
    expect(await posted('ben')).toBe(-1000n);
    const again = await runCsv(rows);
    expect(again.code).toBe(0);
    expect(again.out).toContain('8 of them booked by an earlier run');
    expect(await posted('ben')).toBe(-1000n);
  });

  test('a row that an import before this rule had declined is booked, and the rows behind it not once more', async () => {
    await runCsv(ROWS);
    // What the import sent before it raised limits: the rows under their first ids, while the limit was too low.
    const target = { ledgerId: ledger, withCounterparty: false, withDescription: false };
    const movements = await rowsOf([HEADER, ...LOWER, ''].join('\n'), { balances: false });
    const commands = movements.map((movement) => movementCommand(target, movement));
    await client.unary(TransactionCommandService.method.executeBatch, {
      ledgerId: ledger,
      commands: commands.filter((command) => command !== undefined),
    });
    expect(await posted('ben')).toBe(-300n);
    for (const found of [5 + 1, 5 + 2]) {
      const { code, out } = await runCsv([...ROWS, ...LOWER]);
      expect(await posted('ben')).toBe(-1000n);
      expect(out).toContain(`${found} of them booked by an earlier run`);
      // The row behind it was booked before it: its balance of then is not the printed one, and is reported for ever.
      expect(out).toContain('line 9: movement 8, account ben: printed -10.00 CZK, posted -3.00 CZK');
      expect(code).toBe(1);
    }
    expect(await references('ben')).toEqual(['2', '3', '6', '7', '8', '7']);
  });

  test('a first row that was declined is booked, also where money was brought in for it', async () => {
    await runCsv(ROWS.slice(0, 1));
    const freeze = { ledgerId: ledger, accountId: 'anna' };
    await client.unary(AccountCommandService.method.freezeAccount, { ...freeze, requestId: randomUUID() });
    const rows = ['9,anna,1993-02-01,x,,-100000,-10000,', '10,anna,1993-02-01,x,,1,-9999,'];
    expect((await runCsv(rows)).code).toBe(1);
    await client.unary(AccountCommandService.method.unfreezeAccount, { ...freeze, requestId: randomUUID() });
    await client.unary(TransactionCommandService.method.deposit, {
      ...freeze,
      requestId: randomUUID(),
      amount: { currency: 'CZK', minorUnits: 10n },
    });
    const { out } = await runCsv(rows);
    expect(out).toContain('printed -100.00 CZK, posted -99.90 CZK');
    expect(await posted('anna')).toBe(-9989n);
  });

  test('a closed account is told, and what was booked before is found all the same', async () => {
    const rows = ['1,anna,1993-01-01,x,,5,5,', '2,anna,1993-01-02,x,,-5,0,'];
    await runCsv(rows);
    const request = { ledgerId: ledger, accountId: 'anna', requestId: randomUUID() };
    await client.unary(AccountCommandService.method.closeAccount, request);
    expect((await runCsv(rows)).code).toBe(0);
    const { code, out } = await runCsv([...rows, '3,anna,1993-01-03,x,,5,5,', '4,anna,1993-01-03,x,,5,10,']);
    expect(code).toBe(1);
    expect(out).toContain('declined: ACCOUNT_CLOSED');
    expect(out).toContain('1 later movements of it were not sent: it is closed for ever');
  });
});

describe('pipes and empty files', () => {
  test('the standard input is read as a file is', async () => {
    const bytes = Buffer.from([HEADER, ...ROWS, ''].join('\n'));
    const { code, out } = await run(
      '-',
      ['--currency', 'CZK'],
      Readable.from([bytes.subarray(0, 99), bytes.subarray(99)]),
    );
    expect(code).toBe(0);
    expect(out).toContain('balances: 5 of 5 match');
  });

  test.each([
    ['no bytes', '', 'the file has no bytes'],
    ['a header only', `${HEADER}\n`, 'the file has no movements'],
    ['a header of other names', 'id,when,what\n1,2,3\n', 'the columns found are "id", "when", "what"'],
  ])('a file of %s is an error', async (_, content, problem) => {
    const { code, notes } = await run(fileOf(content), ['--currency', 'CZK']);
    expect(code).toBe(2);
    expect(notes).toContain(problem);
  });

  test('a file whose rows move nothing is no success', async () => {
    const { code, out } = await runCsv(['1,anna,1993-01-01,x,,0,0,']);
    expect(code).toBe(1);
    expect(out).toContain('every row has an amount of zero: nothing was booked');
  });

  test('a file that is not there, and a server that is not there, are sentences', async () => {
    const missing = await run(join(directory, 'nowhere.csv'), ['--currency', 'CZK']);
    expect(missing).toMatchObject({
      code: 2,
      notes: expect.stringContaining('nowhere.csv cannot be read (ENOENT)'),
    });
    const away = await runCsv(ROWS, ['--address', '127.0.0.1:1', '--patience', '0']);
    expect(away.code).toBe(3);
    expect(away.notes).toContain('nothing listens at 127.0.0.1:1');
    expect(away.notes).toContain('run the same command again');
    const nowhere = await run('x.csv', ['--currency', 'koruna']);
    expect(nowhere).toMatchObject({
      code: 2,
      notes: expect.stringMatching(/^--currency koruna is no currency/),
    });
  });
});

describe('a dry run', () => {
  test('says what would be done, and does nothing', async () => {
    const { code, out } = await runCsv(ROWS, ['--dry-run']);
    expect(code).toBe(0);
    expect(out.split('\n')).toEqual([
      'dry run: the file (csv, utf-8) is sound, nothing was booked',
      '6 movements of 2 accounts, 1993-01-01 to 1993-01-31',
      '5 would be booked, 0 are booked already, 1 with an amount of zero would not be sent',
      'the ledger would be created, 2 accounts would be opened',
      'account ben would be opened with an overdraft limit of 3.01 CZK',
      'balances: 6 are printed, and all follow from the amounts',
      '',
    ]);
    await expectNothingBooked();
  });

  test('counts what is booked already, and names the limits that would be raised', async () => {
    await runCsv(ROWS);
    const { code, out } = await runCsv([...ROWS, '7,ben,1993-02-01,x,,-700,-1001,'], ['--dry-run']);
    expect(code).toBe(0);
    expect(out).toContain('1 would be booked, 5 are booked already');
    expect(out).toContain('the overdraft limit of account ben would be raised from 3.01 CZK to 10.01 CZK');
    expect([await posted('ben'), (await account('ben'))?.overdraftLimit]).toEqual([-301n, 301n]);
  });

  test('finds what is wrong as a real run does', async () => {
    const { code, notes } = await runCsv([...ROWS, '1,anna,1993-02-01,x,,1,50001,'], ['--dry-run']);
    expect(code).toBe(2);
    expect(notes).toContain('the movement id "1" stands in line 2 already');
  });
});

describe('statements of banks', () => {
  const sample = (name: string): string => fileURLToPath(new URL(`../samples/${name}`, import.meta.url));

  test.each([
    ['german.sta', [], '10050000:0123456789', 570_000n, 'balances: 4 of 4 match'],
    ['dutch-header.sta', [], '517852257', 332_778n, 'balances: 2 of 2 match'],
    ['dutch-envelope.sta', [], 'NL69INGB0123456789EUR', 66_067n, 'balances: 1 of 1 match'],
    ['czech.sta', ['--encoding', 'windows-1250'], '0100:19-2000145399', 10_000n, 'balances: 2 of 2 match'],
    ['german-v02.xml', [], 'DE02100500000123456789', 574_950n, 'balances: 2 of 2 match'],
    ['swiss-v04.xml', [], 'CH4431999123000889012', 7_995n, 'balances: 1 of 1 match'],
    ['nordic-v08.xml', [], '500012-34567', 650n, 'balances: 2 of 2 match'],
  ])(
    '%s is booked with its opening balance, once, and closes as it prints',
    async (name, args, accountId, end, line) => {
      const refused = await run(sample(name), args);
      expect(refused.code).toBe(2);
      expect(refused.notes).toContain(
        'is new to the ledger; import what came before first, or book that balance by --book-opening',
      );
      for (const isAgain of [false, true]) {
        const { code, out } = await run(sample(name), [...args, '--book-opening', '--with-description']);
        expect(out).toContain(line);
        expect(out.includes('booked by an earlier run')).toBe(isAgain);
        expect(code).toBe(0);
        expect(await posted(accountId)).toBe(end);
      }
    },
  );

  test('the next statement goes on where the one before closed, and one that is missing is noticed', async () => {
    const [first = '', second = ''] = readFileSync(sample('german.sta'), 'utf8').split(/(?<=\n-\n)/);
    expect((await run(fileOf(first), ['--book-opening'])).code).toBe(0);
    const third = second.replaceAll('5749,50', '5649,50').replaceAll('5700,00', '5600,00');
    const { code: refused, notes } = await run(fileOf(third), ['--book-opening']);
    expect(refused).toBe(2);
    expect(notes).toContain('begins at 5649.50 EUR in the file, and is at 5749.50 EUR in the ledger');
    const { code } = await run(fileOf(second));
    expect(code).toBe(0);
    expect(await posted('10050000:0123456789')).toBe(570_000n);
  });
});

test('rows without ids are booked once, also when a longer file follows', async () => {
  const text = 'day;amount;saldo\n01.02.2024;10,00;10,00\n01.02.2024;-1,50;8,50\n01.02.2024;-1,50;7,00\n';
  const args = [
    '--currency',
    'EUR',
    '--account',
    'giro',
    '--derive-ids',
    '--delimiter',
    ';',
    '--decimal',
    ',',
  ];
  const mapped = [...args, '--date-format', 'DD.MM.YYYY', '--map', 'date=day', '--map', 'balance=saldo'];
  expect((await run(fileOf(text), mapped)).code).toBe(0);
  const { code, out } = await run(fileOf(`${text}02.02.2024;-1,50;5,50\n`), mapped);
  expect(code).toBe(0);
  expect(out).toContain('3 of them booked by an earlier run');
  expect(await posted('giro')).toBe(550n);
});

test('the commands of docs/import.md do what it says', async () => {
  const root = fileURLToPath(new URL('../../../', import.meta.url));
  const page = readFileSync(join(root, 'docs/import.md'), 'utf8');
  const commands = [...page.matchAll(/^(?:cat (\S+) \| )?npm run (?:-s )?import -- (\S+ --ledger .*)$/gm)];
  const codes: Record<string, number> = {};
  for (const [line, piped, typed = ''] of commands) {
    if (typed.startsWith('FILE')) continue;
    // The ledgers of the page are new to this server; the test's own options come last and are stronger.
    const args = typed.split(' ').map((word) => (word.startsWith('tools/') ? join(root, word) : word));
    const [file = '', ...options] = args;
    const named = options.filter((word, index) => word !== '--ledger' && options[index - 1] !== '--ledger');
    ledger = `docs-${String(options[options.indexOf('--ledger') + 1])}-${server.grpc.replace(/\D/g, '')}`;
    const stdin = piped === undefined ? [] : [readFileSync(join(root, piped))];
    codes[line] = (await run(file, named, Readable.from(stdin))).code;
  }
  expect(Object.keys(codes).length).toBeGreaterThanOrEqual(8);
  expect(Object.values(codes)).toEqual(Object.values(codes).map(() => 0));
});

describe('the real bank', () => {
  const data =
    process.env['QUITTANCE_TEST_DATA'] ?? fileURLToPath(new URL('../../../../shared/data', import.meta.url));
  const file = join(data, 'bank-movements.csv');
  const there = existsSync(file);

  (there ? test : test.skip)(
    there
      ? 'all 9,046 balances that it printed match'
      : 'is skipped: there is no bank-movements.csv (set QUITTANCE_TEST_DATA to its directory)',
    async () => {
      const { code, out, notes } = await run(file, ['--currency', 'CZK']);
      expect({ code, notes }).toEqual({ code: 0, notes: '' });
      expect(out).toContain('9,046 movements of 591 accounts');
      expect(out).toContain('balances: 9,046 of 9,046 match');
    },
    120_000,
  );
});
