/**
 * The write-behind of the state tables. Rows come sorted by key (two writers in unsorted order: 14 deadlocks
 * in 16 batches) and are guarded by version, so they may be written any number of times.
 */
import { readAt } from '../sql/read.sql.js';

export const lockCheckpoint = `select epoch, position, hash from state.checkpoint for update`;

/** $1 position  $2 hash: whether the log has this event. It may have been restored since the changes were folded. */
export const isInLog = `
select exists (select from (${readAt}) a where sha256(a.event) = $2) as found`;

/** The tables hold nothing any more. */
export const clear = `truncate state.ledgers, state.accounts, state.transactions`;

export const resetCheckpoint = `update state.checkpoint set epoch = 0, position = -1, hash = ''`;

/** $1 epoch  $2 position  $3 hash */
export const moveCheckpoint = `update state.checkpoint set epoch = $1, position = $2, hash = $3 where position < $2`;

/** $1 ledger ids  $2 positions  $3 what is closed */
export const upsertLedgers = `
insert into state.ledgers as l (ledger_id, position, closed_through)
select * from unnest($1::text[], $2::bigint[], $3::bigint[])
on conflict (ledger_id) do update set position = excluded.position, closed_through = excluded.closed_through
where excluded.position > l.position`;

/**
 * $1 ledger ids  $2 account ids  $3 versions  $4 types  $5 currencies  $6 statuses  $7 freeze scopes  $8
 * overdraft limits
 * $9 credits  $10 debits  $11 held  $12 profile versions, 0 where the profile is not known: an older row has
 * it
 * $13 names  $14 owner references  $15 metadata, JSON  $16 limits; shorter than the others where the last are null
 */
export const upsertAccounts = `
insert into state.accounts as a (
  ledger_id, account_id, version, type, currency, status, freeze_scope, overdraft_limit, credits, debits, held,
  profile_version, name, owner_reference, metadata, limits
)
select
  u.ledger_id, u.account_id, u.version, u.type, u.currency, u.status, u.freeze_scope, u.overdraft_limit, u.credits,
  u.debits, u.held, u.profile_version, u.name, u.owner_reference, u.metadata::jsonb, u.limits
from unnest(
  $1::text[], $2::text[], $3::bigint[], $4::smallint[], $5::text[], $6::smallint[], $7::smallint[], $8::bigint[],
  $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::text[], $14::text[], $15::text[],
  $16::bytea[]
) as u (
  ledger_id, account_id, version, type, currency, status, freeze_scope, overdraft_limit, credits, debits, held,
  profile_version, name, owner_reference, metadata, limits
)
on conflict (ledger_id, account_id) do update set
  version = excluded.version,
  status = excluded.status,
  freeze_scope = excluded.freeze_scope,
  overdraft_limit = excluded.overdraft_limit,
  credits = excluded.credits,
  debits = excluded.debits,
  held = excluded.held,
  limits = excluded.limits,
  profile_version = greatest(a.profile_version, excluded.profile_version),
  name = case when excluded.profile_version > a.profile_version then excluded.name else a.name end,
  owner_reference = case when excluded.profile_version > a.profile_version then excluded.owner_reference else a.owner_reference end,
  metadata = case when excluded.profile_version > a.profile_version then excluded.metadata else a.metadata end
where excluded.version > a.version`;

/**
 * $1 ledger ids  $2 transaction ids  $3 versions  $4 states, end to end  $5 their lengths  $6 their starts
 * $7 expiry of open holds
 */
export const upsertTransactions = `
insert into state.transactions as t (ledger_id, transaction_id, version, state, hold_expire_time)
select u.ledger_id, u.transaction_id, u.version, substring($4::bytea from u.start for u.length), u.hold_expire_time
from unnest($1::text[], $2::uuid[], $3::bigint[], $5::integer[], $6::integer[], $7::bigint[])
  as u (ledger_id, transaction_id, version, length, start, hold_expire_time)
on conflict (ledger_id, transaction_id) do update set
  version = excluded.version,
  state = excluded.state,
  hold_expire_time = excluded.hold_expire_time
where excluded.version > t.version`;

/** Where the log of the server itself ends, and whether it is on disk up to a point. */
export const readInsertLsn = `select pg_current_wal_insert_lsn()::text as lsn`;

/** $1 an earlier insert position */
export const isFlushed = `select pg_current_wal_flush_lsn() >= $1::pg_lsn as flushed`;
