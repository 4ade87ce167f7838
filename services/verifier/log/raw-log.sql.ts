/** The log as it is stored, and what the tables for look-ups say of its events. */

const columns = 'first, last, epoch, recorded_time, ends::text as ends, hash, events';

/** $1 after  $2 through */
export const readStoredFlushes = `
select ${columns} from log.flushes where first > $1 and first <= $2 order by first`;

export const readStoredEnd = `
select ${columns} from log.flushes order by first desc limit 1`;

/** $1 request ids  $2 ledger ids */
export const readStoredRequests = `
select k.position
from unnest($1::uuid[], $2::text[]) with ordinality as q (request_id, ledger_id, n)
left join log.request_keys k on k.request_id = q.request_id and k.ledger_id = q.ledger_id
order by q.n`;

/** $1 ledger ids  $2 first positions of flushes */
export const readStoredLedgers = `
select l.indexes::text as indexes
from unnest($1::text[], $2::bigint[]) with ordinality as q (ledger_id, first, n)
left join log.ledger_flushes l on l.ledger_id = q.ledger_id and l.first = q.first
order by q.n`;

/** $1 ledger ids  $2 stream ids  $3 positions */
export const readStoredStreams = `
select s.position is not null as found
from unnest($1::text[], $2::text[], $3::bigint[]) with ordinality as q (ledger_id, stream_id, position, n)
left join log.streams s on s.ledger_id = q.ledger_id and s.stream_id = q.stream_id and s.position = q.position
order by q.n`;
