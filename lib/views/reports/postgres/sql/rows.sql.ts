/**
 * The canonical rows, page by page in order of their keys. Sums are shown by 15-minute buckets alone:
 * segments are this store's own affair, so the rollups of a bucket are added up, with what is in no segment
 * yet.
 */
import { ROLLUP_WIDTH } from '../../fold.js';

/** The first ledger at or after $1 (or only $1 itself, if $2). */
export const nextLedgerSql = (schema: string): string => `
select l.ledger, l.ledger_id, l.partition from ${schema}.ledgers l
where case when $2::boolean then l.ledger_id = $1::text else l.ledger_id >= $1::text end
order by l.ledger_id limit 1`;

/** $1 ledger, $2 only positions after this, $3 how many. */
export const declineRowsSql = (schema: string): string => `
select d.position, d.recorded_time, d.principal, d.reason, d.currency from ${schema}.declines d
where d.ledger = $1::int and d.position > $2::bigint
order by d.position limit $3::int`;

/** $1 ledger, $2 and $3 only entries after this position and index, $4 how many. */
export const entryRowsSql = (schema: string): string => `
select p.position, (e.n - 1)::int as index, a.account_id, a.type, a.currency, p.kind, e.amount, p.effective_time, p.recorded_time
from (
  select * from ${schema}.postings
  where ledger = $1::int and position >= $2::bigint
  order by position limit $4::int + 1
) as p
cross join lateral unnest(p.accounts, p.amounts) with ordinality as e (account, amount, n)
join ${schema}.accounts a on a.account = e.account
where (p.position, e.n - 1) > ($2, $3::bigint)
order by p.position, e.n limit $4`;

/** $1 ledger, $2 and $3 only volumes after this position and currency, $4 how many. */
export const volumeRowsSql = (schema: string): string => {
  const of = (table: string): string => `(
  select p.position, p.currency, p.kind, p.principal::numeric as principal, p.effective_time, p.recorded_time
  from ${schema}.${table} p
  where p.ledger = $1::int and p.position >= $2::bigint and (p.position, p.currency) > ($2, $3::text collate "C")
  order by p.position, p.currency limit $4::int
)`;
  return `${of('postings')} union all ${of('further_volumes')} order by position, currency limit $4`;
};

/**
 * The 15-minute bucket up to which a page of sums has rows enough; null where no sealed ones follow. $1
 * ledger, $2 the first bucket, $3 how many rows.
 */
export const horizonSql = (schema: string, rollup: string): string => `
select max(r.recorded_bucket) filter (where r.n = $3::int) as last
from (
  select recorded_bucket, row_number() over (order by recorded_bucket) as n from ${schema}.${rollup}
  where ledger = $1::int and recorded_bucket >= $2::int
  order by recorded_bucket limit $3
) as r`;

const sealed = (schema: string): string =>
  `(select coalesce(max(s.through), -1) from ${schema}.segments s where s.partition = $2::int)`;
const tail = (schema: string, table: string): string => `
  ${schema}.${table} p where p.ledger = $1::int and p.position > ${sealed(schema)}`;
const RECORDED = `(p.recorded_time / ${ROLLUP_WIDTH})::int`;
const EFFECTIVE = `(p.effective_time / ${ROLLUP_WIDTH})::int`;

/**
 * Sums: $1 ledger, $2 partition, $3 and $4 first and last bucket, $5 how many, $6 only what comes after this
 * text.
 */
export const entrySumsSql = (schema: string): string => `
select * from (
  select lpad(m.recorded_bucket::text, 10, '0') || ' ' || lpad(m.effective_bucket::text, 10, '0') || ' ' || a.account_id
      || ' ' || m.kind as key,
    max(m.position) as position, sum(m.entries) as count, a.type, a.currency, sum(m.debits) as debits, sum(m.credits) as credits
  from (
    select r.position, r.account, r.effective_bucket, r.recorded_bucket, r.kind, r.debits, r.credits, r.entries
    from ${schema}.entry_rollup r
    where r.ledger = $1 and r.recorded_bucket between $3::int and $4::int
    union all
    select p.position, e.account, ${EFFECTIVE}, ${RECORDED}, p.kind,
      case when e.amount < 0 then -e.amount else 0 end, case when e.amount > 0 then e.amount else 0 end, 1
    from (select * from ${tail(schema, 'postings')}) as p
    cross join lateral unnest(p.accounts, p.amounts) as e (account, amount)
  ) as m
  join ${schema}.accounts a on a.account = m.account
  where m.recorded_bucket between $3 and $4
  group by m.recorded_bucket, m.effective_bucket, a.account, m.kind
) as s
where s.key collate "C" > $6::text
order by s.key collate "C" limit $5::int`;

export const volumeSumsSql = (schema: string): string => `
select * from (
  select lpad(m.recorded_bucket::text, 10, '0') || ' ' || lpad(m.effective_bucket::text, 10, '0') || ' ' || m.currency
      || ' ' || m.kind as key,
    max(m.position) as position, sum(m.transactions) as count, sum(m.principal) as principal
  from (
    select r.position, r.effective_bucket, r.recorded_bucket, r.kind, r.currency, r.principal, r.transactions
    from ${schema}.volume_rollup r
    where r.ledger = $1 and r.recorded_bucket between $3::int and $4::int
    union all
    select p.position, ${EFFECTIVE}, ${RECORDED}, p.kind, p.currency, p.principal, 1 from ${tail(schema, 'postings')}
    union all
    select p.position, ${EFFECTIVE}, ${RECORDED}, p.kind, p.currency, p.principal, 1 from ${tail(schema, 'further_volumes')}
  ) as m
  where m.recorded_bucket between $3 and $4
  group by m.recorded_bucket, m.effective_bucket, m.currency, m.kind
) as s
where s.key collate "C" > $6::text
order by s.key collate "C" limit $5::int`;

export const declineSumsSql = (schema: string): string => `
select * from (
  select lpad(m.recorded_bucket::text, 10, '0') || ' ' || m.currency || ' ' || m.reason as key,
    max(m.position) as position, sum(m.declines) as count, sum(m.principal) as principal
  from (
    select r.position, r.recorded_bucket, r.reason, r.currency, r.principal, r.declines from ${schema}.decline_rollup r
    where r.ledger = $1 and r.recorded_bucket between $3::int and $4::int
    union all
    select p.position, ${RECORDED}, p.reason, p.currency, p.principal, 1 from ${tail(schema, 'declines')}
  ) as m
  where m.recorded_bucket between $3 and $4
  group by m.recorded_bucket, m.currency, m.reason
) as s
where s.key collate "C" > $6::text
order by s.key collate "C" limit $5::int`;
