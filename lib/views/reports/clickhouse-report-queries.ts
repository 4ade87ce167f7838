/** The reports as ClickHouse answers them. The checkpoint is read first: all facts up to it are there. */
import { AccountType } from '../../../gen/quittance/common/v1/account_pb.js';
import { type Params, select } from '../clickhouse-client.js';
import type { Read } from '../view.js';
import type { ReportCheckpoints } from './clickhouse-report-checkpoints.js';
import { FACT } from './clickhouse-report-schema.js';
import { type Place, sourceParams, sourceSql, type Span, spanOf } from './clickhouse-report-source.js';
import type {
  BucketQuery,
  CashFlowQuery,
  CashFlowRow,
  DeclineRow,
  RankedRow,
  RankQuery,
  TimeBasis,
  TrialBalance,
  TrialBalanceQuery,
  TrialBalanceRow,
  VolumeRow,
} from './view.js';

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

type Scope = Pick<BucketQuery, 'partition' | 'ledgerId' | 'through' | 'currency' | 'basis'>;

/** A generation, and where its partitions stand. */
export interface ReadPlace extends Place {
  readonly checkpoints: ReportCheckpoints;
}

/** What a statement is made of: facts between the first and the last bound. */
interface Asking {
  readonly place: Place;
  readonly from: string;
  readonly params: Params;
}

async function asking<T>(
  place: ReadPlace,
  scope: Scope,
  fact: number,
  bounds: readonly bigint[],
  read: (asked: Asking) => Promise<T>,
): Promise<Read<T>> {
  const { partition, ledgerId: ledger, currency } = scope;
  const { checkpoint: asOf, sealed } = await place.checkpoints.standing(partition);
  const through = scope.through === null || scope.through > asOf.position ? asOf.position : scope.through;
  const span: Span = spanOf(through, sealed);
  const [first, last] = [bounds[0] ?? INT64_MIN, bounds.at(-1) ?? INT64_MAX];
  const params = { ledger, fact, currency, ...sourceParams(span, bounds), first, last };
  return { value: await read({ place, from: fromSql(place.prefix, scope.basis), params }), asOf };
}

function fromSql(prefix: string, basis: TimeBasis): string {
  return `FROM (${sourceSql(prefix, basis)})
WHERE time >= {first:Int64} AND time < {last:Int64} AND ({currency:String} = '' OR currency = {currency:String})`;
}

interface Sums {
  readonly debit_sum: string;
  readonly credit_sum: string;
}

const sumsOf = ({ debit_sum, credit_sum }: Sums) => ({
  debits: BigInt(debit_sum),
  credits: BigInt(credit_sum),
});
/** Not named as the columns that they sum: ClickHouse would take one for the other. */
const SUMS = 'toString(sum(debits)) AS debit_sum, toString(sum(credits)) AS credit_sum';

const GROUP_KEYS: Readonly<Record<TrialBalanceQuery['groupBy'], string>> = {
  type: 'toString(type)',
  prefix: `splitByChar(':', account_id)[1]`,
  account: 'account_id',
};

/** @see ReportsView.trialBalance */
export function readTrialBalance(place: ReadPlace, query: TrialBalanceQuery): Promise<Read<TrialBalance>> {
  const bounds = [INT64_MIN, query.before ?? INT64_MAX];
  return asking(place, query, FACT.entry, bounds, async (asked) => {
    const [rows, totals] = await Promise.all([trialRows(asked, query), trialTotals(asked)]);
    return { rows, totals };
  });
}

async function trialRows(
  { place, from, params }: Asking,
  { groupBy, after, limit }: TrialBalanceQuery,
): Promise<TrialBalanceRow[]> {
  // There are a handful of types, whose names ClickHouse does not know: they are put in order here.
  const isPaged = groupBy !== 'type';
  const rows = await select<Sums & { currency: string; group: string; least: number; most: number }>(
    place.client,
    `SELECT currency, ${GROUP_KEYS[groupBy]} AS group, min(type) AS least, max(type) AS most, ${SUMS}
    ${from} GROUP BY currency, group
    ${isPaged ? 'HAVING (currency, group) > ({afterCurrency:String}, {afterKey:String})' : ''}
    ORDER BY currency, group ${isPaged ? 'LIMIT {limit:UInt32}' : ''}`,
    { ...params, afterCurrency: after?.currency ?? '', afterKey: after?.key ?? '', limit },
  );
  const found = rows.map(({ currency, group, least, most, ...sums }): TrialBalanceRow => {
    const type: AccountType = least === most ? least : AccountType.UNSPECIFIED;
    return { currency, key: isPaged ? group : AccountType[type], type, ...sumsOf(sums) };
  });
  if (isPaged) return found;
  const order = ({ currency, key }: { currency: string; key: string }) => `${currency} ${key}`;
  return found
    .filter((row) => after === null || order(row) > order(after))
    .sort((one, other) => (order(one) < order(other) ? -1 : 1))
    .slice(0, limit);
}

async function trialTotals({ place, from, params }: Asking): Promise<TrialBalance['totals']> {
  const rows = await select<Sums & { currency: string }>(
    place.client,
    `SELECT currency, ${SUMS} ${from} GROUP BY currency ORDER BY currency`,
    params,
  );
  return rows.map((row) => ({ currency: row.currency, ...sumsOf(row) }));
}

interface BucketRow extends Sums {
  readonly bucket: number;
  readonly currency: string;
  readonly kind: number;
  readonly entries: string;
}

/** Sums by bucket, currency and kind, in that order; kinds as texts. */
async function buckets(
  { place, from, params }: Asking,
  bounds: readonly bigint[],
  more = '',
  moreParams: Params = {},
): Promise<BucketRow[]> {
  return select<BucketRow>(
    place.client,
    `SELECT toInt32(arrayCount(bound -> bound <= time, {bounds:Array(Int64)}) - 1) AS bucket, currency, kind,
      toString(sum(n)) AS entries, ${SUMS}
    ${from} ${more} GROUP BY bucket, currency, kind ORDER BY bucket, currency, toString(kind)`,
    { ...params, ...moreParams, bounds },
  );
}

/** @see ReportsView.volume */
export function readVolume(place: ReadPlace, query: BucketQuery): Promise<Read<readonly VolumeRow[]>> {
  return asking(place, query, FACT.volume, query.bounds, async (asked) => {
    const rows = await buckets(asked, query.bounds);
    return rows.map(({ bucket, currency, kind, entries, credit_sum }) => ({
      ...{ bucket, currency, kind, count: BigInt(entries), volume: BigInt(credit_sum) },
    }));
  });
}

/** @see ReportsView.declines */
export function readDeclines(place: ReadPlace, query: BucketQuery): Promise<Read<readonly DeclineRow[]>> {
  return asking(place, { ...query, basis: 'recorded' }, FACT.decline, query.bounds, async (asked) => {
    const rows = await buckets(asked, query.bounds);
    return rows.map(({ bucket, currency, kind, entries, credit_sum }) => ({
      ...{ bucket, currency, reason: kind, count: BigInt(entries), volume: BigInt(credit_sum) },
    }));
  });
}

/** @see ReportsView.cashFlow */
export function readCashFlow(place: ReadPlace, query: CashFlowQuery): Promise<Read<readonly CashFlowRow[]>> {
  const { accountId } = query;
  return asking(place, query, FACT.entry, query.bounds, async (asked) => {
    const rows =
      accountId === null
        ? await buckets(asked, query.bounds, 'AND type = {asset:UInt8}', { asset: AccountType.ASSET })
        : await buckets(asked, query.bounds, 'AND account_id = {account:String}', { account: accountId });
    return rows.map(({ bucket, currency, kind, ...sums }) => ({ bucket, currency, kind, ...sumsOf(sums) }));
  });
}

const FIGURES: Readonly<Record<RankQuery['by'], string>> = {
  debits: 'sum(debits)',
  credits: 'sum(credits)',
  count: 'sum(n)',
  posted: 'sum(credits) - sum(debits)',
};

/** @see ReportsView.rank */
export function readRank(place: ReadPlace, query: RankQuery): Promise<Read<readonly RankedRow[]>> {
  const bounds = [query.from ?? INT64_MIN, query.to ?? INT64_MAX];
  return asking(place, query, FACT.entry, bounds, async ({ from, params }) => {
    const rows = await select<Sums & { account_id: string; entries: string }>(
      place.client,
      `SELECT account_id, toString(sum(n)) AS entries, ${FIGURES[query.by]} AS figure,
        ${SUMS}
      ${from} AND type = {liability:UInt8} GROUP BY account_id
      ORDER BY figure DESC, account_id LIMIT {limit:UInt32}`,
      { ...params, liability: AccountType.LIABILITY, limit: query.limit },
    );
    return rows.map((row) => ({ accountId: row.account_id, count: BigInt(row.entries), ...sumsOf(row) }));
  });
}
