const columns = `ledger_id, account_id, type, currency, status, freeze_scope,
  overdraft_limit, credits, debits, held, version, position, limits`;

/** Accounts of all ledgers after a key: $1 ledger id, $2 account id, $3 limit. */
export const rowsSql = (schema: string): string => `
select ${columns} from ${schema}.accounts
where (ledger_id, account_id) > ($1, $2)
order by ledger_id, account_id limit $3`;

/** Accounts of one ledger after a key: $1 ledger id, $2 account id, $3 limit. */
export const ledgerRowsSql = (schema: string): string => `
select ${columns} from ${schema}.accounts
where ledger_id = $1 and account_id > $2
order by account_id limit $3`;
