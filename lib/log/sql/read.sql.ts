/**
 * Reads of the log, all by primary key or index, none longer than its page. A position is found in the flush with the greatest
 * `first` that is not beyond it; `substring` of an external bytea reads its part alone.
 */

/** The event at a position, as a row `name` of position, events, start and stop in bytes; no row beyond the end. */
export function eventAt(position: string, name: string): string {
  return `lateral (
    select found.first, found.events, coalesce(found.ends[at.index], 0) as start, found.ends[at.index + 1] as stop
    from (select first, last, ends, events from log.flushes where first <= ${position} order by first desc limit 1) found
    cross join lateral (select (${position} - found.first)::integer as index) at
    where found.last >= ${position}
  ) ${name}`;
}

/** The bytes of an event found by `eventAt`. */
export function eventOf(name: string): string {
  return `substring(${name}.events from ${name}.start + 1 for ${name}.stop - ${name}.start)`;
}

/**
 * $1 after  $2 through  $3 limit: a row per flush, less what is outside. Positions are gapless, so the limit is a position.
 * `hash` is null where the flush goes on after the page.
 */
export const readPage = `
select
  f.first + part.skip as first,
  base.base,
  f.ends[part.skip + 1 : part.upto]::text as ends,
  substring(f.events from base.base + 1 for f.ends[part.upto] - base.base) as events,
  case when part.upto = f.last - f.first + 1 then f.hash end as hash
from log.flushes f
cross join lateral (
  select
    greatest($1::bigint + 1 - f.first, 0)::integer as skip,
    (least(f.last, $2::bigint, $1 + $3::integer) - f.first + 1)::integer as upto
) part
cross join lateral (select coalesce(f.ends[part.skip], 0) as base) base
where f.first >= coalesce((select first from log.flushes where first <= $1 + 1 order by first desc limit 1), 0)
  and f.first <= least($2, $1 + $3) and part.upto > part.skip
order by f.first`;

/** In which order a page is read: from its first event on, or back from its last. */
type Order = 'asc' | 'desc';

const ledgerPage = (order: Order) => `
select e.position, ${eventOf('e')} as event
from (
  select f.first + i.index as position, f.events, coalesce(f.ends[i.index], 0) as start, f.ends[i.index + 1] as stop
  from log.ledger_flushes l
  join log.flushes f on f.first = l.first
  cross join lateral unnest(l.indexes) as i (index)
  where l.ledger_id = $4
    and l.first >= coalesce(
      (
        select first from log.ledger_flushes
        where ledger_id = $4 and first <= $1::bigint + 1 order by ledger_id desc, first desc limit 1
      ),
      0
    )
    and l.first <= $2::bigint and f.first + i.index > $1 and f.first + i.index <= $2
  order by l.first ${order}, i.index ${order} limit $3
) e
order by e.position ${order}`;

/** $1 after  $2 through  $3 limit  $4 ledger id */
export const readLedgerPage = ledgerPage('asc');
/** The same from the last event back. */
export const readLedgerPageBack = ledgerPage('desc');

const streamPage = (order: Order) => `
select p.position, ${eventOf('e')} as event
from (
  (
    select position from log.streams
    where ledger_id = $4 and stream_id = $5 and position > $1 and position <= $2
    order by ledger_id ${order}, stream_id ${order}, position ${order} limit $3
  )
  union all
  (
    select position from log.request_keys
    where request_id = $6::uuid and ledger_id = $4 and position > $1 and position <= $2
  )
) p
cross join ${eventAt('p.position', 'e')}
order by p.position ${order} limit $3`;

/**
 * $1 after  $2 through  $3 limit  $4 ledger id  $5 stream id  $6 the same as uuid, null if it is none: the
 * root of a stream of transactions is found by its request id, the further events by the table of streams. The command with
 * that id may belong to another stream: the reader must look.
 */
export const readStreamPage = streamPage('asc');
/** The same from the last event back. */
export const readStreamPageBack = streamPage('desc');

/** $1 ledgers  $2 stream, none of transactions  $3 through: the last event of the stream in each of the ledgers that has one. */
export const readLastOfStream = `
select p.position, ${eventOf('e')} as event
from unnest($1::text[]) l (ledger_id)
cross join lateral (
  select position from log.streams
  where ledger_id = l.ledger_id and stream_id = $2 and position <= $3
  order by ledger_id desc, stream_id desc, position desc limit 1
) p
cross join ${eventAt('p.position', 'e')}`;

/** $1 position */
export const readAt = `
select p.position, ${eventOf('e')} as event
from (select $1::bigint as position) p
cross join ${eventAt('p.position', 'e')}`;

export const readHead = `
select epoch, last as position, recorded_time, hash from log.flushes order by first desc limit 1`;

/** $1 recorded time, microseconds: the first flush that ends after it; it holds the events that are later. */
export const readFlushAfterTime = `
select first, 0 as base, ends::text as ends, events, hash
from log.flushes where recorded_time > $1 order by recorded_time limit 1`;

/** The database's clock in microseconds. */
export const readNow = `select (extract(epoch from clock_timestamp()) * 1000000)::bigint as now`;
