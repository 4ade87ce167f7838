/** event.v1 to domain states: what a fold of the log knows after an event. The inverse of encode. */
import {
  AccountStatus,
  AccountType,
  FreezeScope,
  LimitPeriod,
} from '../../../gen/quittance/common/v1/account_pb.js';
import type { Money } from '../../../gen/quittance/common/v1/money_pb.js';
import {
  Direction,
  FeePayer,
  type Payment as ApiPayment,
  type Transaction,
  TransactionKind,
  TransactionStatus,
} from '../../../gen/quittance/common/v1/transaction_pb.js';
import type * as log from '../../../gen/quittance/event/v1/event_pb.js';
import { accountsChangedBy, profileOf } from '../../../lib/log/account-of.js';
import { closedThroughAfter } from '../../../lib/log/periods.js';
import {
  type TransactionChange,
  transactionChangesOf,
  transactionOf,
} from '../../../lib/log/transaction-of.js';
import { unitOf } from '../../../lib/base/currency.js';
import { microsOf } from '../../../lib/base/time.js';
import type { AccountProfile, AccountState } from '../domain/account.js';
import type { AccountLimits } from '../domain/account-limits.js';
import type { LedgerState } from '../domain/evolve.js';
import type { Payment, TransactionState } from '../domain/transaction.js';

/** What one event leaves behind, for the memory of the write side. */
export interface Touched {
  /** The ledger as the event left it; null if it says nothing of that. */
  readonly ledger: LedgerState | null;
  readonly accounts: readonly AccountState[];
  /** Of the one account of an account event that says it; else null. */
  readonly profile: AccountProfile | null;
  /** The transaction that the event made, as it was right after. */
  readonly made: TransactionState | null;
  /** Later changes of transactions made before. */
  readonly changes: readonly TransactionChange[];
}

export function touchedBy(event: log.Event): Touched {
  const profile = profileOf(event);
  const made = transactionOf(event);
  return {
    ledger: ledgerStateOf(event),
    accounts: accountsChangedBy(event).map(accountStateOf),
    profile: profile === undefined ? null : accountProfileOf(profile),
    made: made === undefined ? null : transactionStateOf(made),
    changes: transactionChangesOf(event),
  };
}

function ledgerStateOf(event: log.Event): LedgerState | null {
  const closedThrough = closedThroughAfter(event);
  return closedThrough === undefined ? null : { closedThrough };
}

/** A transaction after a change; the same object if it is there already or beyond. */
export function changed(transaction: TransactionState, change: TransactionChange): TransactionState {
  if (transaction.version >= change.version) return transaction;
  return {
    ...transaction,
    version: change.version,
    status: nameOf(STATUSES, change.status),
    reversedBy: change.reversedBy === '' ? null : change.reversedBy,
    payment: change.payment === undefined ? transaction.payment : paymentStateOf(change.payment),
    ...(change.annotation === undefined
      ? {}
      : {
          annotated: true,
          description: change.annotation.description,
          metadata: change.annotation.metadata,
        }),
  };
}

export function accountStateOf(state: log.AccountState): AccountState {
  return {
    accountId: state.accountId,
    type: nameOf(TYPES, state.type),
    currency: state.currency,
    status: nameOf(ACCOUNT_STATUSES, state.status),
    freezeScope: state.freezeScope === FreezeScope.UNSPECIFIED ? null : nameOf(SCOPES, state.freezeScope),
    overdraftLimit: state.overdraftLimit,
    credits: state.credits,
    debits: state.debits,
    held: state.held,
    version: state.version,
    limits: state.limits === undefined ? null : accountLimitsOf(state.limits),
  };
}

function accountLimitsOf({ debit, balance, timeZone, windows }: log.AccountLimits): AccountLimits {
  return {
    debit,
    balance,
    timeZone,
    windows: windows.map(({ period, amount, count, startMicros, endMicros, usedAmount, usedCount }) => ({
      period: nameOf(PERIODS, period),
      amount,
      count,
      start: startMicros,
      end: endMicros,
      usedAmount,
      usedCount,
    })),
  };
}

export function accountProfileOf(profile: log.AccountProfile): AccountProfile {
  const { name, ownerReference, metadata, profileVersion } = profile;
  return { name, ownerReference, metadata, profileVersion };
}

/** A transaction of the API as the domain knows it. */
export function transactionStateOf(transaction: Transaction): TransactionState {
  const isDeclined = transaction.status === TransactionStatus.DECLINED;
  const amount = transaction.amount?.minorUnits ?? 0n;
  return {
    transactionId: transaction.transactionId,
    kind: nameOf(KINDS, transaction.kind),
    status: nameOf(STATUSES, transaction.status),
    paymentId: transaction.paymentId === '' ? null : transaction.paymentId,
    entries: transaction.entries.map((entry) => ({
      accountId: entry.accountId,
      direction: nameOf(DIRECTIONS, entry.direction),
      amount: entry.amount?.minorUnits ?? 0n,
      currency: entry.amount === undefined ? '' : unitOfMoney(entry.amount),
    })),
    amount,
    currency: transaction.amount === undefined ? '' : unitOfMoney(transaction.amount),
    fees: transaction.fees.map(({ paidBy, toAccountId, minorUnits }) => ({
      paidBy: nameOf(PAYERS, paidBy),
      toAccountId,
      amount: minorUnits,
    })),
    reverses: transaction.reversesTransactionId === '' ? null : transaction.reversesTransactionId,
    reversedBy: transaction.reversedByTransactionId === '' ? null : transaction.reversedByTransactionId,
    description: transaction.description,
    metadata: transaction.metadata,
    annotated: false,
    payment:
      transaction.payment === undefined
        ? null
        : isDeclined
          ? { ...paymentStateOf(transaction.payment), authorized: amount }
          : paymentStateOf(transaction.payment),
    version: transaction.version,
  };
}

export function paymentStateOf(payment: ApiPayment): Payment {
  return {
    payerAccountId: payment.payerAccountId,
    payeeAccountId: payment.payeeAccountId,
    currency: unitOf(payment.currency, payment.exponent),
    authorized: payment.authorized,
    captured: payment.captured,
    voided: payment.voided,
    expired: payment.expired,
    reversed: payment.reversed,
    refunded: payment.refunded,
    expireTime: payment.expireTime === undefined ? null : microsOf(payment.expireTime),
    fees: payment.fees.map(({ paidBy, toAccountId, charged, refunded }) => ({
      paidBy: nameOf(PAYERS, paidBy),
      toAccountId,
      charged,
      refunded,
    })),
  };
}

/** Of money as answers have it: with its exponent. */
function unitOfMoney({ currency, exponent }: Money): string {
  if (exponent === undefined) throw new Error(`an amount in ${currency} says its exponent`);
  return unitOf(currency, exponent);
}

/** The domain's names of the types of accounts. */
export const TYPES = {
  [AccountType.LIABILITY]: 'LIABILITY',
  [AccountType.ASSET]: 'ASSET',
  [AccountType.REVENUE]: 'REVENUE',
  [AccountType.EXPENSE]: 'EXPENSE',
  [AccountType.EQUITY]: 'EQUITY',
} as const;
const ACCOUNT_STATUSES = {
  [AccountStatus.OPEN]: 'OPEN',
  [AccountStatus.FROZEN]: 'FROZEN',
  [AccountStatus.CLOSED]: 'CLOSED',
} as const;
const SCOPES = { [FreezeScope.DEBITS]: 'DEBITS', [FreezeScope.ALL]: 'ALL' } as const;
const PERIODS = {
  [LimitPeriod.DAY]: 'DAY',
  [LimitPeriod.WEEK]: 'WEEK',
  [LimitPeriod.MONTH]: 'MONTH',
} as const;
const KINDS = {
  [TransactionKind.DEPOSIT]: 'DEPOSIT',
  [TransactionKind.WITHDRAWAL]: 'WITHDRAWAL',
  [TransactionKind.PAYMENT]: 'PAYMENT',
  [TransactionKind.AUTHORIZATION]: 'AUTHORIZATION',
  [TransactionKind.CAPTURE]: 'CAPTURE',
  [TransactionKind.REFUND]: 'REFUND',
  [TransactionKind.JOURNAL]: 'JOURNAL',
  [TransactionKind.REVERSAL]: 'REVERSAL',
  [TransactionKind.ADJUSTMENT]: 'ADJUSTMENT',
  [TransactionKind.VOID]: 'VOID',
} as const;
const STATUSES = {
  [TransactionStatus.POSTED]: 'POSTED',
  [TransactionStatus.DECLINED]: 'DECLINED',
  [TransactionStatus.AUTHORIZED]: 'AUTHORIZED',
  [TransactionStatus.CAPTURED]: 'CAPTURED',
  [TransactionStatus.VOIDED]: 'VOIDED',
  [TransactionStatus.EXPIRED]: 'EXPIRED',
} as const;
const DIRECTIONS = { [Direction.DEBIT]: 'DEBIT', [Direction.CREDIT]: 'CREDIT' } as const;
const PAYERS = { [FeePayer.PAYER]: 'PAYER', [FeePayer.PAYEE]: 'PAYEE' } as const;

/**
 * The domain's name of an enum value.
 * @throws Error for a value that this version does not know: it must not decide on what it does not understand.
 */
export function nameOf<T extends string>(names: Readonly<Record<number, T>>, value: number): T {
  const name = names[value];
  if (name === undefined) throw new Error(`enum value ${String(value)} is of a newer version`);
  return name;
}
