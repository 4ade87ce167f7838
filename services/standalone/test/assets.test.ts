/** Assets of a ledger beside ISO 4217, from their registration to the reports, over both doors. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AccountCommandService } from '../../../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { TransactionCommandService } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { FeePayer, TransactionStatus } from '../../../gen/quittance/common/v1/transaction_pb.js';
import { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import { LedgerQueryService } from '../../../gen/quittance/query/v1/ledger_query_service_pb.js';
import {
  Interval,
  RankBy,
  ReportQueryService,
  TrialBalanceGrouping,
} from '../../../gen/quittance/query/v1/report_query_service_pb.js';
import { TransactionQueryService } from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { DAY, timestampOf } from '../../../lib/base/time.js';
import { endingOf, patientClient, proveBooks } from '../../../test/load.js';
import type { GrpcClient } from '../../../tools/client/grpc-client.js';
import { startPlatform, type TestPlatform } from './platform.js';

const FRESH = { requirement: { case: 'fullyConsistent' as const, value: true } };
const DOORS = ['grpc', 'connect'] as const;
const btc = (minorUnits: bigint) => ({ currency: 'BTC', minorUnits });
const shown = (minorUnits: bigint) => ({ currency: 'BTC', exponent: 8, minorUnits });

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

describe.each(DOORS)('over %s', (door) => {
  const ledgerId = `assets-${door}`;
  const command = () => ({ ledgerId, requestId: randomUUID() });

  beforeAll(async () => {
    const ledgers = platform[door](LedgerCommandService);
    await ledgers.createLedger(command());
    const accounts = platform[door](AccountCommandService);
    await accounts.openAccount({ ...command(), accountId: 'euros', currency: 'EUR' });
    const { asset } = await ledgers.registerAsset({
      ...command(),
      code: 'BTC',
      exponent: 8,
      name: 'Bitcoin',
    });
    expect(asset).toMatchObject({
      ledgerId,
      code: 'BTC',
      exponent: 8,
      name: 'Bitcoin',
      registered: true,
      settlementAccountId: '@settlement:BTC',
    });
    for (const accountId of ['alice', 'bob', 'fees']) {
      const opened = await accounts.openAccount({ ...command(), accountId, currency: 'BTC' });
      expect(opened.account).toMatchObject({ currency: 'BTC', balance: { currency: 'BTC', exponent: 8 } });
    }
  });

  test('an asset is registered once: the same is said to be there, another is said to differ', async () => {
    const { method } = LedgerCommandService;
    const asset = (fields: { exponent?: number; name?: string }) => ({
      ...command(),
      code: 'BTC',
      exponent: 8,
      name: 'Bitcoin',
      ...fields,
    });
    const register = (fields: { exponent?: number; name?: string }) =>
      endingOf(client.unary(method.registerAsset, asset(fields)));
    expect(await register({})).toBe('ASSET_ALREADY_EXISTS');
    expect(await register({ exponent: 6 })).toBe('ASSET_DIFFERS');
    expect(await register({ name: 'bitcoin' })).toBe('ASSET_DIFFERS');
    const points = { ...command(), code: 'POINTS', exponent: 0, name: 'Points' };
    const first = await platform[door](LedgerCommandService).registerAsset(points);
    const again = await platform[door](LedgerCommandService).registerAsset(points);
    expect([first.replayed, again.replayed]).toEqual([false, true]);
    expect(again.asset).toEqual(first.asset);
  });

  test('assets are listed with the currencies of ISO 4217 that are in use', async () => {
    const { assets } = await platform[door](LedgerQueryService).listAssets({ ledgerId, consistency: FRESH });
    expect(assets.slice(0, 2)).toMatchObject([
      { code: 'EUR', exponent: 2, name: '', registered: false, settlementAccountId: '@settlement:EUR' },
      { code: 'BTC', exponent: 8, name: 'Bitcoin', registered: true },
    ]);
    const query = platform[door](LedgerQueryService);
    const page = await query.listAssets({ ledgerId, consistency: FRESH, pageSize: 1 });
    const { nextPageToken: pageToken } = page;
    const next = await query.listAssets({ ledgerId, consistency: FRESH, pageSize: 1, pageToken });
    expect([...page.assets, ...next.assets].map(({ code }) => code)).toEqual(['EUR', 'BTC']);
  });

  test('money of an asset moves, is held, declined, refunded and reported like any other', async () => {
    const transactions = platform[door](TransactionCommandService);
    const parties = { payerAccountId: 'alice', payeeAccountId: 'bob' };
    const deposited = await transactions.deposit({
      ...command(),
      accountId: 'alice',
      amount: { ...btc(500_000_000n), exponent: 8 },
    });
    expect(deposited.transaction).toMatchObject({ amount: shown(500_000_000n) });
    expect(deposited.accounts.map(({ accountId }) => accountId)).toEqual(['@settlement:BTC', 'alice']);
    const paid = await transactions.submitPayment({
      ...command(),
      ...parties,
      amount: btc(100_000_000n),
      fees: [{ paidBy: FeePayer.PAYER, toAccountId: 'fees', amount: btc(1_000n) }],
    });
    expect(paid.transaction?.payment).toMatchObject({ currency: 'BTC', exponent: 8, captured: 100_000_000n });
    const declined = await transactions.submitPayment({
      ...command(),
      ...parties,
      amount: btc(900_000_000n),
    });
    expect(declined.transaction).toMatchObject({
      status: TransactionStatus.DECLINED,
      amount: shown(900_000_000n),
      payment: { currency: 'BTC', exponent: 8 },
    });
    const held = command();
    await transactions.authorizePayment({ ...held, ...parties, amount: btc(40n) });
    const captured = await transactions.capturePayment({
      ...command(),
      paymentId: held.requestId,
      amount: btc(30n),
    });
    expect(captured.payment).toMatchObject({ currency: 'BTC', exponent: 8, captured: 30n });
    await transactions.voidPayment({ ...command(), paymentId: held.requestId });
    await transactions.refundPayment({ ...command(), paymentId: held.requestId, amount: btc(5n) });
    await checkReads(captured.transaction?.transactionId ?? '');
    await checkReports();
    await proveBooks(platform.grpcAddress, ledgerId);
  });

  test('what is no asset of the ledger is refused, in commands and in queries', async () => {
    const accounts = client.unary(AccountCommandService.method.openAccount, {
      ...command(),
      accountId: 'ether',
      currency: 'ETH',
    });
    expect(await endingOf(accounts)).toBe('UNKNOWN_CURRENCY');
    const wrong = client.unary(TransactionCommandService.method.deposit, {
      ...command(),
      accountId: 'alice',
      amount: { ...btc(1n), exponent: 2 },
    });
    expect(await endingOf(wrong)).toBe('INVALID_FIELD');
    const list = client.unary(AccountQueryService.method.listAccounts, { ledgerId, currency: 'ETH' });
    expect(await endingOf(list)).toBe('UNKNOWN_CURRENCY');
    const balance = client.unary(ReportQueryService.method.getTrialBalance, { ledgerId, currency: 'ETH' });
    expect(await endingOf(balance)).toBe('UNKNOWN_CURRENCY');
  });

  async function checkReads(captureId: string): Promise<void> {
    const accounts = platform[door](AccountQueryService);
    const read = { ledgerId, consistency: FRESH };
    const { accounts: listed } = await accounts.listAccounts({ ...read, currency: 'BTC' });
    expect(listed.map(({ accountId }) => accountId)).toEqual(['@settlement:BTC', 'alice', 'bob', 'fees']);
    const { balance } = await accounts.getBalance({ ...read, accountId: 'bob' });
    expect(balance).toMatchObject({ currency: 'BTC', exponent: 8, posted: 100_000_025n });
    const { account } = await accounts.getAccount({ ...read, accountId: '@settlement:BTC' });
    expect(account).toMatchObject({ name: 'Bitcoin', currency: 'BTC', balance: { exponent: 8 } });
    const transactions = platform[door](TransactionQueryService);
    const { transaction } = await transactions.getTransaction({ ...read, transactionId: captureId });
    expect(transaction).toMatchObject({ amount: shown(30n), entries: [{ amount: shown(30n) }, {}] });
    const statement = await transactions.getStatement({ ...read, accountId: 'alice' });
    expect(statement.openingBalance).toMatchObject(shown(0n));
    expect(statement.closingBalance).toMatchObject(shown(399_998_975n));
    expect(statement.lines[0]?.entry?.entry?.amount).toMatchObject(shown(500_000_000n));
  }

  async function checkReports(): Promise<void> {
    const reports = platform[door](ReportQueryService);
    const read = { ledgerId, consistency: FRESH, currency: 'BTC' };
    const { totals } = await reports.getTrialBalance({ ...read, groupBy: TrialBalanceGrouping.ACCOUNT });
    expect(totals).toMatchObject([
      { currency: 'BTC', exponent: 8, debits: '600001035', credits: '600001035' },
    ]);
    const ranked = await reports.rankAccounts({ ...read, rankBy: RankBy.POSTED });
    expect(ranked).toMatchObject({
      currency: 'BTC',
      exponent: 8,
      accounts: [{ accountId: 'alice' }, { accountId: 'bob' }, { accountId: 'fees', posted: '1000' }],
    });
    const now = BigInt(Date.now()) * 1_000n;
    const buckets = {
      interval: Interval.DAY,
      startTime: timestampOf(now - DAY),
      endTime: timestampOf(now + DAY),
    };
    const volume = await reports.summarizeVolume({ ...read, buckets });
    const volumes = volume.buckets.flatMap(({ rows }) => rows);
    expect(volumes.length).toBeGreaterThan(0);
    for (const row of volumes) expect(row).toMatchObject({ currency: 'BTC', exponent: 8 });
    const declines = await reports.summarizeDeclines({ ...read, buckets });
    expect(declines.buckets.flatMap(({ rows }) => rows)).toMatchObject([
      { currency: 'BTC', exponent: 8, count: 1n, volume: '900000000' },
    ]);
    const flow = await reports.summarizeCashFlow({ ...read, buckets });
    expect(flow.buckets.flatMap(({ rows }) => rows)).toMatchObject([
      { currency: 'BTC', exponent: 8, inflow: '500000000' },
    ]);
  }
});
