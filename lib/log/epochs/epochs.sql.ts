/** Reads and writes of where the log was written, and of what it has lost. */

/**
 * The timeline is the one that is written to now: that of the last checkpoint is late after a promotion. A database restored by
 * pg_dump has other numbers of its tables, and one copied within the cluster another number of its own.
 */
const place = `
concat_ws(
  '/',
  (select system_identifier from pg_control_system()),
  left(pg_walfile_name(pg_current_wal_lsn()), 8),
  (select oid from pg_database where datname = current_database()),
  'log.flushes'::regclass::oid
)`;

const presentEpoch = `(select epoch from log.flushes order by first desc limit 1)`;

/** The epoch at the end of the log, whether the log was written elsewhere, and the latest epoch that has lost points. */
export const readOrigin = `
select
  ${presentEpoch} as epoch,
  (select o.place from log.origin o) is distinct from ${place} as is_moved,
  (select max(epoch) from log.lost_points) as lost_epoch`;

/** Of a log that has only its first event. One with more and no origin is of unknown origin. */
export const recordFirstOrigin = `
insert into log.origin (place) select ${place}
where not exists (select from log.flushes where first > 0)
on conflict (only_row) do nothing`;

/** $1 the epoch that has begun: what earlier ones have lost is settled by it. */
export const recordOrigin = `
with settled as (delete from log.lost_points where epoch < $1)
insert into log.origin (place) select ${place}
on conflict (only_row) do update set place = excluded.place`;

/** $1 epoch  $2 position: kept only where no later epoch has begun. */
export const reportLost = `
insert into log.lost_points (epoch, position)
select $1::integer, $2::bigint where $1::integer >= ${presentEpoch}
on conflict (epoch, position) do nothing`;
