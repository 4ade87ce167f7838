/**
 * The reports in ClickHouse. In all of them: ledger, through: the last position that counts, sealed and tail:
 * the last sealed chunk that ends by it and where it ends, bounds: the bounds of the buckets of time (n + 1
 * ascending), cut: the numbers of the 15-minute buckets that a bound cuts, first and last: the first and the
 * last such number within the bounds, currency or empty.
 *
 * What is in those sealed chunks and in 15-minute buckets that no bound cuts comes from the rollup, all else
 * from the entries: the two are disjoint and together exactly the events up to `through`.
 *
 * The position comes as a parameter, from a read that ended before. In one statement with the data it would
 * be wrong: ClickHouse fixes the parts of a table that it reads when it resolves the name, and evaluates a
 * scalar subquery after that; then a checkpoint can be newer than the data beside it.
 */
import { AccountType } from '../../../../../gen/quittance/common/v1/account_pb.js';
import { ROLLUP_WIDTH } from '../../fold.js';
import type { RankQuery, TimeBasis, TrialBalanceGroup } from '../../view.js';
import { bucketOf } from './schema.sql.js';

/** The tables of a generation, as statements name them. */
export interface ReportTables {
  readonly entries: string;
  readonly rollup: string;
}

interface Movements {
  readonly basis: TimeBasis;
  /** Only rows for which this holds. */
  readonly only: string;
  /** Whether a bound cuts a bucket: else nothing of the sealed chunks is read from the entries. */
  readonly isCut: boolean;
}

const OF_LEDGER = `ledger_id = {ledger:String} and ({currency:String} = '' or currency = {currency:String})`;

/** In which report bucket a time is: the number of the bound that the bucket begins with. */
const startOf = (time: string): string => `roundDown(${time}, {bounds:Array(Int64)})`;

/** All that counts, with its time bucket as `start`: the sums of the rollup, and single entries. */
const movements = ({ entries, rollup }: ReportTables, { basis, only, isCut }: Movements): string => {
  const time = `${basis}_time`;
  const bucket = `${basis}_bucket`;
  const single = (where: string): string => `
  select ${startOf(time)} as start, account_id, type, currency, kind, reason,
    if(amount < 0, -toInt128(amount), toInt128(0)) as debits, if(amount > 0, toInt128(amount), toInt128(0)) as credits,
    toUInt64(reason = 0) as entries, principal, toUInt64(transactions) as transactions
  from ${entries} final
  where ${OF_LEDGER} and ${only} and ${where}
    and ${time} >= {bounds:Array(Int64)}[1] and ${time} < {bounds:Array(Int64)}[-1]`;
  return `
  select ${startOf(`toInt64(${bucket}) * ${ROLLUP_WIDTH}`)} as start, account_id, type, currency, kind, reason,
    debits, credits, entries, principal, transactions
  from ${rollup} final
  where ${OF_LEDGER} and ${only} and chunk <= {sealed:Int64}
    and ${bucket} between {first:Int32} and {last:Int32} and not has({cut:Array(Int32)}, ${bucket})
  union all ${single('position > {tail:Int64} and position <= {through:Int64}')}
  ${isCut ? `union all ${single(`position <= {tail:Int64} and ${bucketOf(time)} in {cut:Array(Int32)}`)}` : ''}`;
};

const typeNames = Object.values(AccountType).filter((type): type is AccountType => typeof type === 'number');

const typeName = `transform(type, [${typeNames.join(', ')}], [${typeNames.map((type) => `'${AccountType[type]}'`).join(', ')}], '')`;

function groupKey(groupBy: TrialBalanceGroup): string {
  if (groupBy === 'type') return typeName;
  if (groupBy === 'account') return 'account_id';
  return `arrayStringConcat(arraySlice(splitByChar(':', account_id), 1, ${String(groupBy.prefix)}), ':')`;
}

export const trialBalanceSql = (
  tables: ReportTables,
  basis: TimeBasis,
  groupBy: TrialBalanceGroup,
  isCut: boolean,
): string => `
select row_currency, row_key, toUInt8(is_total) as total, if(least = greatest, least, 0) as row_type, toString(all_debits) as debits_text,
  toString(all_credits) as credits_text
from (
  select toString(currency) as row_currency, ${groupKey(groupBy)} as row_key, grouping(row_key) as is_total,
    min(type) as least, max(type) as greatest, sum(debits) as all_debits, sum(credits) as all_credits
  from (${movements(tables, { basis, only: 'reason = 0', isCut })})
  group by grouping sets ((row_currency, row_key), (row_currency))
)
where is_total = 1 or (row_currency, row_key) > ({after_currency:String}, {after_key:String})
order by is_total, row_currency, row_key
limit {limit:UInt32} by is_total, if(is_total = 1, row_currency, '')`;

/** With `one`, account is the account's id; else all ASSET accounts. */
export const cashFlowSql = (tables: ReportTables, basis: TimeBasis, one: boolean, isCut: boolean): string => `
select start, toString(currency) as row_currency, kind, toString(sum(debits)) as debits_text,
  toString(sum(credits)) as credits_text
from (${movements(tables, {
  basis,
  isCut,
  only: `reason = 0 and ${one ? 'account_id = {account:String}' : `type = ${String(AccountType.ASSET)}`}`,
})})
group by start, row_currency, kind
order by start, row_currency, kind`;

const figure: Record<RankQuery['by'], string> = {
  debits: 'sum(debits)',
  credits: 'sum(credits)',
  count: 'sum(entries)',
  posted: 'sum(credits) - sum(debits)',
};

export const rankSql = (
  tables: ReportTables,
  basis: TimeBasis,
  by: RankQuery['by'],
  isCut: boolean,
): string => `
select account_id, toString(sum(debits)) as debits_text, toString(sum(credits)) as credits_text,
  toString(sum(entries)) as entries_text
from (${movements(tables, { basis, isCut, only: `reason = 0 and type = ${String(AccountType.LIABILITY)}` })})
group by account_id
order by ${figure[by]} desc, account_id
limit {limit:UInt32}`;

/** By kind of what was posted, or by reason of what was declined. */
export const volumeSql = (
  tables: ReportTables,
  basis: TimeBasis,
  by: 'kind' | 'reason',
  isCut: boolean,
): string => `
select start, toString(currency) as row_currency, ${by} as what, toString(sum(transactions)) as count_text,
  toString(sum(principal)) as volume_text
from (${movements(tables, { basis, isCut, only: `transactions > 0 and reason ${by === 'kind' ? '= 0' : '> 0'}` })})
group by start, row_currency, what
order by start, row_currency, what`;
