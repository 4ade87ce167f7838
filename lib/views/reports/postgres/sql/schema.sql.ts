/**
 * The tables of a generation, without its checkpoints.
 *
 * Postings and declines are kept packed, see pack.ts. A batch adds one pack (one per segment that it touches)
 * to the tail. A segment is what was recorded in one 15-minute bucket and in one run of 65,536 positions. Once
 * the checkpoint has left a segment it is sealed, in one transaction: its records go from the tail to packs of
 * one ledger each, their sums to the rollups, and it is entered in `segments`. Neither changes any more.
 *
 * So at any position P: the segments entered that end at or before P are in the rollups, and the few positions
 * after them are read from one segment's packs, or from the tail.
 *
 * Most transactions are dated when they are recorded. Their sums need no look-up by effective time: within
 * what is sealed, such a time is a position. The others, "off time", have rollup rows of their own, with an
 * index by effective time that holds nothing else, and a second copy of their records by effective time.
 */
export const schemaSql = (schema: string): string => rowTables(schema) + rollupTables(schema);

const rowTables = (schema: string): string => `
create table ${schema}.ledgers (
  ledger int generated always as identity primary key,
  partition int not null,
  ledger_id text collate "C" not null unique
);
create table ${schema}.accounts (
  account int generated always as identity primary key,
  ledger int not null,
  account_id text collate "C" not null,
  type smallint not null,
  currency text collate "C" not null,
  unique (ledger, account_id)
);
-- Of all ledgers of the partition; through is the position of the last record, to_time when it was recorded.
create table ${schema}.tail (
  partition int not null,
  recorded_bucket int not null,
  through bigint not null,
  to_time bigint not null,
  rows bytea not null,
  primary key (partition, through)
);
-- Of sealed segments. A pack belongs to one segment, and goes on after the one before it.
create table ${schema}.packs (
  ledger int not null,
  through bigint not null,
  rows bytea not null,
  primary key (ledger, through)
);
-- The records off time of sealed segments again, by the 15 minutes that they are dated in.
create table ${schema}.off_time_packs (
  ledger int not null,
  effective_bucket int not null,
  through bigint not null,
  rows bytea not null,
  primary key (ledger, effective_bucket, through)
);
-- Packs hold mostly digits that differ: to compress them took 85% of the time of a write (measured).
alter table ${schema}.tail alter column rows set storage external;
alter table ${schema}.packs alter column rows set storage external;
alter table ${schema}.off_time_packs alter column rows set storage external;
`;

const rollupTables = (schema: string): string => `
-- The segments that are sealed: the positions in (after, through]; when their first and last records were recorded, UTC microseconds.
create table ${schema}.segments (
  partition int not null,
  through bigint not null,
  after bigint not null,
  from_time bigint not null,
  to_time bigint not null,
  recorded_bucket int not null,
  primary key (partition, through)
);
create index segments_time on ${schema}.segments (partition, to_time);
create index segments_recorded on ${schema}.segments (partition, recorded_bucket, through);
-- In the rollups, position is that of the last event summed up, and tells the segment; a bucket is a number of 15 minutes since 1970.
-- A sum beyond int64 takes several rows.
create table ${schema}.entry_rollup (
  position bigint not null,
  debits bigint not null,
  credits bigint not null,
  entries bigint not null,
  ledger int not null,
  account int not null,
  effective_bucket int not null,
  recorded_bucket int not null,
  kind smallint not null,
  on_time boolean not null
);
create index entry_rollup_position on ${schema}.entry_rollup (ledger, position);
create index entry_rollup_off_time on ${schema}.entry_rollup (ledger, effective_bucket) where not on_time;
create index entry_rollup_account on ${schema}.entry_rollup (account, position);
create table ${schema}.volume_rollup (
  position bigint not null,
  principal bigint not null,
  transactions bigint not null,
  ledger int not null,
  effective_bucket int not null,
  recorded_bucket int not null,
  kind smallint not null,
  on_time boolean not null,
  currency text collate "C" not null
);
create index volume_rollup_position on ${schema}.volume_rollup (ledger, position);
create index volume_rollup_off_time on ${schema}.volume_rollup (ledger, effective_bucket) where not on_time;
create table ${schema}.decline_rollup (
  position bigint not null,
  principal bigint not null,
  declines bigint not null,
  ledger int not null,
  effective_bucket int not null,
  recorded_bucket int not null,
  reason smallint not null,
  on_time boolean not null,
  currency text collate "C" not null
);
create index decline_rollup_position on ${schema}.decline_rollup (ledger, position);
`;
