/**
 * The states of accounts and the checkpoint of their partition, from one snapshot: $1 partition, $2 ledger
 * ids, $3 account ids. One row for each account found, with its place in what was asked for; one row with
 * nulls if none was found; none if the partition has no checkpoint. The checkpoint stands in each row: a
 * second statement would be a second round trip. "offset 0" keeps the look-up by key in a nested loop,
 * whatever the planner believes of a table that was empty when the statement was prepared.
 */
export const readSql = (schema: string): string => `
select c.epoch, c.position, c.hash, c.recorded_time, c.event_offset, f.*
from ${schema}.checkpoint c
left join (
  select w.place, a.*
  from unnest($2::text[], $3::text[]) with ordinality as w (ledger_id, account_id, place)
  cross join lateral (
    select x.type, x.currency, x.status, x.freeze_scope, x.overdraft_limit,
      x.credits, x.debits, x.held, x.version, x.position as changed
    from ${schema}.accounts x
    where x.ledger_id = w.ledger_id and x.account_id = w.account_id
    offset 0
  ) a
) f on true
where c.partition = $1`;
