/**
 * Sums up the segments that the checkpoint has left, in one transaction. In all of these, $1 is the
 * partition, and $2 and $3 are where the segment of the checkpoint begins: the start of its 15 minutes, UTC
 * microseconds, and of its run of positions.
 */
import { ROLLUP_WIDTH } from '../../fold.js';

/** 65,536 positions. */
export const RUN_BITS = 16n;

/**
 * One snapshot for all statements: of two processes at the same segments, neither sees the other's half way,
 * and the second to enter one fails on its key. Ranges go by index, whatever the statistics say of a table
 * just filled.
 */
export const beginSeal = `
begin isolation level repeatable read; set local synchronous_commit = off; set local enable_seqscan = off;
set local enable_hashjoin = off; set local enable_mergejoin = off`;

/** The rows of a table that are in no segment yet and will not be joined by others of theirs. */
const unsealed = (schema: string, table: string): string => `
  from ${schema}.ledgers l
  join ${schema}.${table} p on p.ledger = l.ledger
  where l.partition = $1
    and p.position > (select coalesce(max(s.through), -1) from ${schema}.segments s where s.partition = $1)
    and (p.recorded_time < $2 or p.position < $3)`;

const RECORDED = `(p.recorded_time / ${ROLLUP_WIDTH})::int`;
const EFFECTIVE = `(p.effective_time / ${ROLLUP_WIDTH})::int`;
const RUN = `p.position >> ${RUN_BITS}`;

export const sealEntriesSql = (schema: string): string => `
insert into ${schema}.entry_rollup
  (position, ledger, account, effective_bucket, recorded_bucket, kind, debits, credits, entries)
select max(p.position), p.ledger, e.account, p.effective_bucket, p.recorded_bucket, p.kind,
  coalesce(-sum(e.amount) filter (where e.amount < 0), 0), coalesce(sum(e.amount) filter (where e.amount > 0), 0), count(*)
from (
  select p.position, p.ledger, p.kind, p.accounts, p.amounts,
    ${EFFECTIVE} as effective_bucket, ${RECORDED} as recorded_bucket, ${RUN} as run
  ${unsealed(schema, 'postings')}
) as p
cross join lateral unnest(p.accounts, p.amounts) as e (account, amount)
group by p.ledger, e.account, p.effective_bucket, p.recorded_bucket, p.kind, p.run`;

/** Of `postings`, and likewise of `further_volumes`. */
export const sealVolumesSql = (schema: string, table: 'postings' | 'further_volumes'): string => `
insert into ${schema}.volume_rollup
  (position, ledger, effective_bucket, recorded_bucket, kind, currency, principal, transactions)
select max(p.position), p.ledger, ${EFFECTIVE}, ${RECORDED}, p.kind, p.currency, sum(p.principal), count(*)
${unsealed(schema, table)}
group by p.ledger, ${EFFECTIVE}, ${RECORDED}, p.kind, p.currency, ${RUN}`;

export const sealDeclinesSql = (schema: string): string => `
insert into ${schema}.decline_rollup (position, ledger, recorded_bucket, reason, currency, principal, declines)
select max(p.position), p.ledger, ${RECORDED}, p.reason, p.currency, sum(p.principal), count(*)
${unsealed(schema, 'declines')}
group by p.ledger, ${RECORDED}, p.reason, p.currency, ${RUN}`;

/** The segments themselves: comes last, since the others look for what is in none. */
export const sealSegmentsSql = (schema: string): string => `
insert into ${schema}.segments (partition, through, after, recorded_bucket)
select $1, f.through, lag(f.through, 1, f.sealed) over (order by f.through), f.recorded_bucket
from (
  select max(p.position) as through, ${RECORDED} as recorded_bucket,
    (select coalesce(max(s.through), -1) from ${schema}.segments s where s.partition = $1) as sealed
  from (
    select p.position, p.recorded_time ${unsealed(schema, 'postings')}
    union all
    select p.position, p.recorded_time ${unsealed(schema, 'declines')}
  ) as p
  group by ${RECORDED}, ${RUN}
) as f`;
