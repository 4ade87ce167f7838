/** What a decision reads, and what can be decided: events, or a refusal. */
import type { Account } from './account.js';
import type { Calendar } from './account-limits.js';
import type { DomainEvent } from './event.js';
import type { TransactionState } from './transaction.js';
import type { TrialBalance } from './trial-balance.js';

/**
 * One ledger as the decision sees it. `undefined` means that it does not exist. Reads of what was not loaded throw the
 * reader's own signal, which the executor catches; the domain lets it pass.
 */
export interface LedgerReader {
  exists(): boolean;
  /** What is dated at or before it is closed, UTC microseconds; null: nothing is. */
  closedThrough(): bigint | null;
  /** What all entries come to that are dated at or before a time, UTC microseconds. Only a close reads it. */
  trialBalance(through: bigint): TrialBalance;
  account(accountId: string): Account | undefined;
  transaction(transactionId: string): TransactionState | undefined;
  /** Says when the periods of limits begin and end. */
  readonly calendar: Calendar;
}

/** Errors of the business: they change nothing and are not stored. Names are those of common.v1.ErrorReason. */
export type RefusalReason =
  // NOT_FOUND
  | 'LEDGER_NOT_FOUND'
  | 'ACCOUNT_NOT_FOUND'
  | 'TRANSACTION_NOT_FOUND'
  | 'PAYMENT_NOT_FOUND'
  // ALREADY_EXISTS
  | 'LEDGER_ALREADY_EXISTS'
  | 'ACCOUNT_ALREADY_EXISTS'
  | 'ASSET_ALREADY_EXISTS'
  | 'ASSET_DIFFERS'
  // ABORTED
  | 'VERSION_MISMATCH'
  // OUT_OF_RANGE
  | 'BALANCE_OVERFLOW'
  // INVALID_ARGUMENT: the first needs the clock, so it is no matter of shape; the second is checked at the door, too
  | 'TIME_OUT_OF_RANGE'
  | 'FEE_EXCEEDS_AMOUNT'
  // INVALID_ARGUMENT: of codes that ISO 4217 does not list, which the ledger alone knows
  | 'UNKNOWN_CURRENCY'
  | 'INVALID_FIELD'
  // INVALID_ARGUMENT: by the clock
  | 'PERIOD_IN_FUTURE'
  // FAILED_PRECONDITION
  | 'CURRENCY_MISMATCH'
  | 'ACCOUNT_TYPE'
  | 'ACCOUNT_IS_CLOSED'
  | 'ACCOUNT_NOT_FROZEN'
  | 'ACCOUNT_NOT_EMPTY'
  | 'PAYMENT_DECLINED'
  | 'PAYMENT_ENDED'
  | 'HOLD_EXPIRED'
  | 'CAPTURE_EXCEEDS_HOLD'
  | 'AUTHORIZATION_BELOW_CAPTURED'
  | 'REFUND_EXCEEDS_CAPTURED'
  | 'FEE_REFUND_EXCEEDS_CHARGED'
  | 'TOO_MANY_FEES'
  | 'NOT_REVERSIBLE'
  | 'ALREADY_REVERSED'
  | 'PAYMENT_HAS_REFUNDS'
  | 'PERIOD_CLOSED'
  | 'PERIOD_ALREADY_CLOSED'
  | 'PERIOD_NOT_CLOSED';

/** A refusal names what it is about, so that the caller's error can. */
export interface Refusal {
  readonly reason: RefusalReason;
  /** One sentence in English for people; holds ids and numbers only of the caller's own ledger. */
  readonly message: string;
  /** The field of the request at fault, in snake_case, where one can be named. */
  readonly field?: string;
  /** Up to when the ledger is closed, UTC microseconds, where that is why: it is added to the sentence. */
  readonly closedThrough?: bigint;
  /** The id of the resource at fault, where there is one. */
  readonly resourceId?: string;
}

export type Decision =
  | { readonly outcome: 'events'; readonly events: readonly DomainEvent[] }
  | { readonly outcome: 'refused'; readonly refusal: Refusal };

/** What a refusal is about. */
export type At = Omit<Refusal, 'reason' | 'message'>;

/** A refusal as a value; checks answer it, or null if all is well, so that they chain with `??`. */
export function refusal(reason: RefusalReason, message: string, at: At = {}): Refusal {
  return { reason, message, ...at };
}

/** The decision to refuse. */
export function refuse(because: Refusal): Decision {
  return { outcome: 'refused', refusal: because };
}

/** The decision that these events happened, in this order. */
export function happened(...events: readonly DomainEvent[]): Decision {
  return { outcome: 'events', events };
}
