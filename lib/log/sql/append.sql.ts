/**
 * The commit: one statement, one round trip, READ COMMITTED. The flush is inserted only if the log ends with our last event and
 * no request id is there already; the positions follow by the SQL itself, so they are gapless and in commit order; the primary
 * key on `first` refuses the second of two writers that come at the same time. The events travel as one bytea: node-postgres
 * sends a bytea[] as hexadecimal text. Two independent CTEs, insert beside update of a head row, commit events even when the
 * guard misses: every insert must depend on the guard.
 *
 * The request ids are looked up first, since a retry that memory does not know is no error: the unique violation that it
 * was costs an error line in the log of the server and, in node-postgres' pool, the connection. The look-up descends the
 * index that the insert descends right after.
 *
 * The row of the lease is locked FOR SHARE, so that the lease cannot change hands between this look at it and the commit: a process
 * that takes it waits for the append under way, and reads the log after it; an append that comes later finds another term. Without
 * the lock an append that PostgreSQL itself delays, on its disk for example, could still commit after the next holder has read
 * the log and refused the same command. Renewals wait for the append under way too; appends do not wait for each other.
 * It costs a WAL record per append. Where no other process may decide, the term is null and nothing is locked.
 *
 * $1 our last position  $2 its hash  $3 the events, end to end  $4 where each ends, in bytes  $5 the hash of the last
 * $6 its recorded time, microseconds  $7 its epoch
 * $8 request ids  $9 their ledger ids  $10 the indexes of their first events in the flush, from 0
 * $11 ledger ids  $12 and $13 where the indexes of their events start and stop in  $14 all these indexes
 * $15 ledger ids  $16 stream ids  $17 the indexes of the events that are found by them
 * $18 shard of the lease  $19 its holder  $20 its term
 *
 * The notification names the position of the last event: a listener that has it already need not look.
 */
export const append = `
with lease as (
  select 1 from log.lease where shard = $18::integer and holder = $19::uuid and term = $20::bigint for share
), guard as (
  select
    $20::bigint is null or exists (select from lease) as is_held,
    coalesce(f.last > $1 or (f.last = $1 and f.hash = $2), false) as is_ours,
    coalesce(f.last > $1, false) or exists (select 1 from log.flushes where first = $1 + 1) as is_behind,
    exists (
      select 1 from unnest($8::uuid[], $9::text[]) as q (request_id, ledger_id)
      join log.request_keys k on k.request_id = q.request_id and k.ledger_id = q.ledger_id
    ) as is_duplicate
  from (select $1::bigint as position) p
  left join lateral (select last, hash from log.flushes where first <= p.position order by first desc limit 1) f on true
), f as (
  insert into log.flushes (first, last, epoch, recorded_time, ends, hash, events)
  select $1 + 1, $1 + cardinality($4::integer[]), $7::integer, $6::bigint, $4, $5::bytea, $3::bytea
  from guard where is_held and is_ours and not is_behind and not is_duplicate
  returning first, last
), k as (
  insert into log.request_keys (request_id, ledger_id, position)
  select q.request_id, q.ledger_id, f.first + q.index
  from f cross join unnest($8::uuid[], $9::text[], $10::integer[]) as q (request_id, ledger_id, index)
), l as (
  insert into log.ledger_flushes (ledger_id, first, indexes)
  select q.ledger_id, f.first, ($14::integer[])[q.start:q.stop]
  from f cross join unnest($11::text[], $12::integer[], $13::integer[]) as q (ledger_id, start, stop)
), s as (
  insert into log.streams (ledger_id, stream_id, position)
  select q.ledger_id, q.stream_id, f.first + q.index
  from f cross join unnest($15::text[], $16::text[], $17::integer[]) as q (ledger_id, stream_id, index)
)
select
  guard.is_held, guard.is_ours, guard.is_behind, guard.is_duplicate,
  written.appended,
  pg_notify('quittance_log', ($1 + written.appended)::text)
from guard, (select coalesce(sum(last - first + 1), 0)::bigint as appended from f) written`;
