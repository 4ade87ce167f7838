/**
 * The canonical rows, page by page in order of their keys. Sums are shown by 15-minute buckets alone: other
 * stores have no such segments, so the rollups of a bucket are added up, with what is in no segment yet.
 */
import { ENTRY_COLUMNS, entryArrays, VOLUME_COLUMNS, DECLINE_COLUMNS, volumeArrays } from './rollups.sql.js';

/** The first ledger at or after $1 (or only $1 itself, if $2). */
export const nextLedgerSql = (schema: string): string => `
select l.ledger, l.ledger_id, l.partition from ${schema}.ledgers l
where case when $2::boolean then l.ledger_id = $1::text else l.ledger_id >= $1::text end
order by l.ledger_id limit 1`;

/**
 * The packs of a ledger that end at or after a position, the tail's (of all ledgers) after the sealed ones: $1
 * ledger, $2 partition, $3 position, $4 how many.
 */
export const packsFromSql = (schema: string): string => `
with sealed as materialized (
  select p.through, p.rows from ${schema}.packs p
  where p.ledger = $1::int and p.through >= $3::bigint
  order by p.through limit $4::int
)
select through, rows as pack from sealed
union all
select t.through, t.rows from (
  select through, rows from ${schema}.tail
  where partition = $2::int and through >= $3
  order by through limit $4
) as t
where (select count(*) from sealed) < $4
order by through`;

/** $1 numbers of accounts */
export const accountsSql = (schema: string): string => `
select a.account, a.account_id, a.type, a.currency from ${schema}.accounts a where a.account = any ($1::int[])`;

/**
 * The 15-minute bucket up to which a page of sums has rows enough; null where no sealed ones follow. $1
 * ledger, $2 partition, $3 the first bucket, $4 how many rows.
 */
export const horizonSql = (schema: string, rollup: string): string => `
select max(r.recorded_bucket) filter (where r.n = $4::int) as last
from (
  select recorded_bucket, row_number() over (order by position) as n from ${schema}.${rollup}
  where ledger = $1::int and position > ${throughOf(schema, '< $3::int')}
  order by position limit $4
) as r`;

/**
 * What a page of sums adds up, from one snapshot: the positions that its buckets are in, in sealed segments,
 * and the packs of the tail, of all ledgers. One row at least. $1 partition, $2 and $3 first and last bucket.
 */
export const sumsStandingSql = (schema: string): string => `
select s.after, s.through, t.rows as pack
from (
  select ${throughOf(schema, '< $2::int', '$1::int')} as after, ${throughOf(schema, '<= $3::int', '$1')} as through
) as s
left join ${schema}.tail t on t.partition = $1 and t.recorded_bucket between $2 and $3`;

/** The last sealed position of the buckets for which a condition holds. */
function throughOf(schema: string, condition: string, partition = '$2::int'): string {
  return `coalesce((
    select s.through from ${schema}.segments s where s.partition = ${partition} and s.recorded_bucket ${condition}
    order by s.recorded_bucket desc, s.through desc limit 1
  ), -1)`;
}

/** Of a rollup, and of the sums of the tail: $1 ledger, $2 and $3 positions after and through, the arrays from $6 on. */
const summedUp = (schema: string, rollup: string, columns: string, rows: string): string => `
  select ${columns} from ${schema}.${rollup}
  where ledger = $1::int and position > $2::bigint and position <= $3::bigint
  union all
  ${rows}`;

const BUCKETS = `lpad(m.recorded_bucket::text, 10, '0')`;
const BOTH_BUCKETS = `${BUCKETS} || ' ' || lpad(m.effective_bucket::text, 10, '0')`;

/**
 * Sums: $1 ledger, $2 and $3 positions after and through, $4 how many, $5 only what comes after this text, the
 * sums of the tail from $6 on.
 */
const page = (sums: string): string => `
select * from (${sums}
) as s
where s.key collate "C" > $5::text
order by s.key collate "C" limit $4::int`;

export const entrySumsSql = (schema: string): string =>
  page(`
  select ${BOTH_BUCKETS} || ' ' || a.account_id || ' ' || m.kind as key,
    max(m.position) as position, sum(m.entries) as count, a.type, a.currency, sum(m.debits) as debits, sum(m.credits) as credits
  from (${summedUp(schema, 'entry_rollup', ENTRY_COLUMNS, entryArrays(6))}
  ) as m
  join ${schema}.accounts a on a.account = m.account
  group by m.recorded_bucket, m.effective_bucket, a.account, m.kind`);

export const volumeSumsSql = (schema: string): string =>
  page(`
  select ${BOTH_BUCKETS} || ' ' || m.currency || ' ' || m.kind as key,
    max(m.position) as position, sum(m.transactions) as count, sum(m.principal) as principal
  from (${summedUp(schema, 'volume_rollup', VOLUME_COLUMNS, volumeArrays(6))}
  ) as m
  group by m.recorded_bucket, m.effective_bucket, m.currency, m.kind`);

export const declineSumsSql = (schema: string): string =>
  page(`
  select ${BUCKETS} || ' ' || m.currency || ' ' || m.reason as key,
    max(m.position) as position, sum(m.declines) as count, sum(m.principal) as principal
  from (${summedUp(schema, 'decline_rollup', DECLINE_COLUMNS, volumeArrays(6))}
  ) as m
  group by m.recorded_bucket, m.currency, m.reason`);
