/** RefundPayment: principal back from payee to payer or from and to other accounts, and the fees that it lists. */
import { checkEffectiveTime, checkParty } from './checks.js';
import type { RefundPayment } from './command.js';
import { type Decision, type LedgerReader, type Refusal, refusal, refuse } from './decision.js';
import { refundEntries } from './entries.js';
import type { PaymentRoot } from './existence.js';
import { existingPayment } from './existence.js';
import { type Parties, refundable, refunded, returnableFee } from './payment-totals.js';
import { newTransaction, settle } from './settle.js';

/** Refunds at most what was captured less what was reversed and refunded, and of fees what was charged likewise. */
export function decideRefundPayment(command: RefundPayment, ledger: LedgerReader, now: bigint): Decision {
  const { paymentId, effectiveTime, fees, force: forced } = command;
  const root = existingPayment(ledger, paymentId);
  const { payment } = root;
  const { currency } = payment;
  const amount = command.amount?.minorUnits ?? refundable(payment);
  const parties = {
    payerAccountId: command.toAccountId ?? payment.payerAccountId,
    payeeAccountId: command.fromAccountId ?? payment.payeeAccountId,
  };
  const problem =
    checkNotDeclined(root) ??
    checkEffectiveTime(effectiveTime, ledger, now) ??
    checkAmount(command, root) ??
    checkReturnedFees(command, root) ??
    checkStandIns(command, parties, currency, ledger);
  if (problem !== null) return refuse(problem);
  return settle(
    {
      own: newTransaction(command, {
        kind: 'REFUND',
        status: 'POSTED',
        amount,
        currency,
        entries: refundEntries(parties, amount, currency, fees),
        fees,
        paymentId,
      }),
      effectiveTime: effectiveTime ?? now,
      forced,
      hold: null,
      alsoChanged: [{ ...root, payment: refunded(payment, amount, fees), version: root.version + 1n }],
      laterEntries: null,
    },
    ledger,
    now,
  );
}

function checkNotDeclined({ status, transactionId }: PaymentRoot): Refusal | null {
  if (status !== 'DECLINED') return null;
  const at = { field: 'payment_id', resourceId: transactionId };
  return refusal('PAYMENT_DECLINED', `Payment ${transactionId} was declined.`, at);
}

function checkAmount({ amount, paymentId }: RefundPayment, { payment }: PaymentRoot): Refusal | null {
  if (amount === null) {
    if (refundable(payment) > 0n) return null;
    const message = `Nothing of payment ${paymentId} is left to refund.`;
    return refusal('REFUND_EXCEEDS_CAPTURED', message, { field: 'all', resourceId: paymentId });
  }
  if (amount.currency !== payment.currency) {
    const message = `Payment ${paymentId} is in ${payment.currency}, not in ${amount.currency}.`;
    return refusal('CURRENCY_MISMATCH', message, { field: 'amount.currency', resourceId: paymentId });
  }
  const most = refundable(payment);
  if (amount.minorUnits <= most) return null;
  const message = `A refund of ${amount.minorUnits} is more than the ${most} that may be refunded.`;
  return refusal('REFUND_EXCEEDS_CAPTURED', message, { field: 'amount.minor_units', resourceId: paymentId });
}

/** Accounts that take the places of payer and payee are such as could have paid or been paid, and no money goes in a circle. */
function checkStandIns(
  command: RefundPayment,
  { payerAccountId: to, payeeAccountId: from }: Parties,
  currency: string,
  ledger: LedgerReader,
): Refusal | null {
  const { fromAccountId, toAccountId, fees } = command;
  if (from === to) {
    const field = toAccountId === null ? 'from_account_id' : 'to_account_id';
    const message = `Account ${from} would refund itself.`;
    return refusal('ACCOUNT_TYPE', message, { field, resourceId: from });
  }
  for (const [i, { toAccountId: feeAccount }] of fees.entries()) {
    if (feeAccount !== from && feeAccount !== to) continue;
    const message = `Account ${feeAccount} would return a fee to itself.`;
    return refusal('ACCOUNT_TYPE', message, { field: `fees[${i}].to_account_id`, resourceId: feeAccount });
  }
  return (
    (fromAccountId === null ? null : checkParty(ledger, fromAccountId, currency, 'from_account_id')) ??
    (toAccountId === null ? null : checkParty(ledger, toAccountId, currency, 'to_account_id'))
  );
}

/** The same fee may be listed several times; the sum counts. */
function checkReturnedFees({ fees, paymentId }: RefundPayment, { payment }: PaymentRoot): Refusal | null {
  for (const [i, { paidBy, toAccountId }] of fees.entries()) {
    const most = returnableFee(payment, paidBy, toAccountId);
    let sum = 0n;
    for (const fee of fees) {
      if (fee.paidBy === paidBy && fee.toAccountId === toAccountId) sum += fee.amount;
    }
    if (sum <= most) continue;
    const message = `A fee of ${sum} from ${toAccountId} is more than the ${most} that may be returned to the ${paidBy}.`;
    return refusal('FEE_REFUND_EXCEEDS_CHARGED', message, { field: `fees[${i}]`, resourceId: paymentId });
  }
  return null;
}
