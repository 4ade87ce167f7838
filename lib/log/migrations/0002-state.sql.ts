/**
 * The state tables: a write-behind projection of the log for the command services alone. A row of
 * state.transactions exists only for what changed after it was made, and for authorizations: all else of a
 * transaction stands in its own event, which log.request_keys finds by its id.
 */
export const createState = `
create schema state;

create table state.checkpoint (
  only_row boolean primary key default true check (only_row),
  epoch integer not null,
  position bigint not null,
  hash bytea not null
);

create table state.ledgers (
  ledger_id text collate "C" primary key,
  position bigint not null,
  closed_through bigint
);

create table state.accounts (
  ledger_id text collate "C" not null,
  account_id text collate "C" not null,
  version bigint not null,
  type smallint not null,
  currency text not null,
  status smallint not null,
  freeze_scope smallint not null,
  overdraft_limit bigint not null,
  credits bigint not null,
  debits bigint not null,
  held bigint not null,
  profile_version bigint not null,
  name text not null,
  owner_reference text not null,
  metadata jsonb not null,
  -- An event.v1.AccountLimits; null: none.
  limits bytea,
  primary key (ledger_id, account_id)
) with (fillfactor = 70);

create table state.transactions (
  ledger_id text collate "C" not null,
  transaction_id uuid not null,
  version bigint not null,
  state bytea not null,
  hold_expire_time bigint,
  primary key (ledger_id, transaction_id)
) with (fillfactor = 80);

create index transactions_open_hold on state.transactions (hold_expire_time) where hold_expire_time is not null;
`;
