/** ReverseTransaction: every entry of a posted transaction mirrored, once. */
import { checkEffectiveTime } from './checks.js';
import type { ReverseTransaction } from './command.js';
import { type Decision, type LedgerReader, type Refusal, refusal, refuse } from './decision.js';
import { mirrored } from './entries.js';
import type { PaymentRoot } from './existence.js';
import { existingPayment, existingTransaction } from './existence.js';
import { captureReversed, refundReversed } from './payment-totals.js';
import { newTransaction, settle } from './settle.js';
import type { Payment, TransactionState } from './transaction.js';

/** Undoes a transaction; both are linked, and the payment's totals follow. A hold is not opened again. */
export function decideReverseTransaction(
  command: ReverseTransaction,
  ledger: LedgerReader,
  now: bigint,
): Decision {
  const { effectiveTime, force: forced } = command;
  const reversed = existingTransaction(ledger, command.transactionId);
  const { paymentId, amount, currency, fees } = reversed;
  const root = paymentId === null ? null : existingPayment(ledger, paymentId);
  const problem = checkReversible(reversed, root) ?? checkEffectiveTime(effectiveTime, ledger, now);
  if (problem !== null) return refuse(problem);
  return settle(
    {
      own: newTransaction(command, {
        kind: 'REVERSAL',
        status: 'POSTED',
        amount,
        currency,
        entries: mirrored(reversed.entries),
        fees,
        paymentId,
        reverses: reversed.transactionId,
      }),
      effectiveTime: effectiveTime ?? now,
      forced,
      hold: null,
      alsoChanged: changedWith(reversed, root, command.requestId),
      laterEntries: null,
    },
    ledger,
    now,
  );
}

/** The reversed transaction, then the root of its payment unless that is the same. */
function changedWith(
  reversed: TransactionState,
  root: PaymentRoot | null,
  reversedBy: string,
): readonly TransactionState[] {
  const linked = { ...reversed, reversedBy, version: reversed.version + 1n };
  if (root === null) return [linked];
  const payment = paymentAfter(root.payment, reversed);
  if (root.transactionId === reversed.transactionId) return [{ ...linked, payment }];
  return [linked, { ...root, payment, version: root.version + 1n }];
}

function paymentAfter(payment: Payment, { kind, amount, fees }: TransactionState): Payment {
  return kind === 'REFUND' ? refundReversed(payment, amount, fees) : captureReversed(payment, amount, fees);
}

function checkReversible(reversed: TransactionState, root: PaymentRoot | null): Refusal | null {
  const { transactionId, kind, status, reversedBy } = reversed;
  const at = { field: 'transaction_id', resourceId: transactionId };
  if (status !== 'POSTED') {
    return refusal('NOT_REVERSIBLE', `Transaction ${transactionId} moved nothing.`, at);
  }
  if (kind === 'REVERSAL') {
    return refusal('NOT_REVERSIBLE', `Transaction ${transactionId} is a reversal itself.`, at);
  }
  if (reversedBy !== null) {
    return refusal('ALREADY_REVERSED', `Transaction ${transactionId} was reversed by ${reversedBy}.`, at);
  }
  if (root !== null && kind !== 'REFUND' && root.payment.refunded > 0n) {
    const message = `Payment ${root.transactionId} has refunds that were not reversed.`;
    return refusal('PAYMENT_HAS_REFUNDS', message, { ...at, resourceId: root.transactionId });
  }
  return null;
}
