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
  expect(reportQueryService(context).methods).toHaveLength(5);
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

describe('every report', () => {
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
