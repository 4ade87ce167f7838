/** $1 shard */
export const readLease = `
select holder, address, term, expire_time <= clock_timestamp() as has_expired
from log.lease
where shard = $1`;

/** $1 shard  $2 holder  $3 address  $4 duration, milliseconds. No row if another process has the lease. */
export const takeLease = `
insert into log.lease as l (shard, holder, address, term, expire_time)
values ($1, $2, $3, 1, clock_timestamp() + $4 * interval '1 millisecond')
on conflict (shard) do update
set holder = excluded.holder, address = excluded.address, term = l.term + 1, expire_time = excluded.expire_time
where l.expire_time <= clock_timestamp() or l.address = excluded.address
returning term`;

/**
 * $1 shard  $2 holder  $3 term  $4 duration, milliseconds. Nothing waits for the disk: a renewal that a crash of the database
 * loses ends the lease earlier.
 */
export const renewLease = `
with unhurried as (select set_config('synchronous_commit', 'off', true))
update log.lease set expire_time = clock_timestamp() + $4 * interval '1 millisecond'
from unhurried
where shard = $1 and holder = $2 and term = $3
returning term`;

/** $1 shard  $2 holder  $3 term */
export const releaseLease = `
update log.lease set expire_time = clock_timestamp()
where shard = $1 and holder = $2 and term = $3`;
