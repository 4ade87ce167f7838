/**
 * The rows of one kind in the order of their keys, for comparison. The ledger is given ($1) or null for all;
 * then the parts of the key after which to begin, the limit last.
 */

const ofLedger = `($1::text is null or ledger_id = $1)`;

/** $2 ledger_id, $3 account_id, $4 limit */
export const accountRows = (schema: string): string => `
select ledger_id, account_id, type, currency, status, freeze_scope, profile, opened_position, opened_time,
  changed_position
from ${schema}.accounts
where ${ofLedger} and (ledger_id, account_id) > ($2, $3)
order by ledger_id, account_id limit $4`;

/** $2 ledger_id, $3 position, $4 entry, $5 limit */
export const entryRows = (schema: string): string => `
select ledger_id, position, entry, account_id, direction, amount, version, posted_after, effective_time
from ${schema}.entries
where ${ofLedger} and (ledger_id, position, entry) > ($2, $3::bigint, $4::integer)
order by ledger_id, position, entry limit $5`;

/** $2 ledger_id, $3 limit */
export const ledgerRows = (schema: string): string => `
select document from ${schema}.ledgers
where ${ofLedger} and ledger_id > $2
order by ledger_id limit $3`;

/** $2 ledger_id, $3 position, $4 limit */
export const transactionRows = (schema: string): string => `
select position, changed_position, event, change
from ${schema}.transactions
where ${ofLedger} and (ledger_id, position) > ($2, $3::bigint)
order by ledger_id, position limit $4`;

/** $2 ledger_id, $3 account_id, $4 position, $5 limit */
export const versionRows = (schema: string): string => `
select ledger_id, account_id, position, version, credits, debits, held, overdraft_limit
from ${schema}.account_versions
where ${ofLedger} and (ledger_id, account_id, position) > ($2, $3, $4::bigint)
order by ledger_id, account_id, position limit $5`;
