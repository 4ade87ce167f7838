/** Reads of the log: keyset pages by primary key or index, none longer than its page. */

const columns = `position, event, hash`;

/** $1 after  $2 through  $3 limit */
export const readPage = `
select ${columns} from log.events
where position > $1 and position <= $2
order by position limit $3`;

/** $1 after  $2 through  $3 limit  $4 ledger id */
export const readLedgerPage = `
select ${columns} from log.events
where ledger_id = $4 and position > $1 and position <= $2
order by ledger_id, position limit $3`;

/**
 * $1 after  $2 through  $3 limit  $4 ledger id  $5 stream id  $6 the same as uuid, null if it is none: the
 * root of a stream of transactions is found by its request id, the further events by the index of streams.
 */
export const readStreamPage = `
select ${columns} from (
  (
    select ${columns} from log.events
    where ledger_id = $4 and stream_id = $5 and stream_id is distinct from request_id::text
      and position > $1 and position <= $2
    order by ledger_id, stream_id, position limit $3
  )
  union all
  (
    select e.position, e.event, e.hash
    from log.request_keys k
    join log.events e on e.position = k.position
    where k.ledger_id = $4 and k.request_id = $6::uuid and e.stream_id = $5
      and e.position > $1 and e.position <= $2
  )
) stream
order by position limit $3`;

/** $1 position */
export const readAt = `select ${columns} from log.events where position = $1`;

export const readHead = `
select ${columns} from log.events order by position desc limit 1`;

/**
 * $1 recorded time, microseconds: the last event at or before it, by bisection. recorded_time rises with
 * position.
 */
export const readAtTime = `
with recursive search (low, high) as (
  select min(position), max(position) from log.events
  union all
  select
    case when middle.recorded_time <= $1 then middle.position else low end,
    case when middle.recorded_time <= $1 then high else middle.position - 1 end
  from search
  cross join lateral (
    select position, recorded_time from log.events where position = (low + high + 1) / 2
  ) middle
  where low < high
)
select ${columns} from log.events
where position = (select low from search where low = high) and recorded_time <= $1`;

/** The database's clock in microseconds. */
export const readNow = `select (extract(epoch from clock_timestamp()) * 1000000)::bigint as now`;
