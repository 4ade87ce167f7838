/** The statements of schedules. Each finds its rows by key or by an index. */

const columns = `
  s.ledger_id, s.schedule_id, s.request_id, s.request, s.exponent, s.actor, s.state, s.pause_reason, s.occurrence_time, s.attempt, s.is_begun,
  s.wake_time, s.upcoming, s.has_more, s.total, s.posted, s.declined, s.failed, s.skipped, s.version, s.create_time, s.update_time`;

/** $1 ledger  $2 schedule */
export const readSchedule = `
select ${columns} from schedules.schedules s where s.ledger_id = $1 and s.schedule_id = $2`;

/** $1 ledger  $2 request */
export const readByRequest = `
select ${columns} from schedules.schedules s where s.ledger_id = $1 and s.request_id = $2`;

/** $1 now  $2 limit. Without schedules it looks at one page of an index. */
export const readDue = `
select ${columns} from schedules.schedules s where s.wake_time <= $1 order by s.wake_time limit $2`;

/**
 * $1 ledger  $2 after  $3 limit  $4 state; null: any  $5 account; null: any  $6 schedules to look at, at most. There is always a row: if
 * none is found, the columns of its schedule are null.
 */
export const listSchedules = `
with looked as (
  select s.schedule_id, s.state, s.payer_account_id, s.payee_account_id from schedules.schedules s
  where s.ledger_id = $1 and s.schedule_id > $2 order by s.ledger_id, s.schedule_id limit $6
), found as (
  select l.schedule_id from looked l
  where ($4::smallint is null or l.state = $4) and ($5::text is null or $5 in (l.payer_account_id, l.payee_account_id))
  order by l.schedule_id limit $3
)
select ${columns}, (select count(*)::integer from looked) as looked, (select max(schedule_id) from looked) as last_looked
from (select 1) one
left join found f on true
left join schedules.schedules s on s.ledger_id = $1 and s.schedule_id = f.schedule_id
order by f.schedule_id`;

/**
 * $1 ledger  $2 schedule  $3 request  $4 request in canonical form  $5 payer  $6 payee  $7 actor  $8 occurrence  $9 upcoming  $10 has
 * more  $11 total  $12 now  $13 schedules of a ledger at most: two calls at the same time may make one more.  $14 exponent
 */
export const insertSchedule = `
insert into schedules.schedules
  (ledger_id, schedule_id, request_id, request, payer_account_id, payee_account_id, exponent, actor, state, occurrence_time, attempt, is_begun,
   wake_time, upcoming, has_more, total, posted, declined, failed, skipped, create_time, update_time)
select $1, $2, $3::uuid, $4::bytea, $5, $6, $14::smallint, $7, 1, $8::bigint, 1, false, $8::bigint, $9::bigint[], $10::boolean, $11::integer,
  0, 0, 0, 0, $12::bigint, $12::bigint
where (select count(*) from schedules.schedules where ledger_id = $1 and state <= 2) < $13
on conflict do nothing`;

/** $1 changes  $2 runs, as JSON. A run is kept only if its schedule was changed. */
export const saveChanges = `
with given as (
  select * from jsonb_to_recordset($1::jsonb) as g (
    ledger_id text, schedule_id text, version bigint, state smallint, pause_reason text, occurrence_time bigint, attempt integer,
    is_begun boolean, wake_time bigint, upcoming bigint[], has_more boolean, posted integer, declined integer, failed integer,
    skipped integer, update_time bigint
  )
), saved as (
  update schedules.schedules s
  set state = g.state, pause_reason = g.pause_reason, occurrence_time = g.occurrence_time, attempt = g.attempt, is_begun = g.is_begun,
    wake_time = g.wake_time, upcoming = g.upcoming, has_more = g.has_more, posted = g.posted, declined = g.declined, failed = g.failed,
    skipped = g.skipped, update_time = g.update_time, version = s.version + 1
  from given g
  where s.ledger_id = g.ledger_id and s.schedule_id = g.schedule_id and s.version = g.version
  returning s.ledger_id, s.schedule_id
), kept as (
  insert into schedules.runs
    (ledger_id, schedule_id, occurrence_time, attempt, outcome, transaction_id, reason, run_time, occurrences, last_occurrence_time)
  select r.ledger_id, r.schedule_id, r.occurrence_time, r.attempt, r.outcome, r.transaction_id, r.reason, r.run_time, r.occurrences,
    r.last_occurrence_time
  from jsonb_to_recordset($2::jsonb) as r (
    ledger_id text, schedule_id text, occurrence_time bigint, attempt integer, outcome smallint, transaction_id uuid, reason integer,
    run_time bigint, occurrences integer, last_occurrence_time bigint
  )
  join saved using (ledger_id, schedule_id)
  on conflict do nothing
)
select ledger_id, schedule_id from saved`;

/** $1 ledger  $2 schedule  $3 before this time  $4 and attempt  $5 limit */
export const listRuns = `
select r.occurrence_time, r.attempt, r.outcome, r.transaction_id, r.reason, r.run_time, r.occurrences, r.last_occurrence_time
from schedules.runs r
where r.ledger_id = $1 and r.schedule_id = $2 and (r.occurrence_time, r.attempt) < ($3::bigint, $4::integer)
order by r.ledger_id desc, r.schedule_id desc, r.occurrence_time desc, r.attempt desc limit $5`;

/** $1 now  $2 schedules to count, at most */
export const readTotals = `
with open as (select state from schedules.schedules where state <= 2 limit $2),
  due as (select wake_time from schedules.schedules where wake_time <= $1 order by wake_time limit $2)
select
  (select count(*)::integer from open where state = 1) as active,
  (select count(*)::integer from open where state = 2) as paused,
  (select count(*)::integer from due) as due,
  coalesce($1 - (select min(wake_time) from due), 0)::bigint as lag`;
