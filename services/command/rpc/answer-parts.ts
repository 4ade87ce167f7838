/** What answers to commands share. Each part is a function of the command's events. */
import { create } from '@bufbuild/protobuf';
import type { Account } from '../../../gen/quittance/common/v1/account_pb.js';
import {
  type Transaction,
  TransactionSchema,
  TransactionStatus,
} from '../../../gen/quittance/common/v1/transaction_pb.js';
import type { Event } from '../../../gen/quittance/event/v1/event_pb.js';
import { accountOf, accountsChangedBy, profileOf } from '../../../lib/log/account-of.js';
import { transactionChangesOf, transactionOf } from '../../../lib/log/transaction-of.js';
import type { Answering } from './command-method.js';

/** The answer to an account command: the account as the event left it. */
export function accountAnswer({ event, receipt, isAbbreviated }: Answering) {
  const { position, consistencyToken, replayed } = receipt;
  const state = accountsChangedBy(event)[0];
  if (state === undefined) throw new Error('an account event carries its account');
  const profile = isAbbreviated ? undefined : profileOf(event);
  const account = accountOf(event.ledgerId, state, event.position, profile);
  return { account, position, consistencyToken, replayed };
}

/** The answer to a command that makes a transaction: the transaction, and the accounts that it touched. */
export function movementAnswer({ event, command, receipt, isAbbreviated }: Answering) {
  const { position, consistencyToken, replayed } = receipt;
  const made = transactionOf(event, command);
  if (made === undefined) throw new Error('the event makes a transaction');
  const transaction = isAbbreviated ? outlineOf(made) : made;
  const accounts = isAbbreviated ? [] : accountsTouched(event);
  return { transaction, accounts, position, consistencyToken, replayed };
}

/** The same for a capture or a refund, with the payment after it. */
export function paymentMovementAnswer(answering: Answering) {
  const { transaction, accounts, position, consistencyToken, replayed } = movementAnswer(answering);
  const payment = answering.isAbbreviated ? undefined : paymentChangedBy(answering.event);
  return { transaction, accounts, position, consistencyToken, replayed, payment };
}

/** The answer to VoidPayment and AdjustAuthorization: the hold as it is now, or the transaction that says that it was declined. */
export function holdAnswer(answering: Answering) {
  const { event, receipt, isAbbreviated } = answering;
  if (event.payload.case === 'transactionDeclined')
    return { ...movementAnswer(answering), status: TransactionStatus.DECLINED };
  const { position, consistencyToken, replayed } = receipt;
  const root = transactionChangesOf(event)[0];
  if (root?.payment === undefined) throw new Error('an event of a hold carries its payment');
  const accounts = isAbbreviated ? [] : accountsTouched(event);
  const payment = isAbbreviated ? undefined : root.payment;
  return { status: root.status, accounts, position, consistencyToken, replayed, payment };
}

/** The answer to UpdateTransaction: what it set. */
export function annotationAnswer({ event, receipt, isAbbreviated }: Answering) {
  const { position, consistencyToken, replayed } = receipt;
  const change = transactionChangesOf(event)[0];
  if (change?.annotation === undefined) throw new Error('TransactionUpdated carries what it set');
  const { transactionId, version } = change;
  const { description, metadata } = isAbbreviated ? { description: '', metadata: {} } : change.annotation;
  return { transactionId, description, metadata, version, position, consistencyToken, replayed };
}

/** What an abbreviated answer keeps of a transaction: all of bounded size that the caller cannot know. */
function outlineOf(transaction: Transaction): Transaction {
  const { ledgerId, transactionId, paymentId, kind, status, declineReason, declinedAccountId } = transaction;
  const { recordedTime, position, version } = transaction;
  const outline = create(TransactionSchema, { ledgerId, transactionId, paymentId, kind, status });
  outline.declineReason = declineReason;
  outline.declinedAccountId = declinedAccountId;
  outline.exceededLimit = transaction.exceededLimit;
  if (recordedTime !== undefined) outline.recordedTime = recordedTime;
  outline.position = position;
  outline.version = version;
  return outline;
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
