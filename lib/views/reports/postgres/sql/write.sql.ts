/** What applying a batch writes, and the numbers it needs before. */
import { ifMoved } from '../../../stores/postgres/sql/apply.sql.js';

/**
 * Numbers are given one batch of a partition after the other; statements look up by key, whatever the statistics say. If
 * they are lost in a crash, so is all that was written with them.
 */
export const beginNumbers = `
begin; set local synchronous_commit = off; set local enable_seqscan = off;
set local enable_hashjoin = off; set local enable_mergejoin = off`;

/** $1 partition */
export const lockNumbers = (schema: string): string => `
select from ${schema}.checkpoint where partition = $1 for update`;

/** The numbers of ledgers, made where there are none. $1 ids, $2 partition. */
export const ledgerNumbersSql = (schema: string): string => `
with added as (
  insert into ${schema}.ledgers (partition, ledger_id)
  select $2, w.ledger_id from unnest($1::text[]) as w (ledger_id)
  on conflict (ledger_id) do nothing
  returning ledger, ledger_id
)
select ledger, ledger_id from added
union all
select ledger, ledger_id from ${schema}.ledgers where ledger_id = any($1::text[])`;

/** The numbers of accounts, made where there are none. $1 ledgers, $2 ids, $3 types, $4 currencies. */
export const accountNumbersSql = (schema: string): string => `
with wanted as (
  select w.* from unnest($1::int[], $2::text[], $3::smallint[], $4::text[]) as w (ledger, account_id, type, currency)
), added as (
  insert into ${schema}.accounts (ledger, account_id, type, currency)
  select ledger, account_id, type, currency from wanted
  on conflict (ledger, account_id) do nothing
  returning account, ledger, account_id
)
select account, ledger, account_id from added
union all
select a.account, a.ledger, a.account_id from wanted join ${schema}.accounts a using (ledger, account_id)`;

/**
 * $1 positions, $2 effective and $3 recorded times, $4 principals, $5 ledgers, $6 kinds, $7 currencies, $8 where the
 * entries of each end in $9 accounts and $10 amounts. Slices of one array, since there are no arrays of unequal arrays.
 */
export const insertPostingsSql = (schema: string): string => `
insert into ${schema}.postings
  (position, effective_time, recorded_time, principal, ledger, kind, currency, accounts, amounts)
select p.position, p.effective_time, p.recorded_time, p.principal, p.ledger, p.kind, p.currency,
  ($9::int[])[p.first + 1:p.through], ($10::bigint[])[p.first + 1:p.through]
from (
  select u.*, coalesce(lag(u.through) over (order by u.position), 0) as first
  from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::int[], $6::smallint[], $7::text[], $8::int[])
    as u (position, effective_time, recorded_time, principal, ledger, kind, currency, through)
) as p
where ${ifMoved}`;

/** $1 positions, $2 effective and $3 recorded times, $4 ledgers, $5 kinds, $6 currencies, $7 principals. */
export const insertFurtherVolumesSql = (schema: string): string => `
insert into ${schema}.further_volumes (position, effective_time, recorded_time, ledger, kind, currency, principal)
select u.* from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::int[], $5::smallint[], $6::text[], $7::numeric[])
  as u (position, effective_time, recorded_time, ledger, kind, currency, principal)
where ${ifMoved}`;

/** $1 positions, $2 recorded times, $3 principals, $4 ledgers, $5 reasons, $6 currencies. */
export const insertDeclinesSql = (schema: string): string => `
insert into ${schema}.declines (position, recorded_time, principal, ledger, reason, currency)
select u.* from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::int[], $5::smallint[], $6::text[])
  as u (position, recorded_time, principal, ledger, reason, currency)
where ${ifMoved}`;
