/**
 * The tables of a generation, without its checkpoints.
 *
 * `postings` has one row a transaction with its entries in arrays, not one row an entry: a payment costs one
 * row and two index entries instead of three rows and nine, which is what bounds a rebuild. Accounts and
 * ledgers are numbers in it.
 *
 * Rollups are written once and never updated. A segment is what was recorded in one 15-minute bucket and in
 * one run of 65,536 positions; once the checkpoint has left a segment, its rollup rows are summed up from its
 * postings, and the segment is entered with them in one transaction. So at any position P: the segments
 * entered that end at or before P are in the rollups, and the few positions after them are read from the
 * postings.
 */
export const schemaSql = (schema: string): string => rowTables(schema) + rollupTables(schema);

const rowTables = (schema: string): string => `
create table ${schema}.ledgers (
  ledger int generated always as identity primary key,
  partition int not null,
  ledger_id text collate "C" not null unique
);
create table ${schema}.accounts (
  account int generated always as identity primary key,
  ledger int not null,
  account_id text collate "C" not null,
  type smallint not null,
  currency text collate "C" not null,
  unique (ledger, account_id)
);
-- entries: accounts[i] was credited with amounts[i], or debited where it is below zero. principal is in currency.
create table ${schema}.postings (
  position bigint not null,
  effective_time bigint not null,
  recorded_time bigint not null,
  principal bigint not null,
  ledger int not null,
  kind smallint not null,
  currency text collate "C" not null,
  accounts int[] not null,
  amounts bigint[] not null,
  primary key (ledger, position)
);
create index postings_effective on ${schema}.postings (ledger, effective_time);
-- What journals moved in currencies after their first.
create table ${schema}.further_volumes (
  position bigint not null,
  effective_time bigint not null,
  recorded_time bigint not null,
  ledger int not null,
  kind smallint not null,
  currency text collate "C" not null,
  principal numeric not null,
  primary key (ledger, position, currency)
);
create index further_volumes_effective on ${schema}.further_volumes (ledger, effective_time);
create table ${schema}.declines (
  position bigint not null,
  recorded_time bigint not null,
  principal bigint not null,
  ledger int not null,
  reason smallint not null,
  currency text collate "C" not null,
  primary key (ledger, position)
);
`;

const rollupTables = (schema: string): string => `
-- The segments that are in the rollups: the positions in (after, through], recorded in recorded_bucket.
create table ${schema}.segments (
  partition int not null,
  through bigint not null,
  after bigint not null,
  recorded_bucket int not null,
  primary key (partition, through)
);
create index segments_recorded on ${schema}.segments (partition, recorded_bucket);
-- In the rollups, position is that of the last event summed up, and tells the segment; a bucket is a number of 15 minutes since 1970.
create table ${schema}.entry_rollup (
  position bigint not null,
  ledger int not null,
  account int not null,
  effective_bucket int not null,
  recorded_bucket int not null,
  kind smallint not null,
  debits numeric not null,
  credits numeric not null,
  entries bigint not null
);
create index entry_rollup_effective on ${schema}.entry_rollup (ledger, effective_bucket);
create index entry_rollup_recorded on ${schema}.entry_rollup (ledger, recorded_bucket);
create index entry_rollup_account on ${schema}.entry_rollup (account);
create table ${schema}.volume_rollup (
  position bigint not null,
  ledger int not null,
  effective_bucket int not null,
  recorded_bucket int not null,
  kind smallint not null,
  currency text collate "C" not null,
  principal numeric not null,
  transactions bigint not null
);
create index volume_rollup_effective on ${schema}.volume_rollup (ledger, effective_bucket);
create index volume_rollup_recorded on ${schema}.volume_rollup (ledger, recorded_bucket);
create table ${schema}.decline_rollup (
  position bigint not null,
  ledger int not null,
  recorded_bucket int not null,
  reason smallint not null,
  currency text collate "C" not null,
  principal numeric not null,
  declines bigint not null
);
create index decline_rollup_recorded on ${schema}.decline_rollup (ledger, recorded_bucket);
`;
