/** What becomes of a hold: captured, voided, expired. */
import { checkEffectiveTime, checkFees } from './checks.js';
import type { CapturePayment, ExpirePayment, VoidPayment } from './command.js';
import { type Decision, happened, type LedgerReader, type Refusal, refusal, refuse } from './decision.js';
import { paymentEntries } from './entries.js';
import type { PaymentRoot } from './existence.js';
import { existingPayment, isPaymentRoot } from './existence.js';
import { FEE_TOTALS_MAX } from './limits.js';
import { release } from './movement.js';
import { authorizationStatus, captured, expired, voided } from './payment-totals.js';
import { newTransaction, settle } from './settle.js';
import type { Fee, Payment, TransactionState } from './transaction.js';
import { remaining } from './transaction.js';

/** Takes all or part of the hold, and fees besides; a final capture releases the rest. */
export function decideCapturePayment(command: CapturePayment, ledger: LedgerReader, now: bigint): Decision {
  const { paymentId, effectiveTime, fees } = command;
  const root = existingPayment(ledger, paymentId);
  const { payment } = root;
  const { currency } = payment;
  const amount = command.amount?.minorUnits ?? remaining(payment);
  const problem =
    checkHoldOpen(root, now) ??
    checkEffectiveTime(effectiveTime, ledger, now) ??
    checkCapture(command, payment) ??
    checkFees({ parties: payment, currency, amount, fees }, ledger) ??
    checkFeeTotals(command, payment);
  if (problem !== null) return refuse(problem);
  const rest = command.final ? remaining(payment) - amount : 0n;
  return settle(
    {
      own: newTransaction(command, {
        kind: 'CAPTURE',
        status: 'POSTED',
        amount,
        currency,
        entries: paymentEntries(payment, amount, currency, fees),
        fees,
        paymentId,
      }),
      effectiveTime: effectiveTime ?? now,
      forced: false,
      hold: { accountId: payment.payerAccountId, delta: -(amount + rest) },
      alsoChanged: [withPayment(root, captured(payment, amount, rest, fees))],
      laterEntries: null,
    },
    ledger,
    now,
  );
}

/** Releases all that remains of the hold; also on a frozen account. */
export function decideVoidPayment(command: VoidPayment, ledger: LedgerReader, now: bigint): Decision {
  const root = existingPayment(ledger, command.paymentId);
  const problem = checkHoldOpen(root, now);
  if (problem !== null) return refuse(problem);
  const { payment } = root;
  const { accounts, holdChanges } = release(payment.payerAccountId, remaining(payment), ledger);
  const transactions = [withPayment(root, voided(payment))];
  return happened({ type: 'PaymentVoided', holdChanges, accounts, transactions });
}

/** The expirer's: releases an overdue hold, and does nothing if there is none any more. */
export function decideExpirePayment(command: ExpirePayment, ledger: LedgerReader, now: bigint): Decision {
  const root = ledger.transaction(command.paymentId);
  if (!isPaymentRoot(root) || root.status !== 'AUTHORIZED' || !isOverdue(root.payment, now))
    return happened();
  const { payment } = root;
  const { accounts, holdChanges } = release(payment.payerAccountId, remaining(payment), ledger);
  const transactions = [withPayment(root, expired(payment))];
  return happened({ type: 'PaymentExpired', holdChanges, accounts, transactions });
}

/** The root of a payment after the payment changed, with the status that follows. */
export function withPayment(root: PaymentRoot, payment: Payment): TransactionState {
  return { ...root, payment, status: authorizationStatus(payment), version: root.version + 1n };
}

function isOverdue({ expireTime }: Payment, now: bigint): boolean {
  return expireTime !== null && now >= expireTime;
}

/**
 * An expired hold answers HOLD_EXPIRED before and after PaymentExpired is written, unless the payment ended otherwise.
 */
export function checkHoldOpen(root: PaymentRoot, now: bigint): Refusal | null {
  const { payment, status, transactionId } = root;
  const at = { field: 'payment_id', resourceId: transactionId };
  if (status === 'DECLINED') {
    return refusal('PAYMENT_DECLINED', `Payment ${transactionId} was declined.`, at);
  }
  const ended = remaining(payment) === 0n;
  if (ended ? payment.expired > 0n : isOverdue(payment, now)) {
    return refusal('HOLD_EXPIRED', `The hold of payment ${transactionId} has expired.`, at);
  }
  return ended
    ? refusal('PAYMENT_ENDED', `Nothing remains of the hold of payment ${transactionId}.`, at)
    : null;
}

/** Every event of a payment carries all its fee totals, so there is a limit on them. */
function checkFeeTotals({ paymentId, fees }: CapturePayment, payment: Payment): Refusal | null {
  const key = ({ paidBy, toAccountId }: Pick<Fee, 'paidBy' | 'toAccountId'>) => `${paidBy} ${toAccountId}`;
  if (new Set([...payment.fees, ...fees].map(key)).size <= FEE_TOTALS_MAX) return null;
  const message = `Payment ${paymentId} would have fees of more than ${FEE_TOTALS_MAX} pairs of bearer and account.`;
  return refusal('TOO_MANY_FEES', message, { field: 'fees', resourceId: paymentId });
}

function checkCapture(command: CapturePayment, payment: Payment): Refusal | null {
  const { paymentId, amount } = command;
  if (amount === null) return null;
  const left = remaining(payment);
  if (amount.currency !== payment.currency) {
    const message = `Payment ${paymentId} is in ${payment.currency}, not in ${amount.currency}.`;
    return refusal('CURRENCY_MISMATCH', message, { field: 'amount.currency', resourceId: paymentId });
  }
  if (amount.minorUnits <= left) return null;
  const message = `A capture of ${amount.minorUnits} is more than the ${left} that remain of the hold.`;
  return refusal('CAPTURE_EXCEEDS_HOLD', message, { field: 'amount.minor_units', resourceId: paymentId });
}
