/**
 * The log with the copies that its columns are, and what the table of request ids says of each command's
 * first event. Keyset pages by primary key or index.
 */
const columns = `
select e.position, e.ledger_id, e.stream_id, e.request_id, e.ordinal, e.recorded_time, e.event, e.hash, k.position as key_position
from log.events e
left join log.request_keys k on e.ordinal = 0 and k.ledger_id = e.ledger_id and k.request_id = e.request_id`;

/** $1 after  $2 through  $3 limit */
export const readStored = `${columns}
where e.position > $1 and e.position <= $2
order by e.position limit $3`;

/** $1 after  $2 through  $3 limit  $4 ledger id */
export const readStoredLedger = `${columns}
where e.ledger_id = $4 and e.position > $1 and e.position <= $2
order by e.ledger_id, e.position limit $3`;

/**
 * $1 after $2 through $3 limit $4 ledger id $5 stream id $6 the same as uuid, null if it is none; see
 * readStreamPage
 */
export const readStoredStream = `
select * from (
  (
    ${columns}
    where e.ledger_id = $4 and e.stream_id = $5 and e.stream_id is distinct from e.request_id::text
      and e.position > $1 and e.position <= $2
    order by e.ledger_id, e.stream_id, e.position limit $3
  )
  union all
  (
    ${columns}
    where e.position = (select position from log.request_keys where ledger_id = $4 and request_id = $6::uuid)
      and e.stream_id = $5 and e.position > $1 and e.position <= $2
  )
) stream
order by position limit $3`;

export const readStoredEnd = `${columns}
order by e.position desc limit 1`;
