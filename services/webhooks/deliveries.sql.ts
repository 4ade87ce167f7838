/**
 * The statements of the deliveries. A webhook is served by the process that has its lease; each statement about one that is served
 * names holder and version, and does nothing where another process has taken it or a call has changed it. A place that a crash of the
 * database forgets is only sent again: nothing waits for the disk.
 */
import { lastOfLedger } from './webhooks.sql.js';

const UNHURRIED = `unhurried as (select set_config('synchronous_commit', 'off', true))`;

/** $1 ledger  $2 webhook  $3 holder  $4 version */
const CLAIMED = `e.ledger_id = $1 and e.webhook_id = $2 and e.holder = $3 and e.version = $4 and not e.is_paused`;

export const hasActive = `select exists (select from webhooks.endpoints where not is_paused) as is_there`;

/**
 * $1 holder  $2 limit  $3 duration of the lease, milliseconds. A webhook is taken if its ledger has an event beyond its place, if
 * something is to be sent once more, or if a new epoch of the log has begun.
 */
export const claimWebhooks = `
with due as materialized (
  select e.ledger_id, e.webhook_id
  from webhooks.endpoints e
  cross join lateral (select epoch from log.flushes order by first desc limit 1) head
  where not e.is_paused and e.next_time <= clock_timestamp()
    and (e.lease_expire_time is null or e.lease_expire_time <= clock_timestamp())
    and (
      e.position < ${lastOfLedger}
      or e.epoch <> head.epoch
      or exists (
        select from webhooks.deliveries d
        where d.ledger_id = e.ledger_id and d.webhook_id = e.webhook_id and d.state = 3
      )
    )
  order by e.served_time
  limit $2
  for update of e skip locked
)
update webhooks.endpoints e
set holder = $1, lease_expire_time = clock_timestamp() + $3 * interval '1 millisecond', served_time = clock_timestamp()
from due
where e.ledger_id = due.ledger_id and e.webhook_id = due.webhook_id
returning e.ledger_id, e.webhook_id, e.version, e.url, e.kinds, e.account_ids, e.epoch, e.position, e.secret,
  case when e.previous_secret_expire_time > clock_timestamp() then e.previous_secret end as previous_secret,
  exists (
    select from webhooks.deliveries d
    where d.ledger_id = e.ledger_id and d.webhook_id = e.webhook_id and d.state = 3
  ) as has_requested,
  (
    select array[d.position, d.attempts] from webhooks.deliveries d
    where d.ledger_id = e.ledger_id and d.webhook_id = e.webhook_id and d.state = 1
  )::text[] as retrying`;

/**
 * $1 to $4 the claim  $5 position  $6 the position of the event that was delivered; null: none
 * $7 duration of the lease, milliseconds
 */
export const moveWebhook = `
with ${UNHURRIED}, moved as (
  update webhooks.endpoints e
  set position = greatest(e.position, $5::bigint), lease_expire_time = clock_timestamp() + $7 * interval '1 millisecond'
  from unhurried
  where ${CLAIMED}
  returning e.ledger_id, e.webhook_id
), settled as (
  delete from webhooks.deliveries d using moved m
  where d.ledger_id = m.ledger_id and d.webhook_id = m.webhook_id
    and (d.position = $6::bigint or (d.state = 1 and d.position <= $5::bigint))
)
select 1 from moved`;

/**
 * $1 to $4 the claim  $5 the position of the event  $6 its id  $7 the place of the webhook before it  $8 it was asked for once more
 * $9 failure  $10 how long the webhook waits, milliseconds  $11 why it is paused, or empty  $12 parked deliveries at most
 * One row with the state of the delivery; none where the claim is void.
 */
export const failDelivery = `
with claimed as (
  select e.ledger_id, e.webhook_id, e.retry_period from webhooks.endpoints e where ${CLAIMED} for update
), kept as (
  insert into webhooks.deliveries as d
    (ledger_id, webhook_id, position, event_id, state, attempts, first_time, last_time, failure)
  select c.ledger_id, c.webhook_id, $5::bigint, $6, case when c.retry_period = 0 or $8 then 2 else 1 end, 1,
    clock_timestamp(), clock_timestamp(), $9
  from claimed c
  on conflict (ledger_id, webhook_id, position) do update
  set attempts = d.attempts + 1, last_time = excluded.last_time, failure = excluded.failure,
    first_time = case when $8 or d.state = 1 then d.first_time else excluded.first_time end,
    state = case
      when $8 then 2
      when d.state <> 1 then excluded.state
      when excluded.last_time - d.first_time >= (select retry_period from claimed) * interval '1 second' then 2
      else 1
    end
  returning d.state
), written as (
  update webhooks.endpoints e
  set position = greatest(e.position, case when $8 then -1 when k.state = 2 then $5::bigint else $7::bigint end),
    next_time = clock_timestamp() + $10 * interval '1 millisecond',
    is_paused = full_or_gone.reason <> '', pause_reason = full_or_gone.reason,
    holder = null, lease_expire_time = null
  from kept k
  cross join lateral (
    select case
      when $11 <> '' then $11
      when k.state = 2 and (
        select count(*) from webhooks.deliveries p where p.ledger_id = $1 and p.webhook_id = $2 and p.state <> 1
      ) >= $12 then 'there are too many parked deliveries'
      else ''
    end as reason
  ) full_or_gone
  where e.ledger_id = $1 and e.webhook_id = $2
)
select state from kept`;

/** $1 ledger  $2 webhook  $3 limit */
export const readRequested = `
select position from webhooks.deliveries
where ledger_id = $1 and webhook_id = $2 and state = 3
order by ledger_id, webhook_id, state, position limit $3`;

/** $1 to $4 the claim  $5 epoch  $6 the last position that was kept; null: all was */
export const followEpoch = `
with moved as (
  update webhooks.endpoints e
  set epoch = $5::integer, position = least(e.position, coalesce($6::bigint, e.position))
  where ${CLAIMED}
  returning e.ledger_id, e.webhook_id
), lost as (
  delete from webhooks.deliveries d using moved m
  where d.ledger_id = m.ledger_id and d.webhook_id = m.webhook_id and d.position > $6::bigint
)
select 1 from moved`;

/** $1 ledger  $2 webhook  $3 holder  $4 milliseconds */
export const releaseWebhook = `
update webhooks.endpoints
set holder = null, lease_expire_time = null,
  next_time = greatest(next_time, clock_timestamp() + $4 * interval '1 millisecond')
where ledger_id = $1 and webhook_id = $2 and holder = $3`;
