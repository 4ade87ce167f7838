/**
 * The rows of one kind in the order of their keys, for comparison. The ledger is given ($1) or null for all;
 * then the parts of the key after which to begin, the limit last. Transactions and lines have keys in place
 * of ids: within each ledger or account at most a page is read, so that no order is made of more.
 */
import { lastChange, transactionColumns, versionColumns } from './read.sql.js';

const ofLedger = `($1::text is null or ledger_id = $1)`;

/** $2 ledger_id, $3 account_id, $4 limit */
export const accountRows = (schema: string): string => `
select ledger_id, account_id, type, currency, status, freeze_scope, profile, opened_position, opened_time,
  changed_position
from ${schema}.accounts
where ${ofLedger} and (ledger_id, account_id) > ($2, $3)
order by ledger_id, account_id limit $4`;

/** $2 ledger_id, $3 limit */
export const ledgerRows = (schema: string): string => `
select document from ${schema}.ledgers
where ${ofLedger} and ledger_id > $2
order by ledger_id limit $3`;

/** $2 ledger_id, $3 position, $4 limit */
export const transactionRows = (schema: string): string => `
select d.*
from (select ledger_id, position from ${schema}.ledgers where ${ofLedger} and ledger_id >= $2) g
cross join lateral (
  select ${transactionColumns}
  from ${schema}.transactions t ${lastChange(schema)}
  where t.ledger = g.position and t.position > case when g.ledger_id = $2 then $3::bigint else -1 end
  order by t.position limit $4
) d
order by g.ledger_id, d.position limit $4`;

/** The transactions with entries, from a position on. $2 ledger_id, $3 position, $4 limit */
export const postedRows = (schema: string): string => `
select g.ledger_id, d.*
from (select ledger_id, position from ${schema}.ledgers where ${ofLedger} and ledger_id >= $2) g
cross join lateral (
  select t.position, t.recorded_time, t.event
  from ${schema}.transactions t
  where t.ledger = g.position and t.kind > 0 and t.kind <> 4
    and t.position >= case when g.ledger_id = $2 then $3::bigint else 0 end
  order by t.position limit $4
) d
order by g.ledger_id, d.position limit $4`;

/**
 * The lines of entries. Arrays of equal length: $1 ledger ids, $2 account ids, $3 positions. As a join, PostgreSQL expects few lines
 * of an account, and reads all of them to find those at the position; `offset 0` keeps the two conditions together.
 */
export const entryLines = (schema: string): string => `
select l.position, l.entry, a.account_id, l.amount, l.version, l.credits - l.debits as posted_after, l.effective_time
from unnest($1::text[], $2::text[], $3::bigint[]) as u (ledger_id, account_id, position)
join ${schema}.accounts a on a.ledger_id = u.ledger_id and a.account_id = u.account_id
cross join lateral (
  select * from ${schema}.lines v
  where v.account = a.opened_position and v.position = u.position and v.entry >= 0
  offset 0
) l`;

/** $2 ledger_id, $3 account_id, $4 position, $5 limit. Of the lines of an event the last one. */
export const versionRows = (schema: string): string => `
select a.ledger_id, a.account_id, d.*
from (
  select ledger_id, account_id, opened_position from ${schema}.accounts
  where ${ofLedger} and (ledger_id, account_id) >= ($2, $3)
) a
cross join lateral (
  select distinct on (v.position) ${versionColumns}
  from ${schema}.lines v
  where v.account = a.opened_position
    and v.position > case when a.ledger_id = $2 and a.account_id = $3 then $4::bigint else -1 end
  order by v.position, v.entry desc limit $5
) d
order by a.ledger_id, a.account_id, d.position limit $5`;

/**
 * The lines of a ledger, account by account, each with the time that its entry is dated: $1 ledger_id, then the line after which to
 * begin ($2 account_id, $3 position, $4 entry), $5 limit.
 */
export const lineRows = (schema: string): string => `
select a.account_id, d.*
from (
  select account_id, opened_position from ${schema}.accounts where ledger_id = $1 and account_id >= $2
) a
cross join lateral (
  select ${versionColumns}, v.entry, v.amount, coalesce(v.effective_time, t.recorded_time) as effective_time
  from ${schema}.lines v
  left join ${schema}.transactions t
    on t.ledger = (select g.position from ${schema}.ledgers g where g.ledger_id = $1) and t.position = v.position
      and v.entry >= 0
  where v.account = a.opened_position
    and (v.position, v.entry) > (
      case when a.account_id = $2 then $3::bigint else -1 end, case when a.account_id = $2 then $4::smallint else -1 end
    )
  order by v.position, v.entry limit $5
) d
order by a.account_id, d.position, d.entry limit $5`;
