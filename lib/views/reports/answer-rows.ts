/** The rows of reports from the columns that a store gives: the same for all stores. */
import type { AccountType } from '../../../gen/quittance/common/v1/account_pb.js';
import type { TransactionKind } from '../../../gen/quittance/common/v1/transaction_pb.js';
import type { CashFlowRow, RankedRow, TrialBalance } from './view.js';

/** Sums arrive as decimal text, int8 as bigint. */
type Numeric = string | bigint;

interface SidesColumns {
  readonly debits: Numeric;
  readonly credits: Numeric;
}

export interface TrialBalanceColumns extends SidesColumns {
  /** 1: a row of the page, 2: a total. */
  readonly part: 1 | 2;
  readonly currency: string;
  readonly key: string;
  readonly type: AccountType;
}

export function trialBalanceOf(found: readonly TrialBalanceColumns[]): TrialBalance {
  const rows = found.filter(({ part }) => part === 1);
  const totals = found.filter(({ part }) => part === 2);
  return {
    rows: rows.map((row) => ({ currency: row.currency, key: row.key, type: row.type, ...sidesOf(row) })),
    totals: totals.map((row) => ({ currency: row.currency, ...sidesOf(row) })),
  };
}

/** Of volume by kind, or of declines by reason. */
export interface VolumeColumns {
  readonly bucket: number;
  readonly currency: string;
  readonly what: number;
  readonly count: Numeric;
  readonly volume: Numeric;
}

export function volumeRow({ bucket, currency, count, volume }: VolumeColumns) {
  return { bucket, currency, count: BigInt(count), volume: BigInt(volume) };
}

export interface CashFlowColumns extends SidesColumns {
  readonly bucket: number;
  readonly currency: string;
  readonly kind: TransactionKind;
}

export function cashFlowRow(row: CashFlowColumns): CashFlowRow {
  const { bucket, currency, kind } = row;
  return { bucket, currency, kind, ...sidesOf(row) };
}

export interface RankColumns extends SidesColumns {
  readonly account_id: string;
  readonly entries: Numeric;
}

export function rankedRow(row: RankColumns): RankedRow {
  return { accountId: row.account_id, ...sidesOf(row), count: BigInt(row.entries) };
}

function sidesOf({ debits, credits }: SidesColumns) {
  return { debits: BigInt(debits), credits: BigInt(credits) };
}
