/**
 * Look-ups in the state tables, each with the checkpoint in the same snapshot. Meant for connections with
 * KEYED_PLANS.
 */
import { eventAt, eventOf } from '../sql/read.sql.js';

export const readCheckpoint = `select epoch, position, hash from state.checkpoint`;

/** $1 ledger ids */
export const readLedgers = `
select c.position as checkpoint, q.ledger_id, l.position, l.closed_through
from state.checkpoint c
cross join unnest($1::text[]) as q (ledger_id)
left join state.ledgers l on l.ledger_id = q.ledger_id`;

const accountColumns = `
  a.version, a.type, a.currency, a.status, a.freeze_scope, a.overdraft_limit, a.credits, a.debits, a.held,
  a.profile_version, a.name, a.owner_reference, a.metadata, a.limits`;

/** $1 ledger ids  $2 account ids */
export const readAccounts = `
select c.position as checkpoint, q.ledger_id, q.account_id, ${accountColumns}
from state.checkpoint c
cross join unnest($1::text[], $2::text[]) as q (ledger_id, account_id)
left join state.accounts a on a.ledger_id = q.ledger_id and a.account_id = q.account_id`;

/** $1 ledger id */
export const readTotals = `
select c.position as checkpoint, t.currency, t.type, t.debits, t.credits
from state.checkpoint c
left join lateral (
  select currency, type, sum(debits)::text as debits, sum(credits)::text as credits
  from state.accounts where ledger_id = $1 group by currency, type
) t on true`;

/** $1 ledger ids  $2 transaction ids */
export const readTransactions = `
select c.position as checkpoint, q.ledger_id, q.transaction_id, k.position, ${eventOf('e')} as event, t.state
from state.checkpoint c
cross join unnest($1::text[], $2::uuid[]) as q (ledger_id, transaction_id)
left join log.request_keys k on k.request_id = q.transaction_id and k.ledger_id = q.ledger_id
left join ${eventAt('k.position', 'e')} on true
left join state.transactions t on t.ledger_id = q.ledger_id and t.transaction_id = q.transaction_id`;

/** $1 expiring before, microseconds  $2 limit */
export const readOpenHolds = `
select ledger_id, transaction_id, state, hold_expire_time
from state.transactions
where hold_expire_time < $1
order by hold_expire_time limit $2`;

/** $1 count at most */
export const summarizeOpenHolds = `
select
  (select count(*)::integer
   from (select 1 from state.transactions where hold_expire_time is not null limit $1) as counted) as count,
  (select min(hold_expire_time) from state.transactions where hold_expire_time is not null) as next_expiry`;

/** $1 ledger id  $2 after account id  $3 limit */
export const readAccountPage = `
select c.position as checkpoint, a.ledger_id, a.account_id, ${accountColumns}
from state.checkpoint c
left join lateral (
  select * from state.accounts where ledger_id = $1 and account_id > $2 order by ledger_id, account_id limit $3
) a on true`;

/** $1 ledger id  $2 after transaction id  $3 limit */
export const readTransactionPage = `
select c.position as checkpoint, t.ledger_id, t.transaction_id, t.state
from state.checkpoint c
left join lateral (
  select * from state.transactions where ledger_id = $1 and transaction_id > $2 order by ledger_id, transaction_id limit $3
) t on true`;

/**
 * $1 ledger ids  $2 request ids: the first event of each of these commands and the event after it, by position. A command has at
 * most two events; the reader leaves out what is of another one.
 */
export const readRequests = `
select k.ledger_id, k.request_id, p.position, ${eventOf('e')} as event
from unnest($1::text[], $2::uuid[]) as q (ledger_id, request_id)
join log.request_keys k on k.request_id = q.request_id and k.ledger_id = q.ledger_id
cross join lateral (values (k.position), (k.position + 1)) as p (position)
cross join ${eventAt('p.position', 'e')}
order by p.position`;
