/**
 * The reports view: sums over entries, transactions and declines. Sums are bigint of any size, minor units.
 */
import type { AccountType } from '../../../gen/quittance/common/v1/account_pb.js';
import type { DeclineReason, TransactionKind } from '../../../gen/quittance/common/v1/transaction_pb.js';
import type { Read, View } from '../view.js';

/** Which of the two times a report goes by. */
export type TimeBasis = 'effective' | 'recorded';

interface Scope {
  readonly partition: number;
  readonly ledgerId: string;
  /** Nothing recorded after this position counts; null: the checkpoint. */
  readonly through: bigint | null;
  /** Empty: all. */
  readonly currency: string;
}

/** What the rows of a trial balance are: account types, accounts, or accounts whose ids have this many first parts in common. */
export type TrialBalanceGroup = 'type' | 'account' | { readonly prefix: number };

export interface TrialBalanceQuery extends Scope {
  readonly basis: TimeBasis;
  /** Only entries before this time, UTC microseconds; null: all. */
  readonly before: bigint | null;
  readonly groupBy: TrialBalanceGroup;
  /** Beyond this row, in order of (currency, key, type) by code units; null: from the first. */
  readonly after: { readonly currency: string; readonly key: string; readonly type: AccountType } | null;
  readonly limit: number;
}

export interface TrialBalanceRow {
  readonly currency: string;
  /** The name of the account type, the id prefix, or the account id. */
  readonly key: string;
  /** UNSPECIFIED where the accounts of a prefix differ. */
  readonly type: AccountType;
  readonly debits: bigint;
  readonly credits: bigint;
}

export interface TrialBalance {
  readonly rows: readonly TrialBalanceRow[];
  /** Over all rows of all pages, by currency. */
  readonly totals: readonly {
    readonly currency: string;
    readonly debits: bigint;
    readonly credits: bigint;
  }[];
}

export interface BucketQuery extends Scope {
  readonly basis: TimeBasis;
  /** n + 1 ascending times for n buckets [b(i), b(i+1)), UTC microseconds. */
  readonly bounds: readonly bigint[];
}

export interface VolumeRow {
  /** Index of the bucket. */
  readonly bucket: number;
  readonly currency: string;
  readonly kind: TransactionKind;
  readonly count: bigint;
  readonly volume: bigint;
}

export interface DeclineRow {
  readonly bucket: number;
  readonly currency: string;
  readonly reason: DeclineReason;
  readonly count: bigint;
  readonly volume: bigint;
}

export interface CashFlowQuery extends BucketQuery {
  /** Null: all ASSET accounts. */
  readonly accountId: string | null;
}

export interface CashFlowRow {
  readonly bucket: number;
  readonly currency: string;
  readonly kind: TransactionKind;
  readonly debits: bigint;
  readonly credits: bigint;
}

export interface RankQuery extends Scope {
  readonly basis: TimeBasis;
  readonly from: bigint | null;
  readonly to: bigint | null;
  readonly by: 'debits' | 'credits' | 'count' | 'posted';
  readonly limit: number;
}

export interface RankedRow {
  readonly accountId: string;
  readonly debits: bigint;
  readonly credits: bigint;
  readonly count: bigint;
}

/** Every read counts exactly the events up to the position that it says it is as of. */
export interface ReportsView extends View {
  readonly id: 'reports';
  trialBalance(query: TrialBalanceQuery): Promise<Read<TrialBalance>>;
  /** Rows that are not zero, by (bucket, currency, kind). */
  volume(query: BucketQuery): Promise<Read<readonly VolumeRow[]>>;
  /** By recorded time, also where the basis says otherwise. */
  declines(query: BucketQuery): Promise<Read<readonly DeclineRow[]>>;
  cashFlow(query: CashFlowQuery): Promise<Read<readonly CashFlowRow[]>>;
  rank(query: RankQuery): Promise<Read<readonly RankedRow[]>>;
}
