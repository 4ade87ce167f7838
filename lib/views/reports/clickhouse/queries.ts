/** The reports as ClickHouse answers them. */
import type { AccountType } from '../../../../gen/quittance/common/v1/account_pb.js';
import type { ClickHouseCheckpoints } from '../../stores/clickhouse/checkpoints.js';
import type { ClickHouse, Parameters } from '../../stores/clickhouse/client.js';
import type { Read } from '../../view.js';
import { cashFlowRow, rankedRow, trialBalanceOf, volumeRow } from '../answer-rows.js';
import { bucketsOf } from '../time-buckets.js';
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
  const rows = read.value.map((row) => ({
    part: row.total === 0 ? (1 as const) : (2 as const),
    currency: row.row_currency,
    key: row.row_key,
    type: row.row_type,
    ...sidesOf(row),
  }));
  return { value: trialBalanceOf(rows), asOf: read.asOf };
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
  const value = read.value.map((row) => {
    const { what, row_currency: currency, count_text: count, volume_text: volume } = row;
    const found = volumeRow({ bucket: bucketAt(row.start), currency, what, count, volume });
    return { ...found, what };
  });
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
  const value = read.value.map((row) => {
    const { kind, row_currency: currency } = row;
    return cashFlowRow({ bucket: bucketAt(row.start), currency, kind, ...sidesOf(row) });
  });
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
  const value = read.value.map(({ account_id, entries_text: entries, ...sides }) =>
    rankedRow({ account_id, entries, ...sidesOf(sides) }),
  );
  return { value, asOf: read.asOf };
}

/** ClickHouse must not take the name of a column for the name of its text. */
function sidesOf(row: { readonly debits_text: string; readonly credits_text: string }) {
  return { debits: row.debits_text, credits: row.credits_text };
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
  const { cut, first, last } = bucketsOf(bounds);
  const value = await store.select<Row>(sql(cut.length > 0), {
    ledger: ledgerId,
    currency,
    through,
    sealed,
    bounds,
    cut,
    tail: (sealed + 1n) * CHUNK - 1n,
    first,
    last,
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
