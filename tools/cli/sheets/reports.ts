/** How reports are shown: a row for each bucket, kind and currency. */
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { AccountType } from '../../../gen/quittance/common/v1/account_pb.js';
import type {
  RankedAccount,
  TrialBalanceRow,
} from '../../../gen/quittance/query/v1/report_query_service_pb.js';
import { wordOf } from '../flags.js';
import { decimalOf } from '../money.js';
import type { Column, Sheet } from '../sheet.js';
import { briefOf, isoOf } from '../when.js';

/** A row of a bucket; a bucket in which nothing happened has one without a kind. */
export interface BucketRow {
  readonly start: Timestamp | undefined;
  readonly end: Timestamp | undefined;
  /** A kind of transaction, a reason of declines, or an account. */
  readonly kind: string;
  readonly currency: string;
  readonly count: bigint | undefined;
  /** Decimal amounts by the name of their column. */
  readonly amounts: Readonly<Record<string, string>>;
}

/** A sheet of buckets whose amounts have these names. */
export function bucketSheet(kind: string, amounts: readonly string[], isCounted: boolean): Sheet<BucketRow> {
  const count: Column<BucketRow> = { name: 'count', of: (row) => String(row.count ?? ''), isRight: true };
  const columns: Column<BucketRow>[] = [
    { name: 'start', of: ({ start }) => isoOf(start), brief: ({ start }) => briefOf(start) },
    { name: 'end', of: ({ end }) => isoOf(end), brief: ({ end }) => briefOf(end), isWide: true },
    { name: kind, of: (row) => row.kind },
    ...(isCounted ? [count] : []),
    ...amounts.map((name): Column<BucketRow> => ({
      name,
      of: (row) => row.amounts[name] ?? '',
      isRight: true,
    })),
    { name: 'currency', of: ({ currency }) => currency },
  ];
  return { columns, id: ({ start }) => isoOf(start), json: (row) => recordOf(columns, row) };
}

export const TRIAL_BALANCE: Sheet<TrialBalanceRow> = flat([
  { name: 'key', of: ({ key }) => key },
  { name: 'type', of: ({ accountType }) => wordOf(AccountType, accountType) },
  { name: 'debits', of: ({ debits, exponent }) => decimalOf(debits, exponent), isRight: true },
  { name: 'credits', of: ({ credits, exponent }) => decimalOf(credits, exponent), isRight: true },
  { name: 'net', of: ({ net, exponent }) => decimalOf(net, exponent), isRight: true },
  { name: 'currency', of: ({ currency }) => currency },
]);

/** An account of a ranking, with what its amounts are in. */
export interface RankRow {
  readonly account: RankedAccount;
  readonly currency: string;
  readonly exponent: number;
}

export const RANKING: Sheet<RankRow> = flat([
  { name: 'rank', of: ({ account }) => String(account.rank), isRight: true },
  { name: 'account', of: ({ account }) => account.accountId },
  { name: 'debits', of: ({ account, exponent }) => decimalOf(account.debits, exponent), isRight: true },
  { name: 'credits', of: ({ account, exponent }) => decimalOf(account.credits, exponent), isRight: true },
  { name: 'posted', of: ({ account, exponent }) => decimalOf(account.posted, exponent), isRight: true },
  { name: 'count', of: ({ account }) => String(account.count), isRight: true },
  { name: 'currency', of: ({ currency }) => currency },
]);

/** A sheet whose JSON has the columns as they are in CSV; the first column but a rank is the id. */
function flat<T>(columns: readonly Column<T>[]): Sheet<T> {
  const [id] = columns.filter(({ name }) => name !== 'rank');
  return { columns, id: (row) => id?.of(row) ?? '', json: (row) => recordOf(columns, row) };
}

function recordOf<T>(columns: readonly Column<T>[], row: T): Record<string, string> {
  return Object.fromEntries(columns.map(({ name, of }) => [name, of(row)]));
}
