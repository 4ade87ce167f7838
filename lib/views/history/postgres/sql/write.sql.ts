/**
 * The writes of a batch, one set-based statement a table. Plain inserts: the checkpoint that moves with them lets each
 * event through once, so that a duplicate is a fault and must fail.
 */
import { ifMoved } from '../../../stores/postgres/sql/apply.sql.js';

/** $1 partition, then arrays: $2 ledger_id, $3 position, $4 document */
export const insertLedgers = (schema: string): string => `
insert into ${schema}.ledgers (partition, ledger_id, position, document)
select $1, r.* from unnest($2::text[], $3::bigint[], $4::bytea[]) as r where ${ifMoved}`;

/**
 * Arrays: $1 ledger_id, $2 account_id, $3 opened_position, $4 opened_time, $5 changed_position, $6 type, $7 status,
 * $8 freeze_scope, $9 currency, $10 owner_reference, $11 profile
 */
export const insertAccounts = (schema: string): string => `
insert into ${schema}.accounts (ledger_id, account_id, opened_position, opened_time, changed_position, type, status,
  freeze_scope, currency, owner_reference, profile)
select r.* from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::smallint[],
  $7::smallint[], $8::smallint[], $9::text[], $10::bytea[], $11::bytea[]) as r where ${ifMoved}`;

/**
 * Arrays: $1 ledger_id, $2 account_id, $3 changed_position, $4 status, $5 freeze_scope, $6 owner_reference, $7 profile (null:
 * neither it nor owner_reference changed)
 */
export const updateAccounts = (schema: string): string => `
update ${schema}.accounts a
set changed_position = r.changed_position, status = r.status, freeze_scope = r.freeze_scope,
  owner_reference = case when r.profile is null then a.owner_reference else r.owner_reference end,
  profile = coalesce(r.profile, a.profile)
from unnest($1::text[], $2::text[], $3::bigint[], $4::smallint[], $5::smallint[], $6::bytea[], $7::bytea[])
  as r (ledger_id, account_id, changed_position, status, freeze_scope, owner_reference, profile)
where a.ledger_id = r.ledger_id and a.account_id = r.account_id and ${ifMoved}`;

/**
 * Arrays: $1 ledger_id, $2 account_id, $3 position, $4 version, $5 credits, $6 debits, $7 held, $8 overdraft_limit
 */
export const insertVersions = (schema: string): string => `
insert into ${schema}.account_versions (ledger_id, account_id, position, version, credits, debits, held, overdraft_limit)
select r.* from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
  $8::bigint[]) as r where ${ifMoved}`;

/**
 * Arrays: $1 ledger_id, $2 position, $3 transaction_id, $4 kind, $5 status, $6 reference, $7 payment_id, $8 effective_time,
 * $9 recorded_time, $10 version, $11 changed_position, $12 event, $13 change
 */
export const insertTransactions = (schema: string): string => `
insert into ${schema}.transactions (ledger_id, position, transaction_id, kind, status, reference, payment_id,
  effective_time, recorded_time, version, changed_position, event, change)
select r.* from unnest($1::text[], $2::bigint[], $3::uuid[], $4::smallint[], $5::smallint[], $6::bytea[], $7::uuid[],
  $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bytea[], $13::bytea[]) as r where ${ifMoved}`;

/** Arrays: $1 ledger_id, $2 transaction_id, $3 status, $4 version, $5 changed_position, $6 change */
export const updateTransactions = (schema: string): string => `
update ${schema}.transactions t
set status = r.status, version = r.version, changed_position = r.changed_position, change = r.change
from unnest($1::text[], $2::uuid[], $3::smallint[], $4::bigint[], $5::bigint[], $6::bytea[])
  as r (ledger_id, transaction_id, status, version, changed_position, change)
where t.ledger_id = r.ledger_id and t.transaction_id = r.transaction_id and t.version < r.version
  and ${ifMoved}`;

/** Arrays: $1 ledger_id, $2 account_id, $3 position, $4 effective_time, $5 changed (0 or 1) */
export const insertNamed = (schema: string): string => `
insert into ${schema}.transaction_accounts (ledger_id, account_id, position, effective_time, changed)
select r.ledger_id, r.account_id, r.position, r.effective_time, r.changed = 1
from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::smallint[])
  as r (ledger_id, account_id, position, effective_time, changed)
where ${ifMoved}`;

/**
 * Arrays: $1 ledger_id, $2 position, $3 entry, $4 account_id, $5 direction, $6 amount, $7 version, $8 posted_after,
 * $9 effective_time
 */
export const insertEntries = (schema: string): string => `
insert into ${schema}.entries (ledger_id, position, entry, account_id, direction, amount, version, posted_after,
  effective_time)
select r.* from unnest($1::text[], $2::bigint[], $3::smallint[], $4::text[], $5::smallint[], $6::bigint[], $7::bigint[],
  $8::bigint[], $9::bigint[]) as r where ${ifMoved}`;
