/** Transactions, payments and entries as the domain sees them. */

export type Direction = 'DEBIT' | 'CREDIT';
/** An ADJUSTMENT and a VOID are transactions only if they were declined: done, they change their payment and make none. */
export type TransactionKind =
  | 'DEPOSIT'
  | 'WITHDRAWAL'
  | 'PAYMENT'
  | 'AUTHORIZATION'
  | 'ADJUSTMENT'
  | 'CAPTURE'
  | 'VOID'
  | 'REFUND'
  | 'JOURNAL'
  | 'REVERSAL';
/** Only an authorization is ever AUTHORIZED, CAPTURED, VOIDED or EXPIRED; it is never POSTED. */
export type TransactionStatus = 'POSTED' | 'DECLINED' | 'AUTHORIZED' | 'CAPTURED' | 'VOIDED' | 'EXPIRED';
/** In the order in which they are looked for. */
export type DeclineReason =
  'ACCOUNT_CLOSED' | 'ACCOUNT_FROZEN' | 'INSUFFICIENT_FUNDS' | 'LIMIT_EXCEEDED' | 'BATCH_DECLINED';
export type FeePayer = 'PAYER' | 'PAYEE';

/** One movement of one account. */
export interface Entry {
  readonly accountId: string;
  readonly direction: Direction;
  /** Minor units of `currency`, above zero. */
  readonly amount: bigint;
  readonly currency: string;
}

export interface PostedEntry extends Entry {
  /** The account's version that this entry made. */
  readonly version: bigint;
  /** The account's credits - debits right after this entry. */
  readonly postedAfter: bigint;
}

/** A change of what is held on one account. In one event all hold changes come before the entries. */
export interface HoldChange {
  readonly accountId: string;
  /** Above zero reserves, below zero releases. */
  readonly delta: bigint;
  readonly heldAfter: bigint;
  readonly version: bigint;
}

export interface Fee {
  readonly paidBy: FeePayer;
  readonly toAccountId: string;
  readonly amount: bigint;
}

/** Sums that bound what of a fee may be returned. */
export interface FeeTotal {
  readonly paidBy: FeePayer;
  readonly toAccountId: string;
  /** Charged over the unreversed captures of the payment. */
  readonly charged: bigint;
  /** Returned over the unreversed refunds of the payment. */
  readonly refunded: bigint;
}

/** A payment: what AuthorizePayment or SubmitPayment began. Held by its root transaction. */
export interface Payment {
  readonly payerAccountId: string;
  readonly payeeAccountId: string;
  readonly currency: string;
  /** As the last adjustment left it. */
  readonly authorized: bigint;
  /** Gross: reversals do not lower it. */
  readonly captured: bigint;
  readonly voided: bigint;
  readonly expired: bigint;
  readonly reversed: bigint;
  /** Less reversed refunds. */
  readonly refunded: bigint;
  /** UTC microseconds; null for SubmitPayment. */
  readonly expireTime: bigint | null;
  readonly fees: readonly FeeTotal[];
}

/** A transaction as far as later commands depend on it. */
export interface TransactionState {
  readonly transactionId: string;
  readonly kind: TransactionKind;
  readonly status: TransactionStatus;
  /** The root of the payment it belongs to (its own id for the root); null outside payments. */
  readonly paymentId: string | null;
  /** What was posted, or intended if declined; empty for authorizations, adjustments and voids. */
  readonly entries: readonly Entry[];
  /**
   * The principal: without fees; for authorizations what was asked for at first; for journals the sum of debits of its first
   * currency; a reversal has that of what it reverses; an adjustment the total asked for, a void what it would have released.
   */
  readonly amount: bigint;
  /** ISO 4217 code of `amount`; told apart from the entries, which an undecided item of a declined batch has none of. */
  readonly currency: string;
  readonly fees: readonly Fee[];
  /** The id of the transaction that this one reverses. */
  readonly reverses: string | null;
  /** The id of the transaction that reversed this one. */
  readonly reversedBy: string | null;
  readonly description: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Whether an UpdateTransaction ever set description or metadata (events then carry both). */
  readonly annotated: boolean;
  /** Set on the root of a payment only (also on a declined one, all totals zero but `authorized`). */
  readonly payment: Payment | null;
  /** 1 when made; raised by one by every later event that touches it. */
  readonly version: bigint;
}

/** What a hold of this payment still reserves. */
export function remaining(payment: Payment): bigint {
  return payment.authorized - payment.captured - payment.voided - payment.expired;
}
