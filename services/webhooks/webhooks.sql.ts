/** The statements behind the calls on webhooks. Each finds its rows by key. */

const micros = (time: string) => `(extract(epoch from ${time}) * 1000000)::bigint`;

/** The position of the last event of the ledger of `e`; -1 if it has none. */
export const lastOfLedger = `coalesce((
  select l.first + l.indexes[cardinality(l.indexes)]
  from log.ledger_flushes l where l.ledger_id = e.ledger_id
  order by l.ledger_id desc, l.first desc limit 1
), -1)::bigint`;

const deliveryColumns = `
  d.position, d.event_id, d.state, d.attempts, d.failure,
  ${micros('d.first_time')} as first_time, ${micros('d.last_time')} as last_time,
  case when d.state <> 2 then ${micros('e.next_time')} end as next_time`;

const webhookColumns = `
  e.ledger_id, e.webhook_id, e.url, e.description, e.kinds, e.account_ids, e.retry_period, e.is_paused, e.pause_reason,
  e.position as webhook_position, ${lastOfLedger} as ledger_position,
  case when e.previous_secret_expire_time > clock_timestamp() then ${micros('e.previous_secret_expire_time')} end
    as previous_secret_expire_time,
  ${micros('e.create_time')} as create_time, ${micros('e.update_time')} as update_time,
  (
    select count(*) from webhooks.deliveries p
    where p.ledger_id = e.ledger_id and p.webhook_id = e.webhook_id and p.state <> 1
  ) as parked`;

/**
 * $1 ledger  $2 webhook; null: all of the ledger. A row per webhook; the columns of its delivery are null unless one is retried.
 */
export const readWebhooks = `
select ${webhookColumns}, ${deliveryColumns}
from webhooks.endpoints e
left join webhooks.deliveries d on d.ledger_id = e.ledger_id and d.webhook_id = e.webhook_id and d.state = 1
where e.ledger_id = $1 and ($2::text is null or e.webhook_id = $2)
order by e.ledger_id, e.webhook_id`;

/**
 * $1 ledger  $2 webhook  $3 URL  $4 description  $5 kinds  $6 accounts  $7 retry period, seconds  $8 secret  $9 epoch  $10 position
 * $11 webhooks of a ledger at most: it takes the first slot that is free, and no two webhooks can have the same one. A row without any
 * of the three says that another call has taken the slot at the same moment.
 */
export const insertWebhook = `
with others as (
  select count(*) as count, coalesce(bool_or(webhook_id = $2), false) as is_there
  from webhooks.endpoints where ledger_id = $1
), made as (
  insert into webhooks.endpoints
    (ledger_id, webhook_id, slot, url, description, kinds, account_ids, retry_period, secret, epoch, position)
  select $1, $2, free.slot, $3, $4, $5::integer[], $6::text[], $7::integer, $8::bytea, $9::integer, $10::bigint
  from (
    select slot from generate_series(1, $11::integer) slot
    where not exists (select from webhooks.endpoints e where e.ledger_id = $1 and e.slot = slot.slot)
    order by slot limit 1
  ) free
  on conflict do nothing
  returning 1
)
select exists (select from made) as is_made, is_there, count >= $11::integer as is_full from others`;

/** $1 ledger  $2 webhook  $3 URL  $4 description  $5 kinds  $6 accounts  $7 retry period, seconds; null: as it is. */
export const updateWebhook = `
update webhooks.endpoints
set url = coalesce($3, url), description = coalesce($4, description), kinds = coalesce($5::integer[], kinds),
  account_ids = coalesce($6::text[], account_ids), retry_period = coalesce($7::integer, retry_period),
  version = version + 1, next_time = clock_timestamp(), update_time = clock_timestamp()
where ledger_id = $1 and webhook_id = $2`;

/** $1 ledger  $2 webhook  $3 reason */
export const pauseWebhook = `
update webhooks.endpoints
set is_paused = true, pause_reason = $3, version = version + 1, update_time = clock_timestamp()
where ledger_id = $1 and webhook_id = $2`;

/** $1 ledger  $2 webhook. One that is not paused and is served now goes on undisturbed. */
export const resumeWebhook = `
update webhooks.endpoints
set is_paused = false, pause_reason = '', version = version + is_paused::integer,
  next_time = clock_timestamp(), update_time = clock_timestamp()
where ledger_id = $1 and webhook_id = $2`;

/** $1 ledger  $2 webhook */
export const deleteWebhook = `delete from webhooks.endpoints where ledger_id = $1 and webhook_id = $2`;

/** $1 ledger  $2 webhook  $3 secret  $4 for how long the one before signs too, seconds. Once more with the same secret changes none. */
export const rotateSecret = `
update webhooks.endpoints
set secret = $3::bytea,
  previous_secret = case when secret = $3::bytea then previous_secret else secret end,
  previous_secret_expire_time = case
    when secret = $3::bytea then previous_secret_expire_time else clock_timestamp() + $4 * interval '1 second'
  end,
  version = version + 1, update_time = clock_timestamp()
where ledger_id = $1 and webhook_id = $2`;

/** $1 ledger  $2 webhook  $3 after  $4 limit */
export const readDeliveries = `
select ${deliveryColumns}
from webhooks.deliveries d
join webhooks.endpoints e on e.ledger_id = d.ledger_id and e.webhook_id = d.webhook_id
where d.ledger_id = $1 and d.webhook_id = $2 and d.position > $3
order by d.ledger_id, d.webhook_id, d.position limit $4`;

/** $1 ledger  $2 webhook  $3 position; null: all */
export const requestRetries = `
with requested as (
  update webhooks.deliveries set state = 3
  where ledger_id = $1 and webhook_id = $2 and state <> 1 and ($3::bigint is null or position = $3)
  returning 1
), woken as (
  update webhooks.endpoints set next_time = clock_timestamp()
  where ledger_id = $1 and webhook_id = $2 and exists (select from requested)
)
select count(*) as requested from requested`;

/** $1 ledger  $2 webhook  $3 the position of the first event to send. No row if the webhook is not there yet. */
export const replayWebhook = `
with moved as (
  update webhooks.endpoints
  set position = $3::bigint - 1, version = version + 1, next_time = clock_timestamp(), update_time = clock_timestamp()
  where ledger_id = $1 and webhook_id = $2 and position >= $3::bigint - 1
  returning ledger_id, webhook_id
), forgotten as (
  delete from webhooks.deliveries d using moved m
  where d.ledger_id = m.ledger_id and d.webhook_id = m.webhook_id and d.state = 1
)
select 1 from moved`;

/** Figures of all webhooks. */
export const readTotals = `
select
  (select count(*) from webhooks.endpoints where not is_paused)::integer as active,
  (select count(*) from webhooks.endpoints where is_paused)::integer as paused,
  (select count(*) from webhooks.deliveries where state = 1)::integer as retrying,
  (select count(*) from webhooks.deliveries where state <> 1)::integer as parked,
  coalesce(extract(epoch from clock_timestamp() - (select min(first_time) from webhooks.deliveries where state = 1)), 0)
    ::float8 as oldest`;
