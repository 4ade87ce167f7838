/**
 * The writes of a batch, one set-based statement per table, with one array per column. Plain inserts: the
 * checkpoint that moves with them lets each event through once, so that a duplicate is a fault and must fail.
 */
import { arrays, rowsOfArrays, type WriteStatement } from '../../../stores/postgres/table-write.js';

/** The writes of one generation. */
export type HistoryStatements = ReturnType<typeof historyStatements>;

export const historyStatements = (schema: string) => ({
  ledgers: insertLedgers(schema),
  opened: insertAccounts(schema),
  changed: updateAccounts(schema),
  versions: insertVersions(schema),
  transactions: insertTransactions(schema),
  changes: updateTransactions(schema),
  named: insertNamed(schema),
  entries: insertEntries(schema),
});

/** The partition comes first, then the arrays. */
const insertLedgers = (schema: string): WriteStatement => ({
  name: 'ledgers',
  rows: (first) =>
    `select $${String(first)}::integer, u.* from unnest(${arrays(first + 1, 'text bigint bytea')}) as u`,
  change: { into: `${schema}.ledgers`, columns: 'partition, ledger_id, position, document' },
});

const insertAccounts = (schema: string): WriteStatement => ({
  name: 'opened accounts',
  rows: (first) =>
    rowsOfArrays(first, 'text text bigint bigint bigint smallint smallint smallint text bytea bytea'),
  change: {
    into: `${schema}.accounts`,
    columns: `ledger_id, account_id, opened_position, opened_time, changed_position, type, status, freeze_scope, currency,
    owner_reference, profile`,
  },
});

/** A null profile: neither it nor owner_reference changed. */
const updateAccounts = (schema: string): WriteStatement => ({
  name: 'changed accounts',
  rows: (first) => `
    select * from unnest(${arrays(first, 'text text bigint smallint smallint bytea bytea')})
      as u (ledger_id, account_id, changed_position, status, freeze_scope, owner_reference, profile)`,
  change: {
    update: `${schema}.accounts a`,
    set: `changed_position = r.changed_position, status = r.status, freeze_scope = r.freeze_scope,
    owner_reference = case when r.profile is null then a.owner_reference else r.owner_reference end,
    profile = coalesce(r.profile, a.profile)`,
    where: `a.ledger_id = r.ledger_id and a.account_id = r.account_id`,
  },
});

const insertVersions = (schema: string): WriteStatement => ({
  name: 'versions',
  rows: (first) => rowsOfArrays(first, 'text text bigint bigint bigint bigint bigint bigint'),
  change: {
    into: `${schema}.account_versions`,
    columns: 'ledger_id, account_id, position, version, credits, debits, held, overdraft_limit',
  },
});

const insertTransactions = (schema: string): WriteStatement => ({
  name: 'transactions',
  rows: (first) =>
    rowsOfArrays(
      first,
      'text bigint uuid smallint smallint bytea uuid bigint bigint bigint bigint bytea bytea',
    ),
  change: {
    into: `${schema}.transactions`,
    columns: `ledger_id, position, transaction_id, kind, status, reference, payment_id, effective_time, recorded_time,
    version, changed_position, event, change`,
  },
});

const updateTransactions = (schema: string): WriteStatement => ({
  name: 'changed transactions',
  rows: (first) => `
    select * from unnest(${arrays(first, 'text uuid smallint bigint bigint bytea')})
      as u (ledger_id, transaction_id, status, version, changed_position, change)`,
  change: {
    update: `${schema}.transactions t`,
    set: `status = r.status, version = r.version, changed_position = r.changed_position, change = r.change`,
    where: `t.ledger_id = r.ledger_id and t.transaction_id = r.transaction_id and t.version < r.version`,
  },
});

/** `changed` is 0 or 1: there is no array of booleans in postgres-arrays.ts. */
const insertNamed = (schema: string): WriteStatement => ({
  name: 'named accounts',
  rows: (first) => `
    select u.ledger_id, u.account_id, u.position, u.effective_time, u.changed = 1
    from unnest(${arrays(first, 'text text bigint bigint smallint')})
      as u (ledger_id, account_id, position, effective_time, changed)`,
  change: {
    into: `${schema}.transaction_accounts`,
    columns: 'ledger_id, account_id, position, effective_time, changed',
  },
});

const insertEntries = (schema: string): WriteStatement => ({
  name: 'entries',
  rows: (first) => rowsOfArrays(first, 'text bigint smallint text smallint bigint bigint bigint bigint'),
  change: {
    into: `${schema}.entries`,
    columns:
      'ledger_id, position, entry, account_id, direction, amount, version, posted_after, effective_time',
  },
});
