/** Periods that are closed and reopened, from the command to the reports and the proof, over both doors. */
import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AccountCommandService } from '../../../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import {
  BatchMode,
  TransactionCommandService,
} from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { AccountType } from '../../../gen/quittance/common/v1/account_pb.js';
import { EventKind, EventQueryService } from '../../../gen/quittance/query/v1/event_query_service_pb.js';
import { LedgerQueryService } from '../../../gen/quittance/query/v1/ledger_query_service_pb.js';
import {
  Interval,
  RankBy,
  ReportQueryService,
} from '../../../gen/quittance/query/v1/report_query_service_pb.js';
import { TransactionQueryService } from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { DAY, microsOf, timestampOf } from '../../../lib/base/time.js';
import { endingOf, patientClient, proveBooks } from '../../../test/load.js';
import type { GrpcClient } from '../../../tools/client/grpc-client.js';
import { startPlatform, type TestPlatform } from './platform.js';

const FRESH = { requirement: { case: 'fullyConsistent' as const, value: true } };
/** 2026-01-31T23:59:59.999999Z */
const JANUARY = 1_769_903_999_999_999n;
const FEBRUARY = JANUARY + 28n * DAY;
const eur = (minorUnits: bigint) => ({ currency: 'EUR', minorUnits });
const inJanuary = timestampOf(JANUARY - DAY);
const inFebruary = timestampOf(JANUARY + DAY);

let platform: TestPlatform;
let client: GrpcClient;

beforeAll(async () => {
  platform = await startPlatform();
  client = patientClient(platform.grpcAddress);
});

afterAll(async () => {
  client.close();
  await platform.stop();
});

const row = (accountType: AccountType, debits: bigint, credits: bigint) => ({
  currency: 'EUR',
  exponent: 2,
  accountType,
  debits: String(debits),
  credits: String(credits),
});

describe.each(['grpc', 'connect'] as const)('over %s', (door) => {
  const ledgerId = `periods-${door}`;
  const command = () => ({ ledgerId, requestId: randomUUID() });
  const { closePeriod, reopenPeriod } = LedgerCommandService.method;
  const close = (through: bigint) => ({ ...command(), closedThrough: timestampOf(through) });
  const deposit = (minorUnits: bigint, effectiveTime?: ReturnType<typeof timestampOf>) => ({
    ...command(),
    accountId: 'alice',
    amount: eur(minorUnits),
    ...(effectiveTime === undefined ? {} : { effectiveTime }),
  });

  beforeAll(async () => {
    await platform[door](LedgerCommandService).createLedger(command());
    const { openAccount } = platform[door](AccountCommandService);
    for (const accountId of ['alice', 'shop'])
      await openAccount({ ...command(), accountId, currency: 'EUR' });
    const money = platform[door](TransactionCommandService);
    await money.deposit(deposit(900n, inJanuary));
    await money.deposit(deposit(50n, inFebruary));
    await money.deposit(deposit(7n));
  });

  const january = [row(AccountType.LIABILITY, 0n, 900n), row(AccountType.ASSET, 900n, 0n)];

  test('a preview says the trial balance and closes nothing', async () => {
    const ledgers = platform[door](LedgerCommandService);
    const preview = await ledgers.closePeriod({ ...close(JANUARY), validateOnly: true });
    expect(preview).toMatchObject({ position: 0n, consistencyToken: '', replayed: false });
    expect(preview.period).toMatchObject({ position: 0n, totals: january, totalCount: 2 });
    expect(preview.period?.logHash).toHaveLength(0);
    const { ledger } = await platform[door](LedgerQueryService).getLedger({ ledgerId, consistency: FRESH });
    expect([ledger?.ledgerId, ledger?.closedThrough]).toEqual([ledgerId, undefined]);
  });

  test('a close states the trial balance and the hash of the log, and is answered alike again', async () => {
    const ledgers = platform[door](LedgerCommandService);
    const request = { ...close(JANUARY), description: 'January 2026' };
    const first = await ledgers.closePeriod(request);
    expect(first.period).toMatchObject({
      ledgerId,
      closedThrough: { seconds: 1_769_903_999n, nanos: 999_999_000 },
      position: first.position,
      totals: january,
      totalCount: 2,
      description: 'January 2026',
    });
    const lines = `EUR 1 0 900\nEUR 2 900 0\n`;
    expect(Buffer.from(first.period?.totalsHash ?? [])).toEqual(createHash('sha256').update(lines).digest());
    const again = await ledgers.closePeriod(request);
    expect(again).toMatchObject({ position: first.position, replayed: true });
    expect(again.period).toEqual(first.period);
    const { events } = await platform[door](EventQueryService).listEvents({
      ledgerId,
      consistency: FRESH,
      kinds: [EventKind.PERIOD_CLOSED],
    });
    expect(events.map(({ event }) => event?.position)).toEqual([first.position]);
    expect(events[0]?.event?.previousHash).toEqual(first.period?.logHash);
  });

  test('what is dated in it is refused, alone, in batches and in reversals; what is dated later is not', async () => {
    const { method } = TransactionCommandService;
    const refused = async (minorUnits: bigint) =>
      endingOf(client.unary(method.deposit, deposit(minorUnits, inJanuary)));
    expect(await refused(1n)).toBe('PERIOD_CLOSED');
    const batch = (mode: BatchMode) => ({
      ledgerId,
      mode,
      commands: [
        { command: { case: 'deposit' as const, value: deposit(1n, inFebruary) } },
        { command: { case: 'deposit' as const, value: deposit(1n, timestampOf(JANUARY)) } },
      ],
    });
    const money = platform[door](TransactionCommandService);
    expect(await endingOf(client.unary(method.executeBatch, batch(BatchMode.ATOMIC)))).toBe('PERIOD_CLOSED');
    // The errors of items hold details, which a JSON client has to be told of.
    const { results } = await client.unary(method.executeBatch, batch(BatchMode.INDEPENDENT));
    expect(results.map(({ result }) => result.case)).toEqual(['deposit', 'error']);
    const later = await money.deposit(deposit(2n, timestampOf(JANUARY + 1n)));
    expect(later.transaction?.amount).toMatchObject(eur(2n));
    const reversal = { ...command(), transactionId: later.transaction?.transactionId ?? '' };
    const backdated = { ...reversal, effectiveTime: inJanuary };
    expect(await endingOf(client.unary(method.reverseTransaction, backdated))).toBe('PERIOD_CLOSED');
    // The refused command left its request id unused.
    expect((await money.reverseTransaction(reversal)).replayed).toBe(false);
  });

  test('the ledger, its statements and all reports say what is closed', async () => {
    const ledgers = platform[door](LedgerQueryService);
    const { ledger, closedPeriod } = await ledgers.getLedger({ ledgerId, consistency: FRESH });
    expect(ledger?.closedThrough).toEqual(timestampOf(JANUARY));
    const listed = await ledgers.listLedgers({ ledgerIdPrefix: ledgerId, consistency: FRESH });
    expect(listed.ledgers.map(({ closedThrough }) => closedThrough)).toEqual([timestampOf(JANUARY)]);
    expect(closedPeriod).toMatchObject({ description: 'January 2026', totals: january });
    const reports = platform[door](ReportQueryService);
    const read = { ledgerId, consistency: FRESH };
    const end = timestampOf(JANUARY + 1n);
    const buckets = { interval: Interval.MONTH, startTime: timestampOf(JANUARY - 40n * DAY), endTime: end };
    const balance = await reports.getTrialBalance({ ...read, endTime: end });
    expect(balance.totals).toMatchObject([{ debits: '900', credits: '900' }]);
    const others = await Promise.all([
      reports.summarizeVolume({ ...read, buckets }),
      reports.summarizeDeclines({ ...read, buckets }),
      reports.rankAccounts({ ...read, rankBy: RankBy.POSTED, currency: 'EUR' }),
      reports.summarizeCashFlow({ ...read, buckets }),
    ]);
    const statement = { accountId: 'alice', ...read, pageSize: 1 };
    const { getStatement } = platform[door](TransactionQueryService);
    const page = await getStatement(statement);
    const next = await getStatement({ ...statement, pageToken: page.nextPageToken });
    for (const answer of [balance, ...others, page, next])
      expect(answer.closedThrough).toEqual(timestampOf(JANUARY));
    // At a position before the close nothing was closed.
    const before = { ledgerId, position: (closedPeriod?.position ?? 0n) - 1n };
    expect((await reports.getTrialBalance(before)).closedThrough).toBeUndefined();
    expect((await getStatement({ ...statement, ...before })).closedThrough).toBeUndefined();
  });

  test('a period is not closed backwards, in the future, in a batch, or where there is no ledger', async () => {
    const ending = (
      request: Parameters<typeof client.unary<typeof closePeriod.input, typeof closePeriod.output>>[1],
    ) => endingOf(client.unary(closePeriod, request));
    expect(await ending(close(JANUARY))).toBe('PERIOD_ALREADY_CLOSED');
    expect(await ending(close(JANUARY - 1n))).toBe('PERIOD_ALREADY_CLOSED');
    expect(await ending(close(BigInt(Date.now() + 3_600_000) * 1_000n))).toBe('PERIOD_IN_FUTURE');
    expect(await ending({ ...close(FEBRUARY), ledgerId: 'nowhere' })).toBe('LEDGER_NOT_FOUND');
    expect(await ending(command())).toBe('INVALID_FIELD');
    const finer = { seconds: 1_769_903_999n, nanos: 1 };
    expect(await ending({ ...command(), closedThrough: finer })).toBe('INVALID_FIELD');
    const item = { command: { case: 'closePeriod' as const, value: close(FEBRUARY) } };
    const { executeBatch } = TransactionCommandService.method;
    const { results } = await client.unary(executeBatch, { ledgerId, commands: [item] });
    expect(results[0]?.result.case).toBe('error');
    expect(await endingOf(client.unary(reopenPeriod, { ...command(), reason: '' }))).toBe('INVALID_FIELD');
  });

  test('reopened, it takes what came late and is closed again with it; the next one is closed on top', async () => {
    const ledgers = platform[door](LedgerCommandService);
    const keep = { keepClosedThrough: timestampOf(JANUARY) };
    expect(await endingOf(client.unary(reopenPeriod, { ...command(), reason: 'late', ...keep }))).toBe(
      'PERIOD_NOT_CLOSED',
    );
    const reopened = await ledgers.reopenPeriod({ ...command(), reason: 'an invoice of January came late' });
    expect([reopened.closedThrough, reopened.position > 0n]).toEqual([undefined, true]);
    await platform[door](TransactionCommandService).deposit(deposit(30n, inJanuary));
    const queries = platform[door](LedgerQueryService);
    const open = await queries.getLedger({ ledgerId, consistency: FRESH });
    expect([open.ledger?.closedThrough, open.closedPeriod]).toEqual([undefined, undefined]);
    const { ledgers: listed } = await queries.listLedgers({ ledgerIdPrefix: ledgerId, consistency: FRESH });
    expect(listed.map(({ closedThrough }) => closedThrough)).toEqual([undefined]);
    const closed = await ledgers.closePeriod(close(JANUARY));
    expect(closed.period?.totals).toMatchObject([
      row(AccountType.LIABILITY, 0n, 930n),
      row(AccountType.ASSET, 930n, 0n),
    ]);
    const next = await ledgers.closePeriod(close(FEBRUARY));
    // Of February: 50, what the batch has posted, and what was posted and reversed now.
    expect(next.period?.totals).toMatchObject([
      row(AccountType.LIABILITY, 0n, 983n),
      row(AccountType.ASSET, 983n, 0n),
    ]);
    const partly = await ledgers.reopenPeriod({ ...command(), reason: 'February again', ...keep });
    expect(microsOf(partly.closedThrough ?? timestampOf(0n))).toBe(JANUARY);
  });

  test('the proof finds the books right', async () => {
    await proveBooks(platform.grpcAddress, ledgerId);
  });
});
