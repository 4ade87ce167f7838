/** The rows of the state tables, as read and as the fold expects them. */
import { TransactionKind, TransactionStatus } from '../../../gen/quittance/common/v1/transaction_pb.js';
import type { AccountRow, TransactionRow } from '../../../lib/log/state/rows.js';
import { type AccountFacts, type PaymentFacts, sortedPairs, type TransactionFacts } from '../fold/facts.js';
import { limitsText } from '../fold/limits-fold.js';
import { idOf } from '../fold/made-by.js';

export const stateKey = {
  account: (accountId: string) => `account ${accountId}`,
  transaction: (transactionId: string) => `transaction ${transactionId}`,
};

/** What the row of an account must say. */
export function stateAccountContent(account: AccountFacts): string {
  return accountText(account, account);
}

/** What the row of an account says. */
export function readAccountContent({ state, profile }: AccountRow): string {
  return accountText(state, profile);
}

function accountText(
  state: AccountRow['state'] | AccountFacts,
  profile: AccountRow['profile'] | AccountFacts,
) {
  const { type, currency, status, freezeScope, overdraftLimit, credits, debits, held, version } = state;
  const { name, ownerReference, metadata, profileVersion } = profile;
  return JSON.stringify([
    type,
    currency,
    status,
    freezeScope,
    ...[overdraftLimit, credits, debits, held, version, profileVersion].map(String),
    name,
    ownerReference,
    sortedPairs(metadata),
    limitsText(state.limits),
  ]);
}

/** Whether a transaction has a row: what changed after it was made, and authorizations. */
export function hasStateRow({ kind, status, position, changedPosition }: TransactionFacts): boolean {
  const isAuthorization = kind === TransactionKind.AUTHORIZATION && status !== TransactionStatus.DECLINED;
  return isAuthorization || position !== changedPosition;
}

/** What the row of a transaction must say. */
export function stateTransactionContent(facts: TransactionFacts): string {
  const { version, status, reversedBy, annotated, description, metadata, payment } = facts;
  return transactionText(
    status,
    String(version),
    reversedBy,
    annotated ? { description, metadata } : undefined,
    payment,
  );
}

/** What the row of a transaction says. */
export function readTransactionContent({ state }: TransactionRow): string {
  if (state === undefined) return 'no state';
  const { version, status, annotation, payment, reversedByTransactionId } = state;
  const facts = payment === undefined ? undefined : { ...payment, expireTime: payment.expireTimeMicros };
  return transactionText(status, String(version), idOf(reversedByTransactionId), annotation, facts);
}

function transactionText(
  status: TransactionStatus,
  version: string,
  reversedBy: string,
  annotation: Pick<TransactionFacts, 'description' | 'metadata'> | undefined,
  payment: PaymentFacts | undefined,
): string {
  // Of a declined payment nothing is in the books: what was asked for may stand there or not.
  const totals =
    payment === undefined || status === TransactionStatus.DECLINED ? null : paymentParts(payment);
  const words = annotation === undefined ? null : [annotation.description, sortedPairs(annotation.metadata)];
  return JSON.stringify([version, status, reversedBy, words, totals]);
}

function paymentParts(payment: PaymentFacts): unknown {
  const { authorized, captured, voided, expired, reversed, refunded, expireTime, fees } = payment;
  return [
    payment.payerAccountId,
    payment.payeeAccountId,
    payment.currency,
    ...[authorized, captured, voided, expired, reversed, refunded, expireTime].map(String),
    fees.map((fee) => [fee.paidBy, fee.toAccountId, String(fee.charged), String(fee.refunded)]),
  ];
}
