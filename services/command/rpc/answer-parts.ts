/** What answers to commands share. Each part is a function of the command's events. */
import type { Account } from '../../../gen/quittance/common/v1/account_pb.js';
import type { Transaction } from '../../../gen/quittance/common/v1/transaction_pb.js';
import type { Event } from '../../../gen/quittance/event/v1/event_pb.js';
import { accountOf, accountsChangedBy, profileOf } from '../../../lib/log/account-of.js';
import { transactionChangesOf, transactionOf } from '../../../lib/log/transaction-of.js';
import type { Answering } from './command-method.js';

/** The answer to an account command: the account as the event left it. */
export function accountAnswer({ event, receipt, isAbbreviated }: Answering) {
  const state = accountsChangedBy(event)[0];
  if (state === undefined) throw new Error('an account event carries its account');
  const profile = isAbbreviated ? undefined : profileOf(event);
  return { ...receipt, account: accountOf(event.ledgerId, state, event.position, profile) };
}

/** The answer to a command that makes a transaction: the transaction, and the accounts that it touched. */
export function movementAnswer({ event, command, receipt, isAbbreviated }: Answering) {
  const transaction = transactionOf(event, command);
  if (transaction === undefined) throw new Error('the event makes a transaction');
  if (isAbbreviated) return { ...receipt, transaction: outlineOf(transaction) };
  return { ...receipt, transaction, accounts: accountsTouched(event) };
}

/** The same for a capture or a refund, with the payment after it. */
export function paymentMovementAnswer(answering: Answering) {
  const answer = movementAnswer(answering);
  const payment = answering.isAbbreviated ? undefined : paymentChangedBy(answering.event);
  return payment === undefined ? answer : { ...answer, payment };
}

/** The answer to VoidPayment: the released hold. */
export function voidAnswer({ event, receipt, isAbbreviated }: Answering) {
  const root = transactionChangesOf(event)[0];
  if (root?.payment === undefined) throw new Error('PaymentVoided carries its payment');
  const { status, payment } = root;
  if (isAbbreviated) return { ...receipt, status };
  return { ...receipt, status, payment, accounts: accountsTouched(event) };
}

/** The answer to UpdateTransaction: what it set. */
export function annotationAnswer({ event, receipt, isAbbreviated }: Answering) {
  const change = transactionChangesOf(event)[0];
  if (change?.annotation === undefined) throw new Error('TransactionUpdated carries what it set');
  const { transactionId, version } = change;
  if (isAbbreviated) return { ...receipt, transactionId, version };
  const { description, metadata } = change.annotation;
  return { ...receipt, transactionId, version, description, metadata };
}

/** What an abbreviated answer keeps of a transaction: all of bounded size that the caller cannot know. */
function outlineOf(transaction: Transaction) {
  const { ledgerId, transactionId, paymentId, kind, status, declineReason, declinedAccountId } = transaction;
  const { recordedTime, position, version } = transaction;
  return {
    ledgerId,
    transactionId,
    paymentId,
    kind,
    status,
    declineReason,
    declinedAccountId,
    ...(recordedTime === undefined ? {} : { recordedTime }),
    position,
    version,
  };
}

/** The accounts that a transaction touched, right after it; of a declined one as they were. */
function accountsTouched(event: Event): Account[] {
  const { payload, ledgerId } = event;
  const isDeclined = payload.case === 'transactionDeclined';
  const states = isDeclined ? payload.value.accounts : accountsChangedBy(event);
  const position = isDeclined ? 0n : event.position;
  return states.map((state) => accountOf(ledgerId, state, position, undefined));
}

/** The payment that the event changed: the one root among the changed transactions. */
function paymentChangedBy(event: Event) {
  return transactionChangesOf(event).find((change) => change.payment !== undefined)?.payment;
}
