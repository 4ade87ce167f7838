/**
 * The tables of the projector's control. Times are the database's, so that clocks of processes need not
 * agree.
 */

/** Processes that start at once migrate one after the other. The number is arbitrary. */
export const createControl = `
select pg_advisory_xact_lock(7190533);
create schema if not exists projector;
create table if not exists projector.control (
  view text primary key,
  paused boolean not null default false,
  resumes integer not null default 0,
  -- A RebuildStatus, its bigints as texts
  rebuild jsonb,
  -- Who may make and drop generations, until when
  holder uuid,
  held_until timestamptz
);
create table if not exists projector.runs (
  process uuid not null,
  view text not null,
  failure text,
  seen_time timestamptz not null,
  primary key (process, view)
)`;

/** $1 this process. A report older than 5 s does not count. */
export const readControl = `
select c.view, c.paused, c.resumes, c.rebuild, coalesce(c.held_until > clock_timestamp(), false) as held,
  (select min(r.failure) from projector.runs r
   where r.view = c.view and r.process <> $1 and r.seen_time > clock_timestamp() - interval '5 s') as failure
from projector.control c`;

/** $1 views */
export const insertControl = `
insert into projector.control (view) select unnest($1::text[]) on conflict (view) do nothing`;

/** $1 view, $2 paused */
export const setPaused = `
update projector.control set paused = $2, resumes = resumes + case when $2 then 0 else 1 end where view = $1`;

/** $1 view, $2 status */
export const saveRebuild = `update projector.control set rebuild = $2 where view = $1`;

/** $1 view, $2 holder, $3 milliseconds */
export const acquireLease = `
update projector.control set holder = $2, held_until = clock_timestamp() + $3 * interval '1 ms'
where view = $1 and (holder is null or holder = $2 or held_until < clock_timestamp())`;

/** $1 view, $2 holder, $3 milliseconds; nothing if the lease was lost. */
export const renewLease = `
update projector.control set held_until = clock_timestamp() + $3 * interval '1 ms'
where view = $1 and holder = $2 and held_until > clock_timestamp()`;

/** $1 view, $2 holder */
export const releaseLease = `
update projector.control set holder = null, held_until = null where view = $1 and holder = $2`;

/** $1 process, $2 views, $3 failures (null: none); deletes reports older than a minute. */
export const reportRuns = `
with gone as (delete from projector.runs where seen_time < clock_timestamp() - interval '1 min')
insert into projector.runs (process, view, failure, seen_time)
select $1, view, failure, clock_timestamp() from unnest($2::text[], $3::text[]) as u (view, failure)
on conflict (process, view) do update set failure = excluded.failure, seen_time = excluded.seen_time`;

/** $1 process */
export const forgetRuns = `delete from projector.runs where process = $1`;
