/**
 * The registry of generations and the checkpoints of each, in ClickHouse. There are no transactions and no
 * unique keys: both tables are only ever added to, in ways in which the order of two writers does not matter.
 */

export const createDatabaseSql = (database: string): string =>
  `create database if not exists \`${database}\``;

/** What happened to each generation, the last of it being the greatest. */
export const createRegistrySql = (registry: string): string => `
create table if not exists ${registry} (
  view LowCardinality(String),
  generation UInt32,
  -- 1 its tables are there, 2 it is dropped, for ever
  state UInt8,
  time DateTime default now()
) engine = MergeTree order by (view, generation)`;

/** Which generation serves: the one of the greatest turn. */
export const createPointersSql = (pointers: string): string => `
create table if not exists ${pointers} (
  view LowCardinality(String),
  turn UInt64,
  generation UInt32,
  time DateTime default now()
) engine = MergeTree order by (view, turn)`;

export const generationsSql = (registry: string): string => `
select generation, max(state) as last_state from ${registry} where view = {view:String}
group by generation order by generation`;

/** Where two processes switch in the same turn, the later generation serves. */
export const servingSql = (pointers: string): string => `
select generation, turn from ${pointers} where view = {view:String} order by turn desc, generation desc limit 1`;

/**
 * Every column is the greatest of all that was ever written of a partition: whatever the order in which
 * writers come, none takes a checkpoint back. Old rows are merged away. sealed is what the view makes of it,
 * -1 for none.
 *
 * Rows are few and inserts many: what merges have replaced is removed soon, not after the default of 8
 * minutes.
 */
export const createCheckpointsSql = (table: string): string => `
create table ${table} (
  partition UInt16,
  event_offset SimpleAggregateFunction(max, Int64),
  point SimpleAggregateFunction(max, Tuple(position Int64, epoch UInt32, recorded_time Int64, hash String)),
  sealed SimpleAggregateFunction(max, Int64),
  -- The version of what is parked; 0: nothing ever was
  parked SimpleAggregateFunction(max, UInt32)
) engine = AggregatingMergeTree order by partition
settings old_parts_lifetime = 10`;

/** Without parameters, of all partitions: waiting readers poll it, and share the answer. */
export const readCheckpointsSql = (table: string): string => `
select partition, max(event_offset) as last_offset, max(point) as last_point, max(sealed) as last_sealed,
  max(parked) as last_parked
from ${table} group by partition`;

/**
 * The dead letters. Rows are only added: that a letter is removed is one more row, which holds for ever, and of the
 * others that of most tries counts.
 */
export const createLettersSql = (table: string): string => `
create table if not exists ${table} (
  partition UInt16,
  position Int64,
  ledger_id String,
  tries UInt32,
  removed UInt8,
  letter String
) engine = MergeTree order by (partition, position)`;

const openLetters = (table: string, where: string): string => `
  select partition, position, any(ledger_id) as ledger, argMax(letter, tries) as text
  from ${table} ${where} group by partition, position having max(removed) = 0`;

/** Of each partition and ledger how many letters there are, and the first. */
export const parkedLedgersSql = (table: string): string => `
select partition, toUInt32(count()) as letters, argMin(text, position) as first_letter
from (${openLetters(table, '')}) group by partition, ledger`;

/** The letters of a partition. */
export const lettersSql = (table: string): string =>
  `select text from (${openLetters(table, 'where partition = {partition:UInt16}')}) order by position`;

/** The tables of some generations of a view that are there. */
export const tablesSql = `
select name from system.tables
where database = {database:String} and startsWith(name, concat({view:String}, '_'))
  and toUInt32OrZero(splitByChar('_', name)[2]) in {dropped:Array(UInt32)}`;
