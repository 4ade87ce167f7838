/**
 * The tables of a generation. Each fact is stored once: a transaction is the event that made it and its last
 * change, as the log has them (composed when read: a fifth of the write cost of a composed document); an
 * account's money is in its versions, so that a payment updates no row at all; an entry's transaction and
 * currency are joined. Ids are ASCII and collate as bytes. A caller's free texts are bytea: a query may hold
 * a zero character, which no text can hold.
 *
 * Indexes follow the order in which lists are read, (filter, position). recorded_time rises with position, so
 * that a range of it is a range of positions. payment_id is null on the root, which a list finds by its own
 * id.
 */
export const createTables = (schema: string): string =>
  [ledgers, accounts, versions, transactions, named, entries].map((table) => table(schema)).join('\n');

const ledgers = (schema: string): string => `
create table ${schema}.ledgers (
  ledger_id text collate "C" primary key,
  partition integer not null,
  position bigint not null,
  document bytea not null
);
create index on ${schema}.ledgers (partition, position);`;

const accounts = (schema: string): string => `
create table ${schema}.accounts (
  ledger_id text collate "C" not null,
  account_id text collate "C" not null,
  opened_position bigint not null,
  opened_time bigint not null,
  changed_position bigint not null,
  type smallint not null,
  status smallint not null,
  freeze_scope smallint not null,
  currency text collate "C" not null,
  owner_reference bytea,
  profile bytea not null,
  primary key (ledger_id, account_id)
);
create unique index on ${schema}.accounts (ledger_id, opened_position);
create index on ${schema}.accounts (ledger_id, currency, opened_position);
create index on ${schema}.accounts (ledger_id, type, opened_position);
create index on ${schema}.accounts (ledger_id, status, opened_position);
create index on ${schema}.accounts (ledger_id, owner_reference, opened_position)
  where owner_reference is not null;`;

const versions = (schema: string): string => `
create table ${schema}.account_versions (
  position bigint not null,
  version bigint not null,
  credits bigint not null,
  debits bigint not null,
  held bigint not null,
  overdraft_limit bigint not null,
  ledger_id text collate "C" not null,
  account_id text collate "C" not null,
  primary key (ledger_id, account_id, position)
);`;

const transactions = (schema: string): string => `
create table ${schema}.transactions (
  position bigint not null,
  changed_position bigint not null,
  version bigint not null,
  effective_time bigint not null,
  recorded_time bigint not null,
  transaction_id uuid not null,
  payment_id uuid,
  kind smallint not null,
  status smallint not null,
  ledger_id text collate "C" not null,
  reference bytea,
  event bytea not null,
  change bytea,
  primary key (ledger_id, position)
);
create unique index on ${schema}.transactions (ledger_id, transaction_id);
create index on ${schema}.transactions (ledger_id, kind, position);
create index on ${schema}.transactions (ledger_id, status, position);
create index on ${schema}.transactions (ledger_id, recorded_time);
create index on ${schema}.transactions (ledger_id, effective_time, position);
create index on ${schema}.transactions (ledger_id, payment_id, position) where payment_id is not null;
create index on ${schema}.transactions (ledger_id, reference, position) where reference is not null;`;

/** The accounts that a transaction names without an entry: it was declined, or is an authorization. */
const named = (schema: string): string => `
create table ${schema}.transaction_accounts (
  position bigint not null,
  effective_time bigint not null,
  -- Whether the account has a version at this position all the same: the payer's, whose money is held.
  changed boolean not null,
  ledger_id text collate "C" not null,
  account_id text collate "C" not null,
  primary key (ledger_id, account_id, position)
);
create index on ${schema}.transaction_accounts (ledger_id, account_id, effective_time, position);`;

const entries = (schema: string): string => `
create table ${schema}.entries (
  position bigint not null,
  amount bigint not null,
  version bigint not null,
  posted_after bigint not null,
  effective_time bigint not null,
  entry smallint not null,
  direction smallint not null,
  ledger_id text collate "C" not null,
  account_id text collate "C" not null,
  primary key (ledger_id, position, entry)
);
create index on ${schema}.entries (ledger_id, account_id, effective_time, position, entry)
  include (amount, direction);`;
