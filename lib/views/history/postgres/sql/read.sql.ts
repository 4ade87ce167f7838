/**
 * The reads of one thing. Each takes data and checkpoint in one statement, so in one snapshot: `$1` is the
 * partition, and where there is no checkpoint there is no row.
 */
import { checkpointColumns } from '../../../stores/postgres/sql/generations.sql.js';
import { firstAt, ledgerKey } from './keys.sql.js';

/** The money of a line of the alias `v`. */
export const versionColumns = `
v.position, v.version, v.credits, v.debits, coalesce(v.held, 0) as held,
coalesce(v.overdraft_limit, 0) as overdraft_limit, v.limits`;

/** An account of the alias `a`, with its last line `v`. */
export const accountColumns = `
a.ledger_id, a.account_id, a.type, a.currency, a.status, a.freeze_scope, a.profile, a.opened_position, a.opened_time,
${versionColumns}`;

/** A transaction of the alias `t` and its last change `h`. */
export const transactionColumns = `
t.position, coalesce(h.changed_position, t.position) as changed_position, t.event, h.change`;

/** The last change `h` of a transaction `t`. */
export const lastChange = (schema: string): string => `
left join ${schema}.changes h on h.position = t.position`;

/** A posted entry: a line of the alias `l` and its transaction `t`. */
export const entryColumns = `
l.position, l.entry, case when l.amount < 0 then 1 else 2 end as direction, abs(l.amount) as amount, l.version,
l.credits - l.debits as posted_after, coalesce(l.effective_time, t.recorded_time) as effective_time,
t.transaction_id, t.kind, t.recorded_time`;

/** The last line of the account `a`, under the conditions given. */
export const lastLine = (schema: string, conditions = 'true'): string => `
  select v.* from ${schema}.lines v
  where v.account = a.opened_position and ${conditions}
  order by v.position desc, v.entry desc limit 1`;

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
left join lateral (${lastLine(schema)}) v on true
where c.partition = $1`;

/** $2 ledger_id, $3 account_id, $4 position */
export const readVersion = (schema: string): string => `
select ${checkpointColumns}, d.*
from ${schema}.checkpoint c
left join lateral (
  select ${accountColumns}
  from ${schema}.accounts a
  cross join lateral (${lastLine(schema, 'v.position <= $4')}) v
  where a.ledger_id = $2 and a.account_id = $3
) d on true
where c.partition = $1`;

/**
 * $2 ledger_id, $3 account_id, $4 effective_time. No entry is dated after it was recorded, so that all that
 * was recorded by then counts: the last line by then has its sum. What was recorded later and dated earlier
 * is added from the index of such lines.
 */
export const readEffective = (schema: string): string => `
select ${checkpointColumns}, a.account_id, a.currency, a.opened_position,
  (coalesce(l.credits, 0) + s.credits)::bigint as credits, (coalesce(l.debits, 0) + s.debits)::bigint as debits,
  greatest(e.position, s.position) as position
from ${schema}.checkpoint c
left join ${schema}.accounts a on a.ledger_id = $2 and a.account_id = $3
left join lateral (
  select ${firstAt(schema, ledgerKey(schema, '$2'), '($4::bigint + 1)')} as next offset 0
) b on true
left join lateral (${lastLine(schema, 'v.position < b.next')}) l on true
left join lateral (${lastLine(schema, 'v.position < b.next and v.entry >= 0')}) e on true
left join lateral (
  select coalesce(sum(x.amount) filter (where x.amount > 0), 0) as credits,
    coalesce(-sum(x.amount) filter (where x.amount < 0), 0) as debits,
    max(x.position) as position
  from ${schema}.lines x
  where x.account = a.opened_position and x.effective_time <= $4 and x.position + 0 >= b.next
) s on true
where c.partition = $1`;

/** $2 ledger_id, $3 transaction_id */
export const readTransaction = (schema: string): string => `
select ${checkpointColumns}, ${transactionColumns}
from ${schema}.checkpoint c
left join ${schema}.transactions t on t.transaction_id = $3::uuid and t.ledger = ${ledgerKey(schema, '$2')}
${lastChange(schema)}
where c.partition = $1`;
