/**
 * The states of accounts and the checkpoint of their partition, from one snapshot: $1 partition, $2 ledger
 * ids, $3 account ids. One row for the checkpoint, whose place is null, if there is one; one row for each
 * account found, with its place in what was asked for. A second statement would be a second round trip, and
 * the checkpoint beside each account would be written and read dozens of times.
 *
 * "offset 0" keeps the look-up by key in a nested loop, also in a statement that was prepared while the
 * table was empty.
 */
export const readSql = (schema: string): string => `
select null::bigint as place, encode(c.hash, 'hex') as text, c.epoch::bigint, c.position, c.recorded_time, c.event_offset,
  null::bigint, null::bigint, null::bigint, null::bigint, null::bigint, c.parked
from ${schema}.checkpoint c
where c.partition = $1
union all
select w.place, a.currency, a.type, a.status, a.freeze_scope, a.overdraft_limit, a.credits, a.debits, a.held,
  a.version, a.position, encode(a.limits, 'hex')
from unnest($2::text[], $3::text[]) with ordinality as w (ledger_id, account_id, place)
cross join lateral (
  select x.currency, x.type, x.status, x.freeze_scope, x.overdraft_limit,
    x.credits, x.debits, x.held, x.version, x.position, x.limits
  from ${schema}.accounts x
  where x.ledger_id = w.ledger_id and x.account_id = w.account_id
  offset 0
) a`;
