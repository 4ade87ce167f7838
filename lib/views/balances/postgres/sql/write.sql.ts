/** What a batch writes to the accounts, and the look-up of numbers before it. */
import { rowsOfArrays, type WriteStatement } from '../../../stores/postgres/table-write.js';

/**
 * The numbers of accounts that are there: $1 ledger ids, $2 account ids. One row for each account found, with
 * its place in what was asked for. "offset 0" keeps the look-up by key in a nested loop, as in read.sql.ts.
 */
export const numbersSql = (schema: string): string => `
select a.account, w.place::int as place
from unnest($1::text[], $2::text[]) with ordinality as w (ledger_id, account_id, place)
cross join lateral (
  select x.account from ${schema}.accounts x
  where x.ledger_id = w.ledger_id and x.account_id = w.account_id
  offset 0
) a`;

const CHANGING = 'account status freeze_scope overdraft_limit credits debits held version position limits';

/**
 * The last states of accounts that are there: arrays of the number and of the columns that change. A state
 * that is not newer than the row changes nothing, so batches may overlap and come again.
 *
 * Measured before, with ids as keys and "insert … on conflict do update" for every state: the figures are in
 * docs/adr/0020.
 */
export const updateAccounts = (schema: string): WriteStatement => ({
  name: 'changed accounts',
  rows: (first) =>
    rowsOfArrays(first, 'int smallint smallint bigint bigint bigint bigint bigint bigint bytea', CHANGING),
  change: {
    update: `${schema}.accounts a`,
    set: `status = r.status, freeze_scope = r.freeze_scope, overdraft_limit = r.overdraft_limit,
  credits = r.credits, debits = r.debits, held = r.held, version = r.version, position = r.position,
  limits = r.limits`,
    where: 'a.account = r.account and a.version < r.version',
  },
});

/** The states of accounts that have no row yet: arrays of the columns. */
export const insertAccounts = (schema: string): WriteStatement => ({
  name: 'new accounts',
  rows: (first) =>
    rowsOfArrays(
      first,
      'text text smallint text smallint smallint bigint bigint bigint bigint bigint bigint bytea',
    ),
  change: {
    into: `${schema}.accounts as a`,
    columns: `ledger_id, account_id, type, currency, status, freeze_scope,
  overdraft_limit, credits, debits, held, version, position, limits`,
    onConflict: `
on conflict (ledger_id, account_id) do update set
  status = excluded.status, freeze_scope = excluded.freeze_scope, overdraft_limit = excluded.overdraft_limit,
  credits = excluded.credits, debits = excluded.debits, held = excluded.held,
  version = excluded.version, position = excluded.position, limits = excluded.limits
where a.version < excluded.version`,
  },
});
