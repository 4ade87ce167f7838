/** What applying a batch writes, and the numbers it needs before. */
import { rowsOfArrays, type WriteStatement } from '../../../stores/postgres/table-write.js';

/**
 * Numbers are given one batch of a partition after the other; statements look up by key, also
 * before there are statistics. If they are lost in a crash, so is all that was written with them.
 */
export const beginNumbers = `
begin; set local synchronous_commit = off; set local enable_seqscan = off;
set local enable_hashjoin = off; set local enable_mergejoin = off`;

/** $1 partition */
export const lockNumbers = (schema: string): string => `
select from ${schema}.checkpoint where partition = $1 for update`;

/** The numbers of ledgers that have one. $1 ids. */
export const knownLedgersSql = (schema: string): string => `
select l.ledger, l.ledger_id from ${schema}.ledgers l where l.ledger_id = any($1::text[])`;

/** Gives numbers to ledgers that have none. $1 ids, $2 partition. */
export const addLedgersSql = (schema: string): string => `
insert into ${schema}.ledgers (partition, ledger_id)
select $2, w.ledger_id from unnest($1::text[]) as w (ledger_id)
on conflict (ledger_id) do nothing`;

/**
 * The numbers of accounts that have one, and their places in what was asked for. $1 ledgers, $2 ids. "offset 0"
 * keeps the look-up by key in a nested loop, also in a statement that was prepared while the table was empty.
 */
export const knownAccountsSql = (schema: string): string => `
select a.account, w.place::int
from unnest($1::int[], $2::text[]) with ordinality as w (ledger, account_id, place)
cross join lateral (
  select x.account from ${schema}.accounts x
  where x.ledger = w.ledger and x.account_id = w.account_id
  offset 0
) a`;

/** Gives numbers to accounts that have none. $1 ledgers, $2 ids, $3 types, $4 currencies. */
export const addAccountsSql = (schema: string): string => `
insert into ${schema}.accounts (ledger, account_id, type, currency)
select w.* from unnest($1::int[], $2::text[], $3::smallint[], $4::text[]) as w (ledger, account_id, type, currency)
on conflict (ledger, account_id) do nothing`;

/** Packs of the tail: arrays of the columns. */
export const insertTail = (schema: string): WriteStatement => ({
  name: 'tail',
  rows: (first) => rowsOfArrays(first, 'int bigint bigint int bytea'),
  change: { into: `${schema}.tail`, columns: 'partition, through, to_time, recorded_bucket, rows' },
});
