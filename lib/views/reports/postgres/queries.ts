/**
 * The reports as PostgreSQL answers them, in two steps: where the ledger stands, from one snapshot, with the
 * records that are in no sum yet; then the sealed sums up to there, added to those of the records.
 */
import type { Buffer } from 'node:buffer';
import { INT64_MAX, INT64_MIN } from '../../../base/bigints.js';
import type { Read } from '../../view.js';
import {
  type CashFlowColumns,
  cashFlowRow,
  type RankColumns,
  rankedRow,
  type TrialBalanceColumns,
  trialBalanceOf,
  type VolumeColumns,
  volumeRow,
} from '../answer-rows.js';
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
import { positionIntervals, timeIntervals } from './intervals.js';
import type { PackCursor } from './pack.js';
import { MovementSums, VolumeSums } from './single-sums.js';
import { takeSingles } from './singles.js';
import { cashFlowSql, declinesSql, rankSql, trialBalanceSql, volumeSql } from './sql/read.sql.js';
import { readStanding, type ReportStore, type Standing } from './standing.js';

type ScopeOf = Pick<BucketQuery, 'partition' | 'ledgerId' | 'through' | 'currency' | 'basis' | 'bounds'>;

/** Takes single records, and gives their sums as parameters. */
interface SingleSums {
  add(cursor: PackCursor, bucket: number): void;
  values(): Buffer[];
}

/** How one report is read. */
interface Report {
  readonly scope: ScopeOf;
  /** Only of this account; null: of all. */
  readonly accountId: string | null;
  readonly sums: (standing: Standing) => SingleSums;
  readonly text: string;
  /** Parameters after those that all reports have, but for effective time. */
  readonly times: (scope: ScopeOf) => readonly unknown[];
  /** Parameters at the end. */
  readonly more: (standing: Standing) => readonly unknown[];
}

/** @see ReportsView.trialBalance */
export async function readTrialBalance(
  store: ReportStore,
  query: TrialBalanceQuery,
): Promise<Read<TrialBalance>> {
  const { groupBy, after, limit } = query;
  const { value, asOf } = await select<TrialBalanceColumns>(store, {
    scope: { ...query, bounds: [INT64_MIN, query.before ?? INT64_MAX] },
    accountId: null,
    sums: () => new MovementSums(undefined),
    text: trialBalanceSql(store.schema, groupBy),
    times: timeValues,
    more: () => [after?.currency ?? '', after?.key ?? '', limit],
  });
  return { value: trialBalanceOf(value), asOf };
}

/** @see ReportsView.volume */
export async function readVolume(
  store: ReportStore,
  query: BucketQuery,
): Promise<Read<readonly VolumeRow[]>> {
  const { value, asOf } = await select<VolumeColumns>(store, {
    scope: query,
    accountId: null,
    sums: () => new VolumeSums('postings'),
    text: volumeSql(store.schema),
    times: timeValues,
    more: () => [],
  });
  return { value: value.map((row) => ({ ...volumeRow(row), kind: row.what })), asOf };
}

/** @see ReportsView.declines */
export async function readDeclines(
  store: ReportStore,
  query: BucketQuery,
): Promise<Read<readonly DeclineRow[]>> {
  const { value, asOf } = await select<VolumeColumns>(store, {
    scope: { ...query, basis: 'recorded' },
    accountId: null,
    sums: () => new VolumeSums('declines'),
    text: declinesSql(store.schema),
    times: () => [],
    more: () => [],
  });
  return { value: value.map((row) => ({ ...volumeRow(row), reason: row.what })), asOf };
}

/** @see ReportsView.cashFlow */
export async function readCashFlow(
  store: ReportStore,
  query: CashFlowQuery,
): Promise<Read<readonly CashFlowRow[]>> {
  const { accountId } = query;
  const { value, asOf } = await select<CashFlowColumns>(store, {
    scope: query,
    accountId,
    sums: ({ account }) => new MovementSums(account),
    text: cashFlowSql(store.schema, accountId !== null),
    times: timeValues,
    more: ({ account }) => (accountId === null ? [] : [account]),
  });
  return { value: value.map(cashFlowRow), asOf };
}

/** @see ReportsView.rank */
export async function readRank(store: ReportStore, query: RankQuery): Promise<Read<readonly RankedRow[]>> {
  const { value, asOf } = await select<RankColumns>(store, {
    scope: { ...query, bounds: [query.from ?? INT64_MIN, query.to ?? INT64_MAX] },
    accountId: null,
    sums: () => new MovementSums(undefined),
    text: rankSql(store.schema, query.by),
    times: timeValues,
    more: () => [query.limit],
  });
  return { value: value.map(rankedRow), asOf };
}

/** Unnamed statements: a report is worth a plan for its own range. */
async function select<Row extends object>(store: ReportStore, report: Report): Promise<Read<Row[]>> {
  const { scope, accountId } = report;
  const standing = await readStanding(store, { ...scope, accountId });
  const { asOf, ledger, account, sealed, segments } = standing;
  if (ledger === undefined || (accountId !== null && account === undefined)) return { value: [], asOf };
  const sums = report.sums(standing);
  await takeSingles(store, standing, scope, (cursor, bucket) => {
    sums.add(cursor, bucket);
  });
  const { edges, buckets } = positionIntervals(scope.bounds, segments, sealed);
  const values = [ledger, sealed, scope.currency, arrayOf(edges), arrayOf(buckets), ...sums.values()];
  const { rows } = await store.pool.query<Row>(report.text, [
    ...values,
    ...report.times(scope),
    ...report.more(standing),
  ]);
  return { value: rows, asOf };
}

/** How sums of transactions that are not dated when they were recorded are found. */
function timeValues({ basis, bounds }: ScopeOf): readonly unknown[] {
  const { edges, buckets } = timeIntervals(bounds);
  return [basis === 'recorded', arrayOf(edges), arrayOf(buckets)];
}

/** An array of numbers as text. */
function arrayOf(values: readonly (bigint | number)[]): string {
  return `{${values.join(',')}}`;
}
