/** Items of a declined atomic batch that nobody decided: what is known of them from their requests. */
import type { Amount, MovementCommand } from './command.js';
import { journalPrincipal } from './decide-journal.js';
import { expireTimeOf } from './decide-payment.js';
import { unreachable } from './invariant.js';
import { begunPayment } from './payment-totals.js';
import { madeBy } from './settle.js';
import type { TransactionKind, TransactionState } from './transaction.js';

/**
 * The declined transaction of an undecided item: kind and amount, no entries. `find` looks up the transaction that a
 * reversal names, among the items before it and then in the ledger. `now` is what its recorded time will be.
 */
export function undecided(
  command: MovementCommand,
  find: (transactionId: string) => TransactionState,
  now: bigint,
): TransactionState {
  switch (command.type) {
    case 'Deposit':
      return madeBy(command, asked('DEPOSIT', command.amount));
    case 'Withdraw':
      return madeBy(command, asked('WITHDRAWAL', command.amount));
    case 'SubmitPayment': {
      const { requestId: paymentId, fees, amount } = command;
      const payment = begunPayment(command, amount, null);
      return madeBy(command, { ...asked('PAYMENT', amount), fees, paymentId, payment });
    }
    case 'AuthorizePayment': {
      const { requestId: paymentId, amount } = command;
      const payment = begunPayment(command, amount, expireTimeOf(command, now));
      return madeBy(command, { ...asked('AUTHORIZATION', amount), paymentId, payment });
    }
    case 'CapturePayment': {
      const { paymentId, fees, amount } = command;
      return madeBy(command, { ...asked('CAPTURE', amount), fees, paymentId });
    }
    case 'RefundPayment': {
      const { paymentId, fees, amount } = command;
      return madeBy(command, { ...asked('REFUND', amount), fees, paymentId });
    }
    case 'PostTransaction': {
      const { amount: minorUnits, currency } = journalPrincipal(command);
      return madeBy(command, asked('JOURNAL', { minorUnits, currency }));
    }
    case 'ReverseTransaction': {
      const { amount, currency, paymentId, fees, transactionId: reverses } = find(command.transactionId);
      const fields = asked('REVERSAL', { minorUnits: amount, currency });
      return madeBy(command, { ...fields, fees, paymentId, reverses });
    }
    default:
      return unreachable(command);
  }
}

function asked(kind: TransactionKind, { currency, minorUnits: amount }: Amount) {
  return { kind, status: 'DECLINED', amount, currency } as const;
}
