/**
 * What two generations hold, as digests: where they agree the rows are the same. A digest is the sum of the
 * hashes of rows, each with all its columns, so that the order of rows does not count.
 */
import { hashOf } from '../../../stores/postgres/sql/digest.sql.js';

/** How many blocks a table has. $1 the table */
export const tableBlocks = `
select pg_relation_size($1::regclass) / current_setting('block_size')::bigint as blocks`;

/**
 * The rows of a table that nothing is changed in, by run of positions. They are read as they lie on disk: by
 * an index each row would be a look-up. $1 the first block, $2 the block after the last, $3 the greatest
 * position, $4 how many bits a position has within its run
 */
export const storedRuns = (table: string): string => `
select t.position >> $4::integer as run, count(*) as rows, sum(${hashOf('t')})::text as digest
from ${table} t
where t.ctid >= format('(%s,0)', $1::bigint)::tid and t.ctid < format('(%s,0)', $2::bigint)::tid
  and t.position <= $3::bigint
group by 1`;

/** What a page says. `names` are the ids with their keys. */
const pageOf = (rows: string, names: string, last: string): string => `
select count(*) as rows, coalesce(sum(${hashOf('t')}), 0)::text as digest,
  coalesce(sum(${hashOf(names)}), 0)::text as names, ${last}
from (${rows}) t`;

/** $1 ledger_id, $2 account_id after which the page begins, $3 the greatest position of opening, $4 limit */
export const accountsPage = (schema: string): string =>
  pageOf(
    `select * from ${schema}.accounts a
    where (a.ledger_id, a.account_id) > ($1, $2) and a.opened_position <= $3::bigint
    order by a.ledger_id, a.account_id limit $4`,
    'row(t.ledger_id, t.account_id, t.opened_position)',
    `(array_agg(t.ledger_id order by t.ledger_id desc, t.account_id desc))[1] as ledger_id,
  (array_agg(t.account_id order by t.ledger_id desc, t.account_id desc))[1] as account_id`,
  );

/** $1 ledger_id after which the page begins, $2 the greatest position of creation, $3 limit */
export const ledgersPage = (schema: string): string =>
  pageOf(
    `select * from ${schema}.ledgers l
    where l.ledger_id > $1 and l.position <= $2::bigint order by l.ledger_id limit $3`,
    'row(t.ledger_id, t.position)',
    'max(t.ledger_id) as ledger_id',
  );

/**
 * The transactions whose last change differs. $1 and $2 the positions between which they are, the second one
 * included
 */
export const differentChanges = (one: string, other: string): string => {
  const part = (schema: string) =>
    `(select * from ${schema}.changes where position > $1::bigint and position <= $2::bigint)`;
  return `
select coalesce(a.ledger, b.ledger) as ledger, coalesce(a.position, b.position) as position
from ${part(one)} a full join ${part(other)} b using (position)
where a is distinct from b
order by 1, 2`;
};

/** The ids of ledgers by their keys, in either generation. $1 the keys */
export const ledgerIds = (one: string, other: string): string => `
select position as ledger, ledger_id from ${one}.ledgers where position = any ($1::bigint[])
union
select position, ledger_id from ${other}.ledgers where position = any ($1::bigint[])`;

/** The ledgers that have transactions in a run. $1 and $2 the first and the last position of the run */
export const ledgersBetween = (one: string, other: string): string => {
  const part = (schema: string) => `
select l.position as ledger, l.ledger_id from ${schema}.ledgers l
where exists (select from ${schema}.transactions t
  where t.ledger = l.position and t.position between $1::bigint and $2::bigint)`;
  return `${part(one)} union ${part(other)}`;
};
