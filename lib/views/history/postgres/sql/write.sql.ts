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
  lines: insertLines(schema),
  transactions: insertTransactions(schema),
  changes: upsertChanges(schema),
  named: insertNamed(schema),
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

const insertLines = (schema: string): WriteStatement => ({
  name: 'lines',
  rows: (first) =>
    rowsOfArrays(first, 'bigint bigint bigint bigint bigint bigint bigint bigint bigint smallint bytea'),
  change: {
    into: `${schema}.lines`,
    columns:
      'account, position, amount, credits, debits, version, effective_time, held, overdraft_limit, entry, limits',
  },
});

const insertTransactions = (schema: string): WriteStatement => ({
  name: 'transactions',
  rows: (first) => rowsOfArrays(first, 'bigint bigint bigint bigint smallint uuid uuid bytea bytea'),
  change: {
    into: `${schema}.transactions`,
    columns: `position, recorded_time, ledger, effective_time, kind, transaction_id, payment_id, reference, event`,
  },
});

/**
 * A null position: the transaction was made before these events, and is found by its id. One that is not
 * there has no change.
 */
const upsertChanges = (schema: string): WriteStatement => ({
  name: 'changes',
  rows: (first) => `
    select * from (
      select coalesce(u.position, (
        select t.position from ${schema}.transactions t
        where t.transaction_id = u.transaction_id and t.ledger = u.ledger
      )) as position, u.ledger, u.version, u.changed_position, u.expire_time, u.status, u.change
      from unnest(${arrays(first, 'bigint bigint uuid bigint bigint bigint smallint bytea')})
        as u (position, ledger, transaction_id, version, changed_position, expire_time, status, change)
    ) c where c.position is not null`,
  change: {
    into: `${schema}.changes`,
    columns: 'position, ledger, version, changed_position, expire_time, status, change',
    onConflict: `on conflict (position) do update set version = excluded.version,
    changed_position = excluded.changed_position, expire_time = excluded.expire_time,
    status = excluded.status, change = excluded.change
    where changes.version < excluded.version`,
  },
});

const insertNamed = (schema: string): WriteStatement => ({
  name: 'named accounts',
  rows: (first) => rowsOfArrays(first, 'bigint bigint bigint'),
  change: {
    into: `${schema}.transaction_accounts`,
    columns: 'account, position, effective_time',
  },
});

/** $1 ledger ids, $2 account ids: the keys of those that are there. */
export const readAccountKeys = (schema: string): string => `
select a.ledger_id, a.account_id, a.opened_position as key
from unnest($1::text[], $2::text[]) as u (ledger_id, account_id)
join ${schema}.accounts a on a.ledger_id = u.ledger_id and a.account_id = u.account_id`;

/** $1 ledger ids: the keys of those that are there. */
export const readLedgerKeys = (schema: string): string => `
select l.ledger_id, l.position as key
from unnest($1::text[]) as u (ledger_id)
join ${schema}.ledgers l on l.ledger_id = u.ledger_id`;
