/** The reports as ClickHouse answers them. */
import type { AccountType } from '../../../../gen/quittance/common/v1/account_pb.js';
import type { ClickHouseCheckpoints } from '../../stores/clickhouse/checkpoints.js';
import type { ClickHouse, Parameters } from '../../stores/clickhouse/client.js';
import type { Read } from '../../view.js';
import { ROLLUP_WIDTH } from '../fold.js';
import { cashFlowSql, rankSql, type ReportTables, trialBalanceSql, volumeSql } from './sql/read.sql.js';
import { CHUNK } from './sql/schema.sql.js';
import type {
  BucketQuery,
  CashFlowQuery,
  CashFlowRow,
  DeclineRow,
  RankedRow,
  RankQuery,
  TrialBalance,
  TrialBalanceQuery,
  VolumeRow,
} from '../view.js';
import { smallerOf, INT64_MAX, INT64_MIN } from '../../../base/bigints.js';

const INT32_MAX = 2n ** 31n - 1n;

export interface ReportStore {
  readonly store: ClickHouse;
  readonly checkpoints: ClickHouseCheckpoints;
  readonly tables: ReportTables;
}

type ScopeOf = Pick<BucketQuery, 'partition' | 'ledgerId' | 'through' | 'currency'>;

/** @see ReportsView.trialBalance */
export async function readTrialBalance(
  store: ReportStore,
  query: TrialBalanceQuery,
): Promise<Read<TrialBalance>> {
  const { basis, groupBy, after, limit } = query;
  const read = await select<{
    row_currency: string;
    row_key: string;
    row_type: AccountType;
    total: 0 | 1;
    debits_text: string;
    credits_text: string;
  }>(
    store,
    (isCut) => trialBalanceSql(store.tables, basis, groupBy, isCut),
    query,
    [INT64_MIN, query.before ?? INT64_MAX],
    { after_currency: after?.currency ?? '', after_key: after?.key ?? '', limit },
  );
  const sums = (row: { debits_text: string; credits_text: string }) => ({
    debits: BigInt(row.debits_text),
    credits: BigInt(row.credits_text),
  });
  const rows = read.value
    .filter(({ total }) => total === 0)
    .map((row) => ({ currency: row.row_currency, key: row.row_key, type: row.row_type, ...sums(row) }));
  const totals = read.value
    .filter(({ total }) => total === 1)
    .map((row) => ({ currency: row.row_currency, ...sums(row) }));
  return { value: { rows, totals }, asOf: read.asOf };
}

/** @see ReportsView.volume */
export async function readVolume(
  store: ReportStore,
  query: BucketQuery,
): Promise<Read<readonly VolumeRow[]>> {
  const { value, asOf } = await readVolumes(store, query, query.basis, 'kind');
  return { value: value.map(({ what, ...row }) => ({ ...row, kind: what })), asOf };
}

/** @see ReportsView.declines */
export async function readDeclines(
  store: ReportStore,
  query: BucketQuery,
): Promise<Read<readonly DeclineRow[]>> {
  const { value, asOf } = await readVolumes(store, query, 'recorded', 'reason');
  return { value: value.map(({ what, ...row }) => ({ ...row, reason: what })), asOf };
}

async function readVolumes(
  store: ReportStore,
  query: BucketQuery,
  basis: BucketQuery['basis'],
  by: 'kind' | 'reason',
) {
  const read = await select<{
    start: string;
    row_currency: string;
    what: number;
    count_text: string;
    volume_text: string;
  }>(store, (isCut) => volumeSql(store.tables, basis, by, isCut), query, query.bounds);
  const bucketAt = indexOfBounds(query.bounds);
  const value = read.value.map((row) => ({
    bucket: bucketAt(row.start),
    currency: row.row_currency,
    what: row.what,
    count: BigInt(row.count_text),
    volume: BigInt(row.volume_text),
  }));
  return { value, asOf: read.asOf };
}

/** @see ReportsView.cashFlow */
export async function readCashFlow(
  store: ReportStore,
  query: CashFlowQuery,
): Promise<Read<readonly CashFlowRow[]>> {
  const { accountId, basis } = query;
  const read = await select<{
    start: string;
    row_currency: string;
    kind: number;
    debits_text: string;
    credits_text: string;
  }>(
    store,
    (isCut) => cashFlowSql(store.tables, basis, accountId !== null, isCut),
    query,
    query.bounds,
    accountId === null ? {} : { account: accountId },
  );
  const bucketAt = indexOfBounds(query.bounds);
  const value = read.value.map((row) => ({
    bucket: bucketAt(row.start),
    currency: row.row_currency,
    kind: row.kind,
    debits: BigInt(row.debits_text),
    credits: BigInt(row.credits_text),
  }));
  return { value, asOf: read.asOf };
}

/** @see ReportsView.rank */
export async function readRank(store: ReportStore, query: RankQuery): Promise<Read<readonly RankedRow[]>> {
  const read = await select<{
    account_id: string;
    debits_text: string;
    credits_text: string;
    entries_text: string;
  }>(
    store,
    (isCut) => rankSql(store.tables, query.basis, query.by, isCut),
    query,
    [query.from ?? INT64_MIN, query.to ?? INT64_MAX],
    { limit: query.limit },
  );
  const value = read.value.map((row) => ({
    accountId: row.account_id,
    debits: BigInt(row.debits_text),
    credits: BigInt(row.credits_text),
    count: BigInt(row.entries_text),
  }));
  return { value, asOf: read.asOf };
}

/** The checkpoint first, then the data up to it: what is at or before a checkpoint was there before it. */
async function select<Row>(
  { store, checkpoints }: ReportStore,
  sql: (isCut: boolean) => string,
  scope: ScopeOf,
  bounds: readonly bigint[],
  more: Parameters = {},
): Promise<Read<Row[]>> {
  const { partition, ledgerId, currency } = scope;
  const { checkpoint, sealed: lastSealed } = (await checkpoints.read()).of(partition);
  const through = smallerOf(scope.through ?? checkpoint.position, checkpoint.position);
  if (through < 0n) return { value: [], asOf: checkpoint };
  const sealed = smallerOf(lastSealed, (through + 1n) / CHUNK - 1n);
  const first = bounds[0] ?? INT64_MIN;
  const last = bounds.at(-1) ?? INT64_MAX;
  const cut = cutBuckets(bounds);
  const value = await store.select<Row>(sql(cut.length > 0), {
    ledger: ledgerId,
    currency,
    through,
    sealed,
    bounds,
    cut,
    tail: (sealed + 1n) * CHUNK - 1n,
    first: bucketOf(first),
    last: bucketOf(last - 1n),
    ...more,
  });
  return { value, asOf: checkpoint };
}

/** Which bucket begins with a bound. */
function indexOfBounds(bounds: readonly bigint[]): (start: string) => number {
  const indexes = new Map(bounds.map((bound, index) => [String(bound), index]));
  return (start) => {
    const index = indexes.get(start);
    if (index === undefined) throw new Error('ClickHouse found a bucket that was not asked for');
    return index;
  };
}

/**
 * The 15-minute buckets that a bound lies inside of. Nothing is dated before 1970 or beyond Int32's buckets.
 */
function cutBuckets(bounds: readonly bigint[]): bigint[] {
  const cut = bounds.filter((bound) => bound > 0n && bound % ROLLUP_WIDTH !== 0n).map(bucketOf);
  return [...new Set(cut)].filter((bucket) => bucket < INT32_MAX);
}

/** -1n for all times before 1970. */
function bucketOf(time: bigint): bigint {
  if (time < 0n) return -1n;
  return smallerOf(time / ROLLUP_WIDTH, INT32_MAX);
}
