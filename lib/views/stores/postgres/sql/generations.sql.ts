/**
 * The registry of generations (schema `views`) and the checkpoint table of each. Schema names come from the
 * code, never from a caller.
 */

/** Processes that create, switch or drop a generation go one after the other. The number is arbitrary. */
export const lockRegistry = `select pg_advisory_xact_lock(7190532)`;

export const createRegistry = `
create schema if not exists views;
create table if not exists views.generations (
  view text not null,
  generation integer not null,
  -- UTC microseconds
  created_time bigint not null,
  serving boolean not null,
  -- A dropped one keeps its row, so that its number is never given again while a reader still has it.
  dropped boolean not null default false,
  primary key (view, generation)
)`;

/** $1 view */
export const servingGeneration = `
select generation from views.generations where view = $1 and serving`;

/** $1 view */
export const listGenerations = `
select generation from views.generations where view = $1 and not dropped order by generation`;

/** $1 view, $2 serving */
export const addGeneration = `
insert into views.generations (view, generation, created_time, serving)
select $1, coalesce(max(generation), 0) + 1, (extract(epoch from clock_timestamp()) * 1000000)::bigint, $2
from views.generations where view = $1
returning generation`;

/** $1 schema */
export const listTables = `
select format('%I.%I', schemaname, tablename) as table from pg_tables where schemaname = $1 order by tablename`;

/** $1 view, $2 generation; one statement, so that readers see the one or the other. */
export const switchTo = `
update views.generations set serving = (generation = $2)
where view = $1 and (serving or generation = $2)
  and exists (select from views.generations where view = $1 and generation = $2 and not dropped)`;

/** $1 view, $2 generation */
export const removeGeneration = `
update views.generations set dropped = true
where view = $1 and generation = $2 and not serving and not dropped`;

export const dropSchema = (schema: string): string => `drop schema if exists ${schema} cascade`;

export const createCheckpoint = (schema: string): string => `
create schema ${schema};
create table ${schema}.checkpoint (
  partition integer primary key,
  event_offset bigint not null,
  epoch integer not null,
  position bigint not null,
  hash bytea not null,
  -- UTC microseconds
  recorded_time bigint not null,
  -- What before the position is not applied: see views/parked/parked.ts; empty if nothing ever was
  parked text not null default ''
) with (fillfactor = 20);
create table ${schema}.dead_letters (
  partition integer not null,
  position bigint not null,
  letter text not null,
  primary key (partition, position)
)`;

/** Under names that do not collide with data read in the same row. Of the table alias `c`. */
export const checkpointColumns = `
c.event_offset as checkpoint_offset, c.epoch as checkpoint_epoch, c.position as checkpoint_position,
c.hash as checkpoint_hash, c.recorded_time as checkpoint_time, c.parked as checkpoint_parked`;

/** $1 partition */
export const readCheckpoint = (schema: string): string => `
select ${checkpointColumns} from ${schema}.checkpoint c where c.partition = $1`;

/** $1 partition; who writes the partition waits. */
export const lockCheckpoint = (schema: string): string => `
${readCheckpoint(schema)} for update`;

/** The parked events of a partition, from one snapshot with its checkpoint: $1 partition */
export const readDeadLetters = (schema: string): string => `
select ${checkpointColumns}, d.letter from ${schema}.checkpoint c
left join ${schema}.dead_letters d on d.partition = c.partition
where c.partition = $1 order by d.position`;

/** $1 partition */
export const insertCheckpoint = (schema: string): string => `
insert into ${schema}.checkpoint (partition, event_offset, epoch, position, hash, recorded_time)
values ($1, -1, 0, -1, '', 0) on conflict (partition) do nothing`;
