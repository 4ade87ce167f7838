/** What a command decided. Each event carries the whole state after it of every account and transaction it touches. */
import type { Account, AccountState } from './account.js';
import type { LimitKind } from './account-limits.js';
import type {
  DeclineReason,
  HoldChange,
  PostedEntry,
  TransactionKind,
  TransactionState,
} from './transaction.js';
import type { TrialBalance } from './trial-balance.js';

export interface LedgerCreated {
  readonly type: 'LedgerCreated';
  readonly ledgerId: string;
  readonly description: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface PeriodClosed {
  readonly type: 'PeriodClosed';
  readonly ledgerId: string;
  /** What is dated at or before it is closed, UTC microseconds. */
  readonly closedThrough: bigint;
  /** Over all entries dated so that were posted before this event. */
  readonly totals: TrialBalance;
  readonly description: string;
}

export interface PeriodReopened {
  readonly type: 'PeriodReopened';
  readonly ledgerId: string;
  /** What is dated at or before it stays closed, UTC microseconds; null: nothing does. */
  readonly closedThrough: bigint | null;
  readonly reason: string;
}

export interface AccountEvent {
  /** AssetRegistered is of the settlement account that it opens. */
  readonly type:
    | 'AssetRegistered'
    | 'AccountOpened'
    | 'AccountUpdated'
    | 'AccountFrozen'
    | 'AccountUnfrozen'
    | 'AccountClosed';
  readonly account: Account;
}

interface Touches {
  /** Every account touched, once, in order of first touch (hold changes, then entries), as it is after the event. */
  readonly accounts: readonly AccountState[];
  /** Every transaction touched as it is after the event: the event's own first, then others (payment root, reversed). */
  readonly transactions: readonly TransactionState[];
}

export interface TransactionPosted extends Touches {
  readonly type: 'TransactionPosted';
  readonly kind: TransactionKind;
  readonly holdChanges: readonly HoldChange[];
  readonly entries: readonly PostedEntry[];
  /** UTC microseconds. */
  readonly effectiveTime: bigint;
  /** Whether `force` was asked for. */
  readonly forced: boolean;
}

export interface TransactionDeclined extends Touches {
  readonly type: 'TransactionDeclined';
  readonly kind: TransactionKind;
  readonly reason: DeclineReason;
  /** The account that was the cause; null for BATCH_DECLINED. */
  readonly declinedAccountId: string | null;
  /** Which limit of that account; null unless the reason is LIMIT_EXCEEDED. */
  readonly exceededLimit: LimitKind | null;
  readonly effectiveTime: bigint;
  readonly forced: boolean;
}

export interface TransactionUpdated extends Touches {
  readonly type: 'TransactionUpdated';
}

export interface PaymentAuthorized extends Touches {
  readonly type: 'PaymentAuthorized';
  readonly holdChanges: readonly HoldChange[];
  readonly effectiveTime: bigint;
}

/** What a hold reserves, or when it expires, was changed. Without hold changes and accounts if the time alone was. */
export interface PaymentAdjusted extends Touches {
  readonly type: 'PaymentAdjusted';
  readonly holdChanges: readonly HoldChange[];
}

export interface PaymentVoided extends Touches {
  readonly type: 'PaymentVoided';
  readonly holdChanges: readonly HoldChange[];
}

export interface PaymentExpired extends Touches {
  readonly type: 'PaymentExpired';
  readonly holdChanges: readonly HoldChange[];
}

export type TransactionEvent =
  | TransactionPosted
  | TransactionDeclined
  | TransactionUpdated
  | PaymentAuthorized
  | PaymentAdjusted
  | PaymentVoided
  | PaymentExpired;

export type LedgerEvent = LedgerCreated | PeriodClosed | PeriodReopened;

export type DomainEvent = LedgerEvent | AccountEvent | TransactionEvent;
