/** The reports as PostgreSQL answers them. */
import type { AccountType } from '../../../../gen/quittance/common/v1/account_pb.js';
import type { DeclineReason, TransactionKind } from '../../../../gen/quittance/common/v1/transaction_pb.js';
import type { Pool } from '../../../log/postgres-client.js';
import { type CheckpointColumns, checkpointOf } from '../../stores/postgres/generations.js';
import type { Read } from '../../view.js';
import { ROLLUP_WIDTH } from '../fold.js';
import { cashFlowSql, declinesSql, rankSql, trialBalanceSql, volumeSql } from './sql/read.sql.js';
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
import { INT64_MAX, INT64_MIN } from '../../../base/bigints.js';

const INT32_MAX = 2n ** 31n - 1n;

/** Sums arrive as decimal text, int8 as bigint. */
type Numeric = string | bigint;

type MaybeCheckpoint = CheckpointColumns | { readonly [K in keyof CheckpointColumns]: null };

type ScopeOf = Pick<BucketQuery, 'partition' | 'ledgerId' | 'through' | 'currency'>;

/** @see ReportsView.trialBalance */
export async function readTrialBalance(
  pool: Pool,
  schema: string,
  query: TrialBalanceQuery,
): Promise<Read<TrialBalance>> {
  const { basis, groupBy, after, limit } = query;
  const bounds = [INT64_MIN, query.before ?? INT64_MAX];
  const read = await select<{
    part: 1 | 2;
    currency: string;
    key: string;
    type: AccountType;
    debits: Numeric;
    credits: Numeric;
  }>(pool, trialBalanceSql(schema, basis, groupBy), query, bounds, [
    after?.currency ?? '',
    after?.key ?? '',
    limit,
  ]);
  const sums = ({ debits, credits }: { debits: Numeric; credits: Numeric }) => ({
    debits: BigInt(debits),
    credits: BigInt(credits),
  });
  const rows = read.value
    .filter(({ part }) => part === 1)
    .map((row) => ({ currency: row.currency, key: row.key, type: row.type, ...sums(row) }));
  const totals = read.value
    .filter(({ part }) => part === 2)
    .map((row) => ({ currency: row.currency, ...sums(row) }));
  return { value: { rows, totals }, asOf: read.asOf };
}

/** @see ReportsView.volume */
export async function readVolume(
  pool: Pool,
  schema: string,
  query: BucketQuery,
): Promise<Read<readonly VolumeRow[]>> {
  const read = await select<{
    bucket: number;
    currency: string;
    kind: TransactionKind;
    count: Numeric;
    volume: Numeric;
  }>(pool, volumeSql(schema, query.basis), query, query.bounds);
  const value = read.value.map(({ bucket, currency, kind, count, volume }) => ({
    bucket,
    currency,
    kind,
    count: BigInt(count),
    volume: BigInt(volume),
  }));
  return { value, asOf: read.asOf };
}

/** @see ReportsView.declines */
export async function readDeclines(
  pool: Pool,
  schema: string,
  query: BucketQuery,
): Promise<Read<readonly DeclineRow[]>> {
  const read = await select<{
    bucket: number;
    currency: string;
    reason: DeclineReason;
    count: Numeric;
    volume: Numeric;
  }>(pool, declinesSql(schema), query, query.bounds);
  const value = read.value.map(({ bucket, currency, reason, count, volume }) => ({
    bucket,
    currency,
    reason,
    count: BigInt(count),
    volume: BigInt(volume),
  }));
  return { value, asOf: read.asOf };
}

/** @see ReportsView.cashFlow */
export async function readCashFlow(
  pool: Pool,
  schema: string,
  query: CashFlowQuery,
): Promise<Read<readonly CashFlowRow[]>> {
  const { accountId } = query;
  const read = await select<{
    bucket: number;
    currency: string;
    kind: TransactionKind;
    debits: Numeric;
    credits: Numeric;
  }>(
    pool,
    cashFlowSql(schema, query.basis, accountId !== null),
    query,
    query.bounds,
    accountId === null ? [] : [accountId],
  );
  const value = read.value.map(({ bucket, currency, kind, debits, credits }) => ({
    bucket,
    currency,
    kind,
    debits: BigInt(debits),
    credits: BigInt(credits),
  }));
  return { value, asOf: read.asOf };
}

/** @see ReportsView.rank */
export async function readRank(
  pool: Pool,
  schema: string,
  query: RankQuery,
): Promise<Read<readonly RankedRow[]>> {
  const read = await select<{ account_id: string; debits: Numeric; credits: Numeric; entries: Numeric }>(
    pool,
    rankSql(schema, query.basis, query.by),
    query,
    [query.from ?? INT64_MIN, query.to ?? INT64_MAX],
    [query.limit],
  );
  const value = read.value.map(({ account_id, debits, credits, entries }) => ({
    accountId: account_id,
    debits: BigInt(debits),
    credits: BigInt(credits),
    count: BigInt(entries),
  }));
  return { value, asOf: read.asOf };
}

/** Unnamed statements: a report is worth a plan for its own range. */
async function select<Row extends object>(
  pool: Pool,
  text: string,
  scope: ScopeOf,
  bounds: readonly bigint[],
  more: readonly unknown[] = [],
): Promise<Read<Row[]>> {
  const { partition, ledgerId, through, currency } = scope;
  const first = bounds[0] ?? INT64_MIN;
  const last = bounds.at(-1) ?? INT64_MAX;
  const { rows } = await pool.query<MaybeCheckpoint & { is_data: true | null } & Row>(text, [
    partition,
    ledgerId,
    through,
    `{${bounds.join(',')}}`,
    `{${cutBuckets(bounds).join(',')}}`,
    bucketOf(first),
    bucketOf(last - 1n),
    currency,
    ...more,
  ]);
  // An outer join fills with nulls: the data where there are none, the checkpoint where nothing was applied
  // yet.
  const value = rows.filter(({ is_data }) => is_data === true);
  return {
    value,
    asOf: checkpointOf(partition, rows.find(hasCheckpoint)),
  };
}

function hasCheckpoint<R extends MaybeCheckpoint>(row: R): row is R & CheckpointColumns {
  return row.checkpoint_offset !== null;
}

/**
 * The 15-minute buckets that a bound lies inside of. Nothing is dated before 1970 or beyond int4's buckets.
 */
function cutBuckets(bounds: readonly bigint[]): bigint[] {
  const cut = bounds.filter((bound) => bound > 0n && bound % ROLLUP_WIDTH !== 0n).map(bucketOf);
  return [...new Set(cut)].filter((bucket) => bucket < INT32_MAX);
}

/** -1n for all times before 1970. */
function bucketOf(time: bigint): bigint {
  if (time < 0n) return -1n;
  const bucket = time / ROLLUP_WIDTH;
  return bucket > INT32_MAX ? INT32_MAX : bucket;
}
