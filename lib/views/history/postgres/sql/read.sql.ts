/**
 * The reads of one thing. Each takes data and checkpoint in one statement, so in one snapshot: `$1` is the
 * partition, and where there is no checkpoint there is no row.
 */
import { checkpointColumns } from '../../../stores/postgres/sql/generations.sql.js';

/** An account of the alias `a`, with its last version `v`. */
export const accountColumns = `
a.ledger_id, a.account_id, a.type, a.currency, a.status, a.freeze_scope, a.profile, a.opened_position, a.opened_time,
v.position, v.version, v.credits, v.debits, v.held, v.overdraft_limit`;

/** A transaction of the alias `t`. */
export const transactionColumns = `t.position, t.changed_position, t.event, t.change`;

/** An entry of the alias `e` and its transaction `t`. */
export const entryColumns = (schema: string): string => `
e.position, e.entry, e.account_id, e.direction, e.amount, e.version, e.posted_after, e.effective_time,
(select a.currency from ${schema}.accounts a where a.ledger_id = e.ledger_id and a.account_id = e.account_id) as currency,
t.transaction_id, t.kind, t.recorded_time`;

/** $2 ledger_id */
export const readLedger = (schema: string): string => `
select ${checkpointColumns}, l.document
from ${schema}.checkpoint c
left join ${schema}.ledgers l on l.ledger_id = $2
where c.partition = $1`;

/** $2 ledger_id, $3 account_id */
export const readAccount = (schema: string): string => `
select ${checkpointColumns}, ${accountColumns}
from ${schema}.checkpoint c
left join ${schema}.accounts a on a.ledger_id = $2 and a.account_id = $3
left join lateral (
  select v.* from ${schema}.account_versions v
  where v.ledger_id = $2 and v.account_id = $3
  order by v.position desc limit 1
) v on true
where c.partition = $1`;

/** $2 ledger_id, $3 account_id, $4 position */
export const readVersion = (schema: string): string => `
select ${checkpointColumns}, ${accountColumns}
from ${schema}.checkpoint c
left join lateral (
  select v.* from ${schema}.account_versions v
  where v.ledger_id = $2 and v.account_id = $3 and v.position <= $4
  order by v.position desc limit 1
) v on true
left join ${schema}.accounts a on a.ledger_id = v.ledger_id and a.account_id = v.account_id
where c.partition = $1`;

/** $2 ledger_id, $3 account_id, $4 effective_time. Sums come from the covering index alone. */
export const readEffective = (schema: string): string => `
select ${checkpointColumns}, a.account_id, a.currency, a.opened_position,
  s.credits::bigint as credits, s.debits::bigint as debits, s.position
from ${schema}.checkpoint c
left join ${schema}.accounts a on a.ledger_id = $2 and a.account_id = $3
left join lateral (
  select coalesce(sum(e.amount) filter (where e.direction = 2), 0) as credits,
    coalesce(sum(e.amount) filter (where e.direction = 1), 0) as debits,
    max(e.position) as position
  from ${schema}.entries e
  where e.ledger_id = $2 and e.account_id = $3 and e.effective_time <= $4
) s on true
where c.partition = $1`;

/** $2 ledger_id, $3 transaction_id */
export const readTransaction = (schema: string): string => `
select ${checkpointColumns}, ${transactionColumns}
from ${schema}.checkpoint c
left join ${schema}.transactions t on t.ledger_id = $2 and t.transaction_id = $3::uuid
where c.partition = $1`;
