/**
 * The tables of a generation. Each fact is stored once. A ledger and an account have a key: the position of
 * the event that created or opened them, which no other can have, so that no number has to be given. A
 * transaction is the event that made it, as the log has it (composed when read: a fifth of the write cost of
 * a composed document); its last change stands in a narrow table of its own, so that a payment updates no
 * row. Ids are ASCII and collate as bytes. A caller's free texts are bytea: a query may hold a zero
 * character, which no text can hold.
 *
 * Indexes follow the order in which lists are read, (filter, position), and are partial where most rows have
 * nothing to find. recorded_time rises with position, so that a range of it is a range of positions, found by
 * bisection. effective_time is null where it is recorded_time, and never after it.
 */
export const createTables = (schema: string): string =>
  [ledgers, accounts, lines, transactions, changes, named].map((table) => table(schema)).join('\n');

/** The key of a ledger is its position. */
const ledgers = (schema: string): string => `
create table ${schema}.ledgers (
  ledger_id text collate "C" primary key,
  partition integer not null,
  position bigint not null,
  document bytea not null
);
create index on ${schema}.ledgers (partition, position);`;

/** The key of an account is its opened_position. */
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

/**
 * What happened to an account: a line per posted entry, with the account right after it, and one per event
 * that changed the account without an entry of it (entry -1, amount 0). The last line of an event is the
 * account's version.
 */
const lines = (schema: string): string => `
create table ${schema}.lines (
  account bigint not null,
  position bigint not null,
  -- Minor units, below zero for a debit.
  amount bigint not null,
  credits bigint not null,
  debits bigint not null,
  version bigint not null,
  effective_time bigint,
  -- Null: zero.
  held bigint,
  overdraft_limit bigint,
  entry smallint not null,
  -- An event.v1.AccountLimits; null: none.
  limits bytea,
  primary key (account, position, entry)
);
create index on ${schema}.lines (account, effective_time, position, entry) include (amount)
  where effective_time is not null;`;

/**
 * `kind` is below zero if the transaction was declined: a list by kind or by status reads one order or
 * merges a few. payment_id is null on the root, which a list finds by its own id.
 */
const transactions = (schema: string): string => `
create table ${schema}.transactions (
  position bigint not null,
  recorded_time bigint not null,
  ledger bigint not null,
  effective_time bigint,
  kind smallint not null,
  transaction_id uuid not null,
  payment_id uuid,
  reference bytea,
  event bytea not null,
  primary key (ledger, position)
);
create unique index on ${schema}.transactions (transaction_id, ledger);
create index on ${schema}.transactions (ledger, kind, position);
create index on ${schema}.transactions (ledger, effective_time, position) where effective_time is not null;
create index on ${schema}.transactions (ledger, payment_id, position) where payment_id is not null;
create index on ${schema}.transactions (ledger, reference, position) where reference is not null;`;

/**
 * The last change of a transaction, by the position of the transaction; of an authorization also its status,
 * from the beginning (only an authorization changes its status), and while its hold is open when that expires,
 * so that the index of it holds open ones alone.
 */
const changes = (schema: string): string => `
create table ${schema}.changes (
  position bigint primary key,
  ledger bigint not null,
  version bigint not null,
  changed_position bigint not null,
  expire_time bigint,
  status smallint,
  change bytea
);
create index on ${schema}.changes (ledger, status, position) where status is not null;
create index on ${schema}.changes (ledger, expire_time, position) where expire_time is not null;`;

/** The accounts that a transaction names without an entry: it was declined, or is an authorization. */
const named = (schema: string): string => `
create table ${schema}.transaction_accounts (
  account bigint not null,
  position bigint not null,
  effective_time bigint,
  primary key (account, position)
);
create index on ${schema}.transaction_accounts (account, effective_time, position)
  where effective_time is not null;`;
