/** What applying a batch writes, and the numbers it needs before. */
import { arrays, rowsOfArrays, type WriteStatement } from '../../../stores/postgres/table-write.js';

/**
 * Numbers are given one batch of a partition after the other; statements look up by key, whatever the
 * statistics say. If they are lost in a crash, so is all that was written with them.
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

/** The writes of one generation. */
export type ReportStatements = ReturnType<typeof reportStatements>;

export const reportStatements = (schema: string) => ({
  postings: insertPostings(schema),
  furtherVolumes: insertFurtherVolumes(schema),
  declines: insertDeclines(schema),
});

/**
 * Arrays: positions, effective and recorded times, principals, ledgers, kinds, currencies, then where the
 * entries of each posting end in the last two arrays: accounts and amounts. PostgreSQL has no arrays of
 * unequal arrays, so each posting takes a slice.
 */
const insertPostings = (schema: string): WriteStatement => ({
  name: 'postings',
  rows: (first) => {
    const posting = arrays(first, 'bigint bigint bigint bigint int smallint text int');
    const [accounts, amounts] = [`$${String(first + 8)}::int[]`, `$${String(first + 9)}::bigint[]`];
    return `
    select p.position, p.effective_time, p.recorded_time, p.principal, p.ledger, p.kind, p.currency,
      (${accounts})[p.first + 1:p.through], (${amounts})[p.first + 1:p.through]
    from (
      select u.*, coalesce(lag(u.through) over (order by u.position), 0) as first
      from unnest(${posting})
        as u (position, effective_time, recorded_time, principal, ledger, kind, currency, through)
    ) as p`;
  },
  change: {
    into: `${schema}.postings`,
    columns: 'position, effective_time, recorded_time, principal, ledger, kind, currency, accounts, amounts',
  },
});

const insertFurtherVolumes = (schema: string): WriteStatement => ({
  name: 'further volumes',
  rows: (first) => rowsOfArrays(first, 'bigint bigint bigint int smallint text numeric'),
  change: {
    into: `${schema}.further_volumes`,
    columns: 'position, effective_time, recorded_time, ledger, kind, currency, principal',
  },
});

const insertDeclines = (schema: string): WriteStatement => ({
  name: 'declines',
  rows: (first) => rowsOfArrays(first, 'bigint bigint bigint int smallint text'),
  change: {
    into: `${schema}.declines`,
    columns: 'position, recorded_time, principal, ledger, reason, currency',
  },
});
