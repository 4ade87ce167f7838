/**
 * The reports. In all of them: $1 partition, $2 ledger id, $3 the last position that counts or null, $4 the
 * bounds of the buckets of time (n + 1 ascending), $5 the numbers of the 15-minute buckets that a bound cuts,
 * $6 and $7 the first and the last such number within the bounds, $8 currency or empty.
 *
 * What is in segments that end by $3 and in 15-minute buckets that no bound cuts comes from the rollups, all
 * else from the single rows: the two are disjoint and together exactly the events up to $3. One statement,
 * one snapshot, with the checkpoint beside the data.
 */
import { AccountType } from '../../../../../gen/quittance/common/v1/account_pb.js';
import { checkpointColumns } from '../../../stores/postgres/sql/generations.sql.js';
import { ROLLUP_WIDTH } from '../../fold.js';
import type { RankQuery, TimeBasis, TrialBalanceQuery } from '../../view.js';

const LEDGER = '(select ledger from point)';
const SEALED = '(select sealed from point)';
const THROUGH = '(select through from point)';
const FROM = '($4::bigint[])[1]';
const TO = '($4::bigint[])[cardinality($4::bigint[])]';
const LAST_POSITION = 9_223_372_036_854_775_807n;

const point = (schema: string): string => `
point as materialized (
  select coalesce($3::bigint, ${LAST_POSITION}) as through,
    (select l.ledger from ${schema}.ledgers l where l.ledger_id = $2::text) as ledger,
    coalesce((
      select max(s.through) from ${schema}.segments s
      where s.partition = $1::int and s.through <= coalesce($3::bigint, ${LAST_POSITION})
    ), -1) as sealed
)`;

/** Which rows of a rollup `r` count. */
const rolled = (basis: TimeBasis): string => `
  r.position <= ${SEALED} and r.${basis}_bucket between $6::int and $7::int and r.${basis}_bucket <> all ($5::int[])`;

/**
 * The rows of a table of single rows that no rollup answers for. `+ 0` keeps the planner, where it has no
 * statistics, from the index of the wrong column: it went through all of a ledger's times for the few
 * positions of the tail.
 */
const single = (schema: string, table: string, basis: TimeBasis): string => {
  const inRange = `p.${basis}_time + 0 >= ${FROM} and p.${basis}_time + 0 < ${TO}`;
  const tail = `
  select p.* from ${schema}.${table} p
  where p.ledger = ${LEDGER} and p.position > ${SEALED} and p.position <= ${THROUGH} and ${inRange}
  union all`;
  if (basis === 'recorded') {
    return `${tail}
  select p.* from ${schema}.segments s
  join ${schema}.${table} p on p.ledger = ${LEDGER} and p.position > s.after and p.position <= s.through
  where s.partition = $1 and s.recorded_bucket = any ($5::int[]) and s.through <= ${SEALED} and ${inRange}`;
  }
  return `${tail}
  select p.* from unnest($5::int[]) as c (bucket)
  join ${schema}.${table} p on p.ledger = ${LEDGER} and p.effective_time >= c.bucket::bigint * ${ROLLUP_WIDTH}
    and p.effective_time < (c.bucket::bigint + 1) * ${ROLLUP_WIDTH}
  where p.position + 0 <= ${SEALED} and ${inRange}`;
};

/** Which report bucket a rollup row, or a single row, is in. */
const rolledBucket = (basis: TimeBasis): string =>
  `width_bucket(r.${basis}_bucket::bigint * ${ROLLUP_WIDTH}, $4::bigint[]) - 1`;
const singleBucket = (basis: TimeBasis): string => `width_bucket(p.${basis}_time, $4::bigint[]) - 1`;

interface Movements {
  readonly basis: TimeBasis;
  readonly bucketed: boolean;
  /** Only of accounts `a` for which this holds; undefined: all. */
  readonly only?: string;
  /**
   * Whether that is at most one account: then its rows are looked up by the account alone, which belongs to
   * one ledger.
   */
  readonly one?: boolean;
}

/**
 * CTEs up to `moves`: what moved on accounts. A table just filled has no statistics, and the planner takes
 * its rows for few; so nothing here joins two of its guesses (a nested loop over 10,000 by 10,000 rows ran
 * for over 5 s): `is true` keeps the test of membership a hashed look-up, and reports sum up by account
 * before they look at accounts by key.
 */
const movements = (schema: string, { basis, bucketed, only, one }: Movements): string => {
  const among = (account: string): string => {
    if (only === undefined) return '';
    const selected = '(select account from selected)';
    return one === true ? `and ${account} = ${selected}` : `and (${account} in ${selected}) is true`;
  };
  const selected = `selected as materialized (
  select a.account from ${schema}.accounts a
  where a.ledger = ${LEDGER} and ($8::text = '' or a.currency = $8) and ${only ?? ''}
),`;
  return `
with ${point(schema)}, ${only === undefined ? '' : selected} moves as (
  select ${bucketed ? rolledBucket(basis) : '0'} as bucket, r.account, r.kind, r.debits, r.credits, r.entries
  from ${schema}.entry_rollup r
  where ${one === true ? '' : `r.ledger = ${LEDGER} and`} ${rolled(basis)} ${among('r.account')}
  union all
  select ${bucketed ? singleBucket(basis) : '0'}, e.account, p.kind,
    case when e.amount < 0 then -e.amount else 0 end::numeric, case when e.amount > 0 then e.amount else 0 end::numeric, 1
  from (${single(schema, 'postings', basis)}
  ) as p
  cross join lateral unnest(p.accounts, p.amounts) as e (account, amount)
  where true ${among('e.account')}
)`;
};

/** Data beside the checkpoint; without data one row with the checkpoint alone. */
const withCheckpoint = (schema: string, data: string, order: string): string => `
select ${checkpointColumns}, t.*
from (select 1) as one
left join ${schema}.checkpoint c on c.partition = $1
left join (select true as is_data, d.* from (${data}) as d) as t on true
order by ${order}`;

const typeNames = Object.values(AccountType)
  .filter((type): type is AccountType => typeof type === 'number')
  .map((type) => `when ${type} then '${AccountType[type]}'`)
  .join(' ');

const groupKey: Record<TrialBalanceQuery['groupBy'], string> = {
  type: `(case a.type ${typeNames} end)`,
  prefix: `split_part(a.account_id, ':', 1)`,
  account: 'a.account_id',
};

/**
 * $9 and $10: currency and key that the page begins after, $11: its size. Part 1 is the page, part 2 the
 * totals.
 */
export const trialBalanceSql = (
  schema: string,
  basis: TimeBasis,
  groupBy: TrialBalanceQuery['groupBy'],
): string =>
  movements(schema, { basis, bucketed: false }) +
  `, sums as (
  select m.account, sum(m.debits) as debits, sum(m.credits) as credits from moves m group by m.account
), grouped as materialized (
  select a.currency, ${groupKey[groupBy]} collate "C" as key, min(a.type) as least, max(a.type) as greatest,
    sum(s.debits) as debits, sum(s.credits) as credits
  from sums s join ${schema}.accounts a on a.account = s.account
  where $8::text = '' or a.currency = $8
  group by 1, 2
)` +
  withCheckpoint(
    schema,
    `
  select * from (
    select 1 as part, g.currency, g.key, case when g.least = g.greatest then g.least else 0 end as type, g.debits, g.credits
    from grouped g where (g.currency, g.key) > ($9::text collate "C", $10::text collate "C")
    order by g.currency, g.key limit $11::int
  ) as page
  union all
  select 2, g.currency, '', 0, sum(g.debits), sum(g.credits) from grouped g group by g.currency`,
    't.part, t.currency, t.key',
  );

/** With `one`, $9 is the account's id. */
export const cashFlowSql = (schema: string, basis: TimeBasis, one: boolean): string =>
  movements(schema, {
    basis,
    bucketed: true,
    only: one ? 'a.account_id = $9::text' : `a.type = ${AccountType.ASSET}`,
    one,
  }) +
  `, sums as (
  select m.bucket, m.account, m.kind, sum(m.debits) as debits, sum(m.credits) as credits
  from moves m group by m.bucket, m.account, m.kind
)` +
  withCheckpoint(
    schema,
    `
  select s.bucket, a.currency, s.kind, sum(s.debits) as debits, sum(s.credits) as credits
  from sums s join ${schema}.accounts a on a.account = s.account
  group by s.bucket, a.currency, s.kind`,
    't.bucket, t.currency, t.kind',
  );

const figure: Record<RankQuery['by'], string> = {
  debits: 's.debits',
  credits: 's.credits',
  count: 's.entries',
  posted: 's.credits - s.debits',
};

/** $9: how many. */
export const rankSql = (schema: string, basis: TimeBasis, by: RankQuery['by']): string =>
  movements(schema, { basis, bucketed: false }) +
  `, sums as (
  select m.account, sum(m.debits) as debits, sum(m.credits) as credits, sum(m.entries) as entries from moves m group by m.account
)` +
  withCheckpoint(
    schema,
    `
  select a.account_id, s.debits, s.credits, s.entries, ${figure[by]} as figure
  from sums s join ${schema}.accounts a on a.account = s.account
  where a.type = ${AccountType.LIABILITY} and a.currency = $8::text
  order by figure desc, a.account_id limit $9::int`,
    't.figure desc, t.account_id',
  );

export const volumeSql = (schema: string, basis: TimeBasis): string => `
with ${point(schema)}, volumes as (
  select ${rolledBucket(basis)} as bucket, r.currency, r.kind, r.transactions, r.principal
  from ${schema}.volume_rollup r
  where r.ledger = ${LEDGER} and ${rolled(basis)} and ($8::text = '' or r.currency = $8)
  union all
  select ${singleBucket(basis)}, p.currency, p.kind, 1, p.principal
  from (${single(schema, 'postings', basis)}
  ) as p where $8::text = '' or p.currency = $8
  union all
  select ${singleBucket(basis)}, p.currency, p.kind, 1, p.principal
  from (${single(schema, 'further_volumes', basis)}
  ) as p where $8::text = '' or p.currency = $8
)${withCheckpoint(
  schema,
  `
  select v.bucket, v.currency, v.kind, sum(v.transactions) as count, sum(v.principal) as volume
  from volumes v group by v.bucket, v.currency, v.kind`,
  't.bucket, t.currency, t.kind',
)}`;

export const declinesSql = (schema: string): string => `
with ${point(schema)}, declined as (
  select ${rolledBucket('recorded')} as bucket, r.currency, r.reason, r.declines, r.principal
  from ${schema}.decline_rollup r
  where r.ledger = ${LEDGER} and ${rolled('recorded')} and ($8::text = '' or r.currency = $8)
  union all
  select ${singleBucket('recorded')}, p.currency, p.reason, 1, p.principal
  from (${single(schema, 'declines', 'recorded')}
  ) as p where $8::text = '' or p.currency = $8
)${withCheckpoint(
  schema,
  `
  select d.bucket, d.currency, d.reason, sum(d.declines) as count, sum(d.principal) as volume
  from declined d group by d.bucket, d.currency, d.reason`,
  't.bucket, t.currency, t.reason',
)}`;
