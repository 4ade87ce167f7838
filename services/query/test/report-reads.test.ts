import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { AccountType } from '../../../gen/quittance/common/v1/account_pb.js';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import {
  DeclineReason,
  Direction,
  TransactionKind,
} from '../../../gen/quittance/common/v1/transaction_pb.js';
import {
  GetBalanceHistoryRequestSchema,
  GetTrialBalanceRequestSchema,
  Interval,
  RankAccountsRequestSchema,
  RankBy,
  SummarizeCashFlowRequestSchema,
  SummarizeDeclinesRequestSchema,
  SummarizeVolumeRequestSchema,
  TrialBalanceGrouping,
  TrialBalanceTotalSchema,
} from '../../../gen/quittance/query/v1/report_query_service_pb.js';
import { TimeBasis } from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { timestampOf } from '../../../lib/base/time.js';
import { createPool, type Pool } from '../../../lib/log/postgres-client.js';
import { postgresReports, REPORT_PLANS } from '../../../lib/views/reports/postgres/reports.js';
import { type CommandInit, FIXTURE_START } from '../../../test/ledger-fixture.js';
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.js';
import type { ReportsView } from '../../../lib/views/reports/view.js';
import type { ViewGenerations } from '../../../lib/views/view.js';
import type { QueryContext } from '../context.js';
import { getBalanceHistory } from '../rpc/get-balance-history.js';
import { getTrialBalance } from '../rpc/get-trial-balance.js';
import { rankAccounts } from '../rpc/rank-accounts.js';
import { reportQueryService } from '../rpc/report-query-service.js';
import { summarizeCashFlow } from '../rpc/summarize-cash-flow.js';
import { summarizeDeclines } from '../rpc/summarize-declines.js';
import { summarizeVolume } from '../rpc/summarize-volume.js';
import { servingView } from '../serving-view.js';
import { wholeReports } from '../whole-views.js';
import { callOf, deposit, failureOf, opened, openWorld, pay, type World } from './fixture.js';

const HOUR = 3_600_000_000n;

interface Bucketed {
  readonly ledgerId?: string;
  readonly currency?: string;
  readonly position?: bigint;
  readonly buckets?: ReturnType<typeof hours>;
}

let world: World;
let context: QueryContext;
let database: TestDatabase;
let pool: Pool;
let reports: ViewGenerations<ReportsView>;
let reported = -1n;

const trialBalance = (at: MessageInitShape<typeof GetTrialBalanceRequestSchema>, left_ms?: number) =>
  getTrialBalance(context)(
    create(GetTrialBalanceRequestSchema, { ledgerId: 'main', ...at }),
    callOf(left_ms),
  );
const cashFlow = (at: Bucketed & { readonly accountId?: string }) =>
  summarizeCashFlow(context)(
    create(SummarizeCashFlowRequestSchema, { ledgerId: 'main', buckets: hours(2), ...at }),
    callOf(),
  );
const volume = (at: Bucketed) =>
  summarizeVolume(context)(
    create(SummarizeVolumeRequestSchema, { ledgerId: 'main', buckets: hours(2), ...at }),
    callOf(),
  );
const declines = (at: Bucketed) =>
  summarizeDeclines(context)(
    create(SummarizeDeclinesRequestSchema, { ledgerId: 'main', buckets: hours(2), ...at }),
    callOf(),
  );
const history = (at: Bucketed & { readonly accountId: string; readonly timeBasis?: TimeBasis }) =>
  getBalanceHistory(context)(
    create(GetBalanceHistoryRequestSchema, { ledgerId: 'main', buckets: hours(2), ...at }),
    callOf(),
  );
const rank = (at: MessageInitShape<typeof RankAccountsRequestSchema>) =>
  rankAccounts(context)(
    create(RankAccountsRequestSchema, { ledgerId: 'main', currency: 'EUR', ...at }),
    callOf(),
  );

/** So many hours from the first event on. */
function hours(count: number) {
  return {
    startTime: timestampOf(FIXTURE_START),
    endTime: timestampOf(FIXTURE_START + BigInt(count) * HOUR),
    interval: Interval.HOUR,
  };
}

/** Applies what the reports have not seen. */
async function report(): Promise<void> {
  const batch = world.fixture.batch(reported + 1n);
  reported = batch.offset;
  await (await reports.current()).apply(batch);
}

const withdraw = (accountId: string, minorUnits: bigint): CommandInit => {
  const amount = { currency: 'EUR', minorUnits };
  return { case: 'withdraw', value: { ledgerId: 'main', accountId, amount, requestId: world.id() } };
};

/** A deposit that is dated at the beginning. */
const dated = (accountId: string, minorUnits: bigint): CommandInit => {
  const amount = { currency: 'EUR', minorUnits };
  const effectiveTime = timestampOf(FIXTURE_START);
  return {
    case: 'deposit',
    value: { ledgerId: 'main', accountId, amount, effectiveTime, requestId: world.id() },
  };
};

beforeAll(async () => {
  world = await openWorld();
  database = await createTestDatabase();
  pool = createPool(database.config, { max: 4, name: 'reports-test', options: REPORT_PLANS });
  reports = postgresReports(pool);
  await reports.migrate();
  context = { ...world.context, reports: servingView(wholeReports(reports)) };
  await world.settle(
    ...opened(world, 'main', 'user:alice', 'user:bob', 'shop', 'idle'),
    ...opened(world, 'empty'),
    deposit(world, 'user:alice', 1_000n),
    deposit(world, 'user:bob', 500n),
    pay(world, 'user:alice', 'shop', 300n),
    withdraw('user:bob', 9_999n),
  );
  world.fixture.now += HOUR;
  await world.settle(withdraw('shop', 100n), pay(world, 'user:bob', 'user:alice', 40n));
  await report();
});

afterAll(async () => {
  await world.close();
  await pool.end();
  await database.drop();
});

test('the service has every method of the contract', () => {
  expect(reportQueryService(context).methods).toHaveLength(6);
});

describe('GetTrialBalance', () => {
  test('groups by account type unless asked otherwise; debits equal credits', async () => {
    const answer = await trialBalance({});
    expect(answer.rows).toMatchObject([
      { key: 'ASSET', currency: 'EUR', exponent: 2, debits: '1500', credits: '100', net: '-1400' },
      { key: 'LIABILITY', debits: '440', credits: '1840', net: '1400' },
    ]);
    const total = { currency: 'EUR', exponent: 2, debits: '1940', credits: '1940' };
    expect(answer.totals).toEqual([create(TrialBalanceTotalSchema, total)]);
    expect(answer.asOf?.position).toBe(BigInt(world.fixture.events.length - 1));
  });

  test('groups by the part of the id before its first colon', async () => {
    const { rows } = await trialBalance({ groupBy: TrialBalanceGrouping.ID_PREFIX });
    expect(rows?.map(({ key }) => key)).toEqual(['@settlement', 'shop', 'user']);
  });

  test('groups by as many parts of the id as asked for, an id with fewer alone', async () => {
    const groupBy = TrialBalanceGrouping.ID_PREFIX;
    const { rows, totals } = await trialBalance({ groupBy, depth: 2 });
    expect(rows?.map(({ key }) => key)).toEqual(['@settlement:EUR', 'shop', 'user:alice', 'user:bob']);
    expect((await trialBalance({ groupBy, depth: 64 })).rows).toEqual(rows);
    expect((await trialBalance({ groupBy, depth: 1 })).totals).toEqual(totals);
    expect(await failureOf(trialBalance({ depth: 2 }))).toMatchObject({
      reason: ErrorReason.INVALID_FIELD,
      details: { fields: [{ field: 'depth' }] },
    });
  });

  test('its pages together are the balance as of the first one, whatever is applied meanwhile', async () => {
    const query = { groupBy: TrialBalanceGrouping.ACCOUNT, pageSize: 2 };
    const first = await trialBalance(query);
    await world.settle(pay(world, 'user:alice', 'user:bob', 7n), deposit(world, 'idle', 1n));
    await report();
    const second = await trialBalance({ ...query, pageToken: first.nextPageToken ?? '' });
    const keys = [...(first.rows ?? []), ...(second.rows ?? [])].map(({ key }) => key);
    expect(keys).toEqual(['@settlement:EUR', 'shop', 'user:alice', 'user:bob']);
    expect(second.nextPageToken).toBe('');
    expect(second.totals).toEqual(first.totals);
    expect(second.asOf).toEqual(first.asOf);
    const pinned = await trialBalance({ ...query, pageSize: 9, position: first.asOf?.position ?? 0n });
    expect(pinned.rows).toEqual([...(first.rows ?? []), ...(second.rows ?? [])]);
    expect(pinned.asOf).toEqual(first.asOf);
  });

  test('refuses the token of another query, and a position beyond the end of the log', async () => {
    const { nextPageToken = '' } = await trialBalance({ pageSize: 1 });
    const other = trialBalance({ pageSize: 1, currency: 'EUR', pageToken: nextPageToken });
    expect(await failureOf(other)).toMatchObject({ reason: ErrorReason.INVALID_PAGE_TOKEN });
    expect(await failureOf(trialBalance({ position: 10_000n }))).toMatchObject({
      reason: ErrorReason.POSITION_OUT_OF_RANGE,
    });
  });

  test('before a time takes what was dated, or recorded, before it; by recorded time that is final', async () => {
    const endTime = timestampOf(FIXTURE_START + HOUR);
    const effective = await trialBalance({ endTime });
    expect(effective.totals).toMatchObject([{ debits: '1800', credits: '1800' }]);
    expect(effective.asOf?.final).toBe(false);
    const recorded = await trialBalance({ endTime, timeBasis: TimeBasis.RECORDED_TIME });
    expect(recorded.totals).toEqual(effective.totals);
    expect(recorded.asOf?.final).toBe(true);
  });
});

describe('SummarizeVolume', () => {
  test('counts and sums by bucket and kind, empty buckets included', async () => {
    const { buckets } = await volume({ buckets: hours(3) });
    expect(buckets?.map(({ rows }) => rows)).toMatchObject([
      [
        { kind: TransactionKind.DEPOSIT, currency: 'EUR', exponent: 2, count: 2n, volume: '1500' },
        { kind: TransactionKind.PAYMENT, count: 1n, volume: '300' },
      ],
      [
        { kind: TransactionKind.DEPOSIT },
        { kind: TransactionKind.WITHDRAWAL },
        { kind: TransactionKind.PAYMENT },
      ],
      [],
    ]);
    expect(buckets?.[2]?.endTime).toEqual(hours(3).endTime);
  });

  test('of a currency that does not occur is empty buckets', async () => {
    const { buckets } = await volume({ currency: 'JPY' });
    expect(buckets?.map(({ rows }) => rows)).toEqual([[], []]);
  });
});

test('SummarizeDeclines counts by bucket of recorded time and reason what was asked for', async () => {
  const request = create(SummarizeDeclinesRequestSchema, { ledgerId: 'main', buckets: hours(2) });
  const { buckets } = await summarizeDeclines(context)(request, callOf());
  expect(buckets?.map(({ rows }) => rows)).toMatchObject([
    [{ reason: DeclineReason.INSUFFICIENT_FUNDS, currency: 'EUR', count: 1n, volume: '9999' }],
    [],
  ]);
});

describe('RankAccounts', () => {
  test('ranks LIABILITY accounts from 1, equal figures by id', async () => {
    const { accounts, exponent } = await rank({ rankBy: RankBy.CREDITS, limit: 2 });
    expect(accounts).toMatchObject([
      { rank: 1, accountId: 'user:alice', credits: '1040' },
      { rank: 2, accountId: 'user:bob', credits: '507' },
    ]);
    expect(exponent).toBe(2);
    const byCount = await rank({ rankBy: RankBy.COUNT, endTime: timestampOf(FIXTURE_START + HOUR) });
    expect(byCount.accounts?.map(({ accountId, count }) => [accountId, count])).toEqual([
      ['user:alice', 2n],
      ['shop', 1n],
      ['user:bob', 1n],
    ]);
  });

  test('refuses an unknown currency, and a range that holds no time', async () => {
    const unknown = rank({ rankBy: RankBy.COUNT, currency: 'XXZ' });
    expect(await failureOf(unknown)).toMatchObject({ reason: ErrorReason.UNKNOWN_CURRENCY });
    const time = timestampOf(FIXTURE_START);
    const empty = rank({ rankBy: RankBy.COUNT, startTime: time, endTime: time });
    expect(await failureOf(empty)).toMatchObject({ reason: ErrorReason.INVALID_FIELD });
  });
});

describe('SummarizeCashFlow', () => {
  test('of the ASSET accounts shows deposits in and withdrawals out', async () => {
    const { buckets } = await cashFlow({});
    expect(buckets?.[0]?.rows).toMatchObject([
      { kind: TransactionKind.DEPOSIT, inflow: '1500', outflow: '0', exponent: 2 },
    ]);
    expect(buckets?.[1]?.rows?.[1]).toMatchObject({
      kind: TransactionKind.WITHDRAWAL,
      inflow: '0',
      outflow: '100',
    });
  });

  test('of one account shows its credits in and its debits out', async () => {
    const { buckets } = await cashFlow({ accountId: 'shop' });
    expect(buckets?.map(({ rows }) => rows)).toMatchObject([
      [{ kind: TransactionKind.PAYMENT, inflow: '300', outflow: '0' }],
      [{ kind: TransactionKind.WITHDRAWAL, inflow: '0', outflow: '100' }],
    ]);
  });

  test('tells an account without entries from one that does not exist', async () => {
    await world.settle(...opened(world, 'other', 'quiet'));
    await report();
    const { buckets } = await cashFlow({ ledgerId: 'other', accountId: 'quiet' });
    expect(buckets?.map(({ rows }) => rows)).toEqual([[], []]);
    expect(await failureOf(cashFlow({ accountId: 'nobody' }))).toMatchObject({
      reason: ErrorReason.ACCOUNT_NOT_FOUND,
      details: { resource: { type: 'account', name: 'nobody' } },
    });
  });
});

describe('GetBalanceHistory', () => {
  const closings = ({ buckets }: Awaited<ReturnType<typeof history>>) =>
    buckets?.map(({ opening, debits, credits, closing }) => [opening, debits, credits, closing]);

  test('opens each bucket with what the one before closed with, empty ones too', async () => {
    const answer = await history({ accountId: 'shop', buckets: hours(3) });
    expect(answer).toMatchObject({ accountId: 'shop', currency: 'EUR', exponent: 2 });
    expect(closings(answer)).toEqual([
      ['0', '0', '300', '300'],
      ['300', '100', '0', '200'],
      ['200', '0', '0', '200'],
    ]);
    expect(answer.buckets?.[2]?.endTime).toEqual(hours(3).endTime);
  });

  test('begins with what was before the range, and with what is known at a position', async () => {
    const buckets = {
      startTime: timestampOf(FIXTURE_START + HOUR),
      endTime: timestampOf(FIXTURE_START + 2n * HOUR),
      interval: Interval.DAY,
    };
    expect(closings(await history({ accountId: 'shop', buckets }))).toEqual([['300', '100', '0', '200']]);
    const long = { ...buckets, startTime: timestampOf(0n), interval: Interval.MONTH };
    const [first, ...more] = closings(await history({ accountId: 'shop', buckets: long })) ?? [];
    expect(first).toEqual(['0', '0', '0', '0']);
    expect(more.at(-1)).toEqual(['0', '100', '300', '200']);
    const asOf = (await volume({})).asOf;
    await world.settle(dated('shop', 77n));
    await report();
    const before = await history({ accountId: 'shop', buckets: hours(2), position: asOf?.position ?? 0n });
    expect(closings(before)?.at(-1)?.at(-1)).toBe('200');
    expect(before.asOf?.position).toBe(asOf?.position);
    expect(closings(await history({ accountId: 'shop', buckets: hours(2) }))).toEqual([
      ['0', '0', '377', '377'],
      ['377', '100', '0', '277'],
    ]);
    const recorded = await history({
      accountId: 'shop',
      buckets: hours(2),
      timeBasis: TimeBasis.RECORDED_TIME,
    });
    expect(closings(recorded)).toEqual([
      ['0', '0', '300', '300'],
      ['300', '100', '77', '277'],
    ]);
  });

  test('of an account without entries is zero, of one that does not exist an error', async () => {
    await world.settle(...opened(world, 'still', 'quiet'));
    await report();
    const quiet = await history({ ledgerId: 'still', accountId: 'quiet' });
    expect(quiet).toMatchObject({ currency: 'EUR', exponent: 2 });
    expect(closings(quiet)?.[0]).toEqual(['0', '0', '0', '0']);
    expect((await failureOf(history({ accountId: 'nobody' }))).reason).toBe(ErrorReason.ACCOUNT_NOT_FOUND);
    expect((await failureOf(history({ ledgerId: 'nowhere', accountId: 'shop' }))).reason).toBe(
      ErrorReason.LEDGER_NOT_FOUND,
    );
  });
});

describe('every report', () => {
  test('is reproduced by the position of an earlier answer, and refuses one beyond the end of the log', async () => {
    const all = (position: bigint) => [
      trialBalance({ position }),
      volume({ position }),
      declines({ position }),
      cashFlow({ position }),
      cashFlow({ position, accountId: 'shop' }),
      rank({ position, rankBy: RankBy.POSTED }),
      history({ position, accountId: 'shop' }),
    ];
    const earlier = await Promise.all(all(0n));
    const position = earlier[0]?.asOf?.position ?? 0n;
    await world.settle(deposit(world, 'shop', 5n), dated('shop', 6n), withdraw('idle', 8_888n));
    await report();
    const later = await Promise.all(all(0n));
    for (const [index, answer] of (await Promise.all(all(position))).entries()) {
      expect({ ...answer, asOf: undefined }).toEqual({ ...earlier[index], asOf: undefined });
      expect(answer.asOf?.position).toBe(position);
      expect({ ...later[index], asOf: undefined }).not.toEqual({ ...earlier[index], asOf: undefined });
    }
    const beyond = await Promise.all(all(1_000_000n).map(failureOf));
    expect(new Set(beyond.map(({ reason }) => reason))).toEqual(new Set([ErrorReason.POSITION_OUT_OF_RANGE]));
  });

  test('of an unknown ledger is LEDGER_NOT_FOUND, of an empty one is empty', async () => {
    const ledgers = ['nowhere', 'empty'] as const;
    const asked = (ledgerId: string) => [
      trialBalance({ ledgerId }),
      volume({ ledgerId }),
      cashFlow({ ledgerId, accountId: '@settlement:EUR' }),
      rank({ ledgerId, rankBy: RankBy.COUNT }),
    ];
    for (const answer of asked(ledgers[0])) {
      expect(await failureOf(answer)).toMatchObject({ reason: ErrorReason.LEDGER_NOT_FOUND });
    }
    expect(await trialBalance({ ledgerId: 'empty' })).toMatchObject({
      rows: [],
      totals: [],
      nextPageToken: '',
    });
  });

  test('waits for what its caller has seen, and says so when it does not come', async () => {
    const events = await world.settle(deposit(world, 'user:bob', 5n));
    const consistency = { requirement: { case: 'fullyConsistent', value: true } } as const;
    expect(await failureOf(trialBalance({ consistency }, 120))).toMatchObject({
      reason: ErrorReason.READ_MODEL_BEHIND,
    });
    const waiting = trialBalance({ consistency }, 5_000);
    await report();
    expect((await waiting).asOf?.position).toBe(events.at(-1)?.position);
  });

  test('sums beyond int64 are exact', async () => {
    const amount = { currency: 'JPY', minorUnits: 999_999_999_999_999_999n };
    const [from, to] = ['a', 'b'];
    const open = (accountId: string): CommandInit => {
      const value = {
        ledgerId: 'wide',
        accountId,
        currency: 'JPY',
        type: AccountType.EQUITY,
        requestId: world.id(),
      };
      return { case: 'openAccount', value };
    };
    const post = (debit: string, credit: string): CommandInit => ({
      case: 'postTransaction',
      value: {
        ledgerId: 'wide',
        requestId: world.id(),
        entries: [
          { accountId: debit, direction: Direction.DEBIT, amount },
          { accountId: credit, direction: Direction.CREDIT, amount },
        ],
      },
    });
    await world.settle({ case: 'createLedger', value: { ledgerId: 'wide', requestId: world.id() } });
    await world.settle(open(from), open(to));
    for (let n = 0; n < 9; n++) await world.settle(post(from, to));
    await world.settle(open('c'), open('d'));
    for (let n = 0; n < 9; n++) await world.settle(post('c', 'd'));
    await report();
    const { rows } = await trialBalance({ ledgerId: 'wide' });
    expect(rows).toMatchObject([{ key: 'EQUITY', debits: '17999999999999999982', net: '0' }]);
  });
});
