/** Items of a declined atomic batch that were not decided: what their requests say of them. */
import type { AdjustAuthorization, Amount, MovementCommand, VoidPayment } from './command.js';
import { journalPrincipal } from './decide-journal.js';
import { expireTimeOf } from './decide-payment.js';
import { invariant, unreachable } from './invariant.js';
import { begunPayment, refundable } from './payment-totals.js';
import { newTransaction } from './settle.js';
import { type Payment, remaining, type TransactionKind, type TransactionState } from './transaction.js';

/**
 * The declined transaction of an undecided item: kind and amount, no entries. `find` looks up the transaction that a
 * reversal or a command on a payment names, among the items before it and then in the ledger. `now` is what its recorded time will be.
 */
export function undecided(
  command: MovementCommand,
  find: (transactionId: string) => TransactionState,
  now: bigint,
): TransactionState {
  switch (command.type) {
    case 'Deposit':
      return newTransaction(command, declinedFields('DEPOSIT', command.amount));
    case 'Withdraw':
      return newTransaction(command, declinedFields('WITHDRAWAL', command.amount));
    case 'SubmitPayment': {
      const { requestId: paymentId, fees, amount } = command;
      const payment = begunPayment(command, amount, null);
      return newTransaction(command, { ...declinedFields('PAYMENT', amount), fees, paymentId, payment });
    }
    case 'AuthorizePayment': {
      const { requestId: paymentId, amount } = command;
      const payment = begunPayment(command, amount, expireTimeOf(command, now));
      return newTransaction(command, { ...declinedFields('AUTHORIZATION', amount), paymentId, payment });
    }
    case 'AdjustAuthorization':
    case 'VoidPayment':
      return declinedOnHold(command, find(command.paymentId));
    case 'CapturePayment': {
      const { paymentId, fees } = command;
      const amount = command.amount ?? leftOf(find(paymentId), remaining);
      return newTransaction(command, { ...declinedFields('CAPTURE', amount), fees, paymentId });
    }
    case 'RefundPayment': {
      const { paymentId, fees } = command;
      const amount = command.amount ?? leftOf(find(paymentId), refundable);
      return newTransaction(command, { ...declinedFields('REFUND', amount), fees, paymentId });
    }
    case 'PostTransaction': {
      const { amount: minorUnits, currency } = journalPrincipal(command);
      return newTransaction(command, declinedFields('JOURNAL', { minorUnits, currency }));
    }
    case 'ReverseTransaction': {
      const { amount, currency, paymentId, fees, transactionId: reverses } = find(command.transactionId);
      const fields = declinedFields('REVERSAL', { minorUnits: amount, currency });
      return newTransaction(command, { ...fields, fees, paymentId, reverses });
    }
    default:
      return unreachable(command);
  }
}

/**
 * The declined transaction of a command that changes a hold. It is only made where the hold stays as it was: `root` is the payment's
 * root as it is.
 */
export function declinedOnHold(
  command: AdjustAuthorization | VoidPayment,
  root: TransactionState,
): TransactionState {
  const { requestId, paymentId } = command;
  const making = { requestId, description: '', metadata: {} };
  if (command.type === 'VoidPayment')
    return newTransaction(making, { ...declinedFields('VOID', leftOf(root, remaining)), paymentId });
  const amount = command.amount ?? leftOf(root, ({ authorized }) => authorized);
  return newTransaction(making, { ...declinedFields('ADJUSTMENT', amount), paymentId });
}

/** What all that is left of a payment comes to; of one that is declined with the batch, what it asked for. */
function leftOf(
  { payment, status, amount, currency }: TransactionState,
  left: (payment: Payment) => bigint,
): Amount {
  invariant(payment !== null, 'the root of a payment has one');
  return { currency, minorUnits: status === 'DECLINED' ? amount : left(payment) };
}

function declinedFields(kind: TransactionKind, { currency, minorUnits: amount }: Amount) {
  return { kind, status: 'DECLINED', amount, currency } as const;
}
