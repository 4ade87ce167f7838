/**
 * The table of a generation, without its checkpoints. One row per account, overwritten by every batch that
 * touches it: the pages keep room for new versions beside the old, and nothing but the key is indexed, so
 * updates are HOT. Vacuum comes after a fixed number of dead rows, not after a fifth of the table, since a
 * few hot accounts make nearly all of them.
 */
export const schemaSql = (schema: string): string => `
create table ${schema}.accounts (
  ledger_id text collate "C" not null,
  account_id text collate "C" not null,
  type smallint not null,
  currency text collate "C" not null,
  status smallint not null,
  freeze_scope smallint not null,
  overdraft_limit bigint not null,
  credits bigint not null,
  debits bigint not null,
  held bigint not null,
  version bigint not null,
  position bigint not null,
  primary key (ledger_id, account_id)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000)`;
