/**
 * Accounts and transactions as VerifyLedger folds them. Written independently of the write side: it is the
 * second opinion.
 */
import type {
  AccountStatus,
  AccountType,
  FreezeScope,
  LimitKind,
} from '../../../gen/quittance/common/v1/account_pb.js';
import type {
  DeclineReason,
  Direction,
  FeePayer,
  TransactionKind,
  TransactionStatus,
} from '../../../gen/quittance/common/v1/transaction_pb.js';
import type { LimitsFacts } from './limits-fold.js';

/** An account as the fold has it. Amounts are minor units. */
export interface AccountFacts {
  readonly accountId: string;
  readonly type: AccountType;
  readonly currency: string;
  readonly openedPosition: bigint;
  /** UTC microseconds. */
  readonly openedTime: bigint;
  status: AccountStatus;
  freezeScope: FreezeScope;
  overdraftLimit: bigint;
  credits: bigint;
  debits: bigint;
  held: bigint;
  version: bigint;
  name: string;
  ownerReference: string;
  metadata: Readonly<Record<string, string>>;
  profileVersion: bigint;
  /** Of the last event that changed it. */
  position: bigint;
  /** Of the last of its own events. */
  ownPosition: bigint;
  /** What the open holds of payments reserve, summed over the payments. */
  reserved: bigint;
  /** Undefined: none. */
  limits: LimitsFacts | undefined;
}

export interface EntryFacts {
  readonly accountId: string;
  readonly currency: string;
  readonly type: AccountType;
  readonly direction: Direction;
  readonly amount: bigint;
  readonly version: bigint;
  readonly postedAfter: bigint;
}

export interface FeeFacts {
  readonly paidBy: FeePayer;
  readonly toAccountId: string;
  readonly amount: bigint;
}

export interface FeeTotalFacts {
  readonly paidBy: FeePayer;
  readonly toAccountId: string;
  readonly charged: bigint;
  readonly refunded: bigint;
}

export interface PaymentFacts {
  readonly payerAccountId: string;
  readonly payeeAccountId: string;
  readonly currency: string;
  readonly authorized: bigint;
  readonly captured: bigint;
  readonly voided: bigint;
  readonly expired: bigint;
  readonly reversed: bigint;
  readonly refunded: bigint;
  /** UTC microseconds; 0n if there never was a hold. */
  readonly expireTime: bigint;
  readonly fees: readonly FeeTotalFacts[];
}

export interface TransactionFacts {
  readonly transactionId: string;
  /** Of the event that made it. */
  readonly position: bigint;
  /** Of the last event that made or changed it. */
  readonly changedPosition: bigint;
  readonly kind: TransactionKind;
  readonly status: TransactionStatus;
  readonly declineReason: DeclineReason;
  readonly declinedAccountId: string;
  readonly exceededLimit: LimitKind;
  readonly currency: string;
  readonly amount: bigint;
  readonly entries: readonly EntryFacts[];
  readonly fees: readonly FeeFacts[];
  /** Empty outside payments; its own id on the root of one. */
  readonly paymentId: string;
  /** Undefined but on the root of a payment. */
  readonly payment: PaymentFacts | undefined;
  readonly reverses: string;
  readonly reversedBy: string;
  readonly forced: boolean;
  readonly reference: string;
  readonly description: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Whether an UpdateTransaction ever changed it. */
  readonly annotated: boolean;
  /** UTC microseconds. */
  readonly effectiveTime: bigint;
  readonly recordedTime: bigint;
  readonly version: bigint;
  readonly batch: { readonly batchId: string; readonly index: number; readonly size: number } | undefined;
  readonly actor: string;
}

/** A map as text: sorted by key, since a map has no order. */
export function sortedPairs(pairs: Readonly<Record<string, string>>): readonly (readonly [string, string])[] {
  return Object.entries(pairs).sort(([a], [b]) => (a < b ? -1 : 1));
}
