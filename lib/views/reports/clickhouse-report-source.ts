/** What reports in ClickHouse are made of: rollups of sealed chunks, and the facts after them. */
import type { ClickHouseClient } from '../clickhouse-client.js';
import { CHUNK_POSITIONS } from './clickhouse-report-schema.js';
import { ROLLUP_WIDTH } from './fold.js';
import type { TimeBasis } from './view.js';

/** A generation in its store. */
export interface Place {
  readonly client: ClickHouseClient;
  /** Of the tables. */
  readonly prefix: string;
}

const WIDTH = String(ROLLUP_WIDTH);

/** Not `greatest`, which takes an Int128 below zero for a large one (26.7). */
export const DEBITS = 'if(amount < 0, -amount, toInt128(0))';
export const CREDITS = 'if(amount > 0, amount, toInt128(0))';

/** Which facts count, and which of them are read from rollups. */
export interface Span {
  readonly through: bigint;
  /** Chunks before this one are read from rollups. */
  readonly chunks: bigint;
}

/** What counts up to a position: whole chunks that are sealed, then facts. */
export function spanOf(through: bigint, sealed: bigint): Span {
  const whole = (through + 1n) / CHUNK_POSITIONS;
  return { through, chunks: whole < sealed ? whole : sealed };
}

/**
 * Facts of one kind and rollups of them, as rows of the same shape: `{ledger}`, `{fact}`, `{through}`, `{chunks}`, `{positions}`
 * (the first position that is in no chunk), `{cut}` (buckets that a bound lies inside of, which facts are read of).
 */
export function sourceSql(prefix: string, basis: TimeBasis): string {
  const width = `toInt64(${WIDTH})`;
  return `
SELECT account_id, type, currency, kind, position, effective_bucket, recorded_bucket,
  ${basis}_bucket * ${width} AS time, debits, credits, n
FROM ${prefix}_rollups FINAL
WHERE ledger_id = {ledger:String} AND fact = {fact:UInt8} AND chunk < {chunks:Int64}
  AND NOT has({cut:Array(Int64)}, ${basis}_bucket)
UNION ALL
SELECT account_id, type, currency, kind, position, intDiv(effective_time, ${width}) AS effective_bucket,
  intDiv(recorded_time, ${width}) AS recorded_bucket, ${basis}_time AS time,
  ${DEBITS} AS debits, ${CREDITS} AS credits, toUInt64(1) AS n
FROM ${prefix}_facts FINAL
WHERE ledger_id = {ledger:String} AND fact = {fact:UInt8} AND position <= {through:Int64}
  AND (position >= {positions:Int64} OR has({cut:Array(Int64)}, intDiv(${basis}_time, ${width})))`;
}

/** The parameters of a source besides ledger and fact. */
export function sourceParams({ through, chunks }: Span, bounds: readonly bigint[]) {
  return { through, chunks, positions: chunks * CHUNK_POSITIONS, cut: cutBuckets(bounds) };
}

function cutBuckets(bounds: readonly bigint[]): bigint[] {
  const cut = bounds
    .filter((bound) => bound > 0n && bound % ROLLUP_WIDTH !== 0n)
    .map((bound) => bound / ROLLUP_WIDTH);
  return [...new Set(cut)];
}
