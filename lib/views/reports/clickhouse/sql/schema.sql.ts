/**
 * The tables of a generation in ClickHouse, beside its checkpoints.
 *
 * `entries` has one row per entry of each posted transaction; and one for each declined transaction, with a
 * reason and without an account. What is delivered twice is there twice until it is merged, and therefore
 * read with FINAL: rows of a key are always the same, but for those of a history that was lost, which give
 * way to the later epoch.
 *
 * `rollup` is written once: the sums of a chunk of positions, made when the checkpoint is past it and perhaps
 * made twice. A chunk counts for readers when the checkpoints say that it is sealed.
 *
 * Data is on the disk before its checkpoint is written, after which the bus does not bring it again: hence
 * fsync. And since merged parts are on the disk as well, those they were made of need not be kept for long.
 */
import { ROLLUP_WIDTH } from '../../fold.js';

/** How many positions a chunk of the rollup has. */
export const CHUNK = 100_000n;

const DURABLE = `settings fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1,
  old_parts_lifetime = 60`;

/** A bucket is a number of 15 minutes since 1970, a time is of UTC microseconds. */
export const bucketOf = (time: string): string => `toInt32(intDiv(${time}, ${ROLLUP_WIDTH}))`;

export const createEntriesSql = (table: string): string => `
create table if not exists ${table} (
  partition UInt16,
  ledger_id String,
  position Int64 codec(Delta, ZSTD),
  -- Its index in the transaction.
  entry UInt16,
  epoch UInt32,
  account_id String,
  type UInt8,
  currency LowCardinality(String),
  kind UInt8,
  -- Why it was declined; 0: it was posted.
  reason UInt8,
  -- Above zero a credit, below zero a debit.
  amount Int64,
  -- What the transaction moved in this currency, or was to move: on the first entry of each currency, where transactions is 1.
  principal Int128,
  transactions UInt8,
  effective_time Int64 codec(Delta, ZSTD),
  recorded_time Int64 codec(Delta, ZSTD),
  index positions position type minmax granularity 1,
  index effective_times effective_time type minmax granularity 1,
  index recorded_times recorded_time type minmax granularity 1
) engine = ReplacingMergeTree(epoch)
partition by toYYYYMM(fromUnixTimestamp64Micro(recorded_time, 'UTC'))
order by (ledger_id, position, entry)
${DURABLE}`;

export const createRollupSql = (table: string): string => `
create table if not exists ${table} (
  ledger_id String,
  recorded_bucket Int32,
  effective_bucket Int32,
  account_id String,
  currency LowCardinality(String),
  kind UInt8,
  reason UInt8,
  -- position divided by ${CHUNK}
  chunk Int64,
  type UInt8,
  -- Of the last event summed up.
  position Int64,
  debits Int128,
  credits Int128,
  entries UInt64,
  principal Int128,
  transactions UInt64,
  index effective_buckets effective_bucket type minmax granularity 1
) engine = ReplacingMergeTree
partition by toYYYYMM(fromUnixTimestamp64Micro(toInt64(recorded_bucket) * ${ROLLUP_WIDTH}, 'UTC'))
order by (ledger_id, recorded_bucket, effective_bucket, account_id, currency, kind, reason, chunk)
${DURABLE}`;

/**
 * Sums up the chunks from `first` through `last` of some partitions, which must be past them. Whichever
 * process does it, and however often, comes to the same rows.
 */
export const sealSql = (rollup: string, entries: string): string => `
insert into ${rollup} (ledger_id, recorded_bucket, effective_bucket, account_id, currency, kind, reason, chunk, type, position,
  debits, credits, entries, principal, transactions)
select ledger_id, ${bucketOf('e.recorded_time')} as recorded_bucket, ${bucketOf('e.effective_time')} as effective_bucket,
  account_id, currency, kind, reason, intDiv(e.position, ${CHUNK}) as chunk, any(e.type), max(e.position),
  ${debitsOf('e')}, ${creditsOf('e')}, countIf(e.reason = 0), sum(e.principal), sum(e.transactions)
from ${entries} as e final
where e.position between {first:Int64} * ${CHUNK} and {last:Int64} * ${CHUNK} + ${CHUNK - 1n} and e.partition in {partitions:Array(UInt16)}
group by ledger_id, recorded_bucket, effective_bucket, account_id, currency, kind, reason, chunk`;

/** Sums of Int64 are Int64, and go round. */
function debitsOf(alias: string): string {
  return `sumIf(-toInt128(${alias}.amount), ${alias}.amount < 0)`;
}

function creditsOf(alias: string): string {
  return `sumIf(toInt128(${alias}.amount), ${alias}.amount > 0)`;
}

/** Of a history that was lost: what another epoch wrote at or after the position where a later one began. */
export const lostSql = (entries: string): string => `
select max(position) as last from ${entries}
where partition = {partition:UInt16} and position >= {start:Int64} and epoch < {epoch:UInt32} having count() > 0`;
