import { rowsOfArrays, type WriteStatement } from '../../../stores/postgres/table-write.js';

/**
 * Writes the last states of a batch, sorted by key: arrays of the columns. A state that is not newer than the
 * row changes nothing, so batches may overlap and come again.
 */
export const upsertAccounts = (schema: string): WriteStatement => ({
  name: 'accounts',
  rows: (first) =>
    rowsOfArrays(
      first,
      'text text smallint text smallint smallint bigint bigint bigint bigint bigint bigint',
    ),
  change: {
    into: `${schema}.accounts as a`,
    columns: `ledger_id, account_id, type, currency, status, freeze_scope,
  overdraft_limit, credits, debits, held, version, position`,
    onConflict: `
on conflict (ledger_id, account_id) do update set
  type = excluded.type, currency = excluded.currency, status = excluded.status,
  freeze_scope = excluded.freeze_scope, overdraft_limit = excluded.overdraft_limit,
  credits = excluded.credits, debits = excluded.debits, held = excluded.held,
  version = excluded.version, position = excluded.position
where a.version < excluded.version`,
  },
});
