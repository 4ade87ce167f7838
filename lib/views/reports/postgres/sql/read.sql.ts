/**
 * The reports. In all of them: $1 ledger, $2 the last sealed position that counts, $3 currency or empty; the
 * report buckets of what is sealed by position: $4 edges (ascending positions - 1) and $5 the bucket between
 * them, -1 for none, one more than edges; then the sums of single records, as arrays; then, but for declines,
 * whether all sums go by position (by time of record) or only those of transactions dated when they were
 * recorded, and the report buckets of the others by effective time: edges (numbers of 15 minutes) and buckets.
 *
 * Sealed sums are in a bucket as a whole or in none, single records are those that no sealed sum answers for:
 * the two are disjoint and together exactly what counts. Nothing here changes once it is sealed.
 */
import { AccountType } from '../../../../../gen/quittance/common/v1/account_pb.js';
import type { RankQuery, TrialBalanceGroup } from '../../view.js';

const POSITION_EDGES = '$4::bigint[]';
const last = (edges: string): string => `(${edges})[cardinality(${edges})]`;

/**
 * The report bucket of what lies between edges. Between two it is one bucket, which the planner takes for the
 * constant that it is.
 */
const bucketOf = (key: string, edges: string, buckets: string): string =>
  `case when cardinality(${edges}) = 2 then (${buckets})[2] else (${buckets})[width_bucket(${key}, ${edges}) + 1] end`;

/** The report bucket of a row of a rollup `r` that goes by position, and which rows those may be. */
const byPosition = bucketOf('r.position - 1', POSITION_EDGES, '$5::int[]');
const inPositions = `r.position > (${POSITION_EDGES})[1]
    and r.position <= least(${last(POSITION_EDGES)}, $2::bigint)`;

/** The same of a row that goes by effective time; the parameters from `$first` on. */
const timesFrom = (first: number) => {
  const [isByPosition, edges, buckets] = [
    `$${String(first)}::boolean`,
    `$${String(first + 1)}::bigint[]`,
    `$${String(first + 2)}::int[]`,
  ];
  return {
    datedWhenRecorded: `(r.on_time or ${isByPosition})`,
    byTime: bucketOf('r.effective_bucket::bigint', edges, buckets),
    inTimes: `not r.on_time and not ${isByPosition}
    and r.effective_bucket >= (${edges})[1] and r.effective_bucket < ${last(edges)} and r.position <= $2`,
  };
};

interface Movements {
  /** Only of accounts `a` for which this holds; undefined: all. */
  readonly only?: string;
  /** Only of the account with the number $15. */
  readonly one?: boolean;
}

/**
 * CTEs up to `moves`: what moved on accounts. The arrays from $6 on: buckets, accounts, kinds, debits,
 * credits, numbers of entries; effective time from $12 on. A table just filled has no statistics, and the planner takes its rows for few;
 * so nothing here joins two of its guesses (a nested loop over 10,000 by 10,000 rows ran for over 5 s):
 * `is true` keeps the test of membership a hashed look-up, and reports sum up by account before they look at
 * accounts by key.
 */
const movements = (schema: string, { only, one }: Movements): string => {
  const among = (account: string): string => {
    if (one === true) return `and ${account} = $15::int`;
    return only === undefined ? '' : `and (${account} in (select account from selected)) is true`;
  };
  const selected = `selected as materialized (
  select a.account from ${schema}.accounts a
  where a.ledger = $1 and ($3::text = '' or a.currency = $3) and ${only ?? ''}
),`;
  const { datedWhenRecorded, byTime, inTimes } = timesFrom(12);
  // The rows of one account are looked up by it alone, which belongs to one ledger.
  const ofLedger = one === true ? 'true' : 'r.ledger = $1::int';
  const sums = 'r.account, r.kind, r.debits, r.credits, r.entries';
  return `
with ${only === undefined ? '' : selected} moves as (
  select m.* from (
    select ${byPosition} as bucket, ${sums} from ${schema}.entry_rollup r
    where ${ofLedger} and ${inPositions} and ${datedWhenRecorded} ${among('r.account')}
    union all
    select ${byTime}, ${sums} from ${schema}.entry_rollup r
    where ${ofLedger} and ${inTimes} ${among('r.account')}
    union all
    select s.* from unnest($6::int[], $7::int[], $8::smallint[], $9::bigint[], $10::bigint[], $11::bigint[])
      as s (bucket, account, kind, debits, credits, entries)
    where $1::int is not null ${among('s.account')}
  ) as m
  where m.bucket >= 0
)`;
};

const typeNames = Object.values(AccountType)
  .filter((type): type is AccountType => typeof type === 'number')
  .map((type) => `when ${type} then '${AccountType[type]}'`)
  .join(' ');

function groupKey(groupBy: TrialBalanceGroup): string {
  if (groupBy === 'type') return `(case a.type ${typeNames} end)`;
  if (groupBy === 'account') return 'a.account_id';
  return `array_to_string((string_to_array(a.account_id, ':'))[1:${String(groupBy.prefix)}], ':')`;
}

/**
 * $15 and $16: currency and key that the page begins after, $17: its size. Part 1 is the page, part 2 the
 * totals.
 */
export const trialBalanceSql = (schema: string, groupBy: TrialBalanceGroup): string =>
  movements(schema, {}) +
  `, sums as (
  select m.account, sum(m.debits) as debits, sum(m.credits) as credits from moves m group by m.account
), grouped as materialized (
  select a.currency, ${groupKey(groupBy)} collate "C" as key, min(a.type) as least, max(a.type) as greatest,
    sum(s.debits) as debits, sum(s.credits) as credits
  from sums s join ${schema}.accounts a on a.account = s.account
  where $3::text = '' or a.currency = $3
  group by 1, 2
)
select t.* from (
  select * from (
    select 1 as part, g.currency, g.key, case when g.least = g.greatest then g.least else 0 end as type, g.debits, g.credits
    from grouped g where (g.currency, g.key) > ($15::text collate "C", $16::text collate "C")
    order by g.currency, g.key limit $17::int
  ) as page
  union all
  select 2, g.currency, '', 0, sum(g.debits), sum(g.credits) from grouped g group by g.currency
) as t
order by t.part, t.currency, t.key`;

/** With `one`, $15 is the account's number; else all ASSET accounts. */
export const cashFlowSql = (schema: string, one: boolean): string =>
  movements(schema, one ? { one } : { only: `a.type = ${String(AccountType.ASSET)}` }) +
  `, sums as (
  select m.bucket, m.account, m.kind, sum(m.debits) as debits, sum(m.credits) as credits
  from moves m group by m.bucket, m.account, m.kind
)
select s.bucket, a.currency, s.kind, sum(s.debits) as debits, sum(s.credits) as credits
from sums s join ${schema}.accounts a on a.account = s.account
where $3::text = '' or a.currency = $3
group by s.bucket, a.currency, s.kind
order by s.bucket, a.currency, s.kind`;

const figure: Record<RankQuery['by'], string> = {
  debits: 's.debits',
  credits: 's.credits',
  count: 's.entries',
  posted: 's.credits - s.debits',
};

/** $15: how many. */
export const rankSql = (schema: string, by: RankQuery['by']): string =>
  movements(schema, {}) +
  `, sums as (
  select m.account, sum(m.debits) as debits, sum(m.credits) as credits, sum(m.entries) as entries from moves m group by m.account
)
select a.account_id, s.debits, s.credits, s.entries
from sums s join ${schema}.accounts a on a.account = s.account
where a.type = ${String(AccountType.LIABILITY)} and a.currency = $3::text
order by ${figure[by]} desc, a.account_id limit $15::int`;

/** The arrays from $6 on: buckets, currencies, kinds or reasons, numbers of transactions, principals. */
const volumes = (sealed: string): string => `
select v.bucket, v.currency, v.what, sum(v.count) as count, sum(v.principal) as volume
from (${sealed}
  union all
  select s.* from unnest($6::int[], $7::text[], $8::smallint[], $9::bigint[], $10::bigint[])
    as s (bucket, currency, what, count, principal)
) as v
where v.bucket >= 0 and ($3::text = '' or v.currency = $3)
group by v.bucket, v.currency, v.what
order by v.bucket, v.currency collate "C", v.what`;

/** Effective time from $11 on. */
export const volumeSql = (schema: string): string => {
  const { datedWhenRecorded, byTime, inTimes } = timesFrom(11);
  return volumes(`
  select ${byPosition} as bucket, r.currency, r.kind as what, r.transactions as count, r.principal
  from ${schema}.volume_rollup r
  where r.ledger = $1::int and ${inPositions} and ${datedWhenRecorded}
  union all
  select ${byTime}, r.currency, r.kind, r.transactions, r.principal
  from ${schema}.volume_rollup r
  where r.ledger = $1 and ${inTimes}`);
};

export const declinesSql = (schema: string): string =>
  volumes(`
  select ${byPosition} as bucket, r.currency, r.reason as what, r.declines as count, r.principal
  from ${schema}.decline_rollup r
  where r.ledger = $1::int and ${inPositions}`);
