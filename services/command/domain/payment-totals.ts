/** The totals of a payment, and how each kind of transaction changes them. */
import type { Amount } from './command.js';
import { invariant } from './invariant.js';
import type { Fee, FeePayer, FeeTotal, Payment, TransactionStatus } from './transaction.js';
import { remaining } from './transaction.js';

/** Who pays whom. */
export interface Parties {
  readonly payerAccountId: string;
  readonly payeeAccountId: string;
}

/** A payment with nothing captured; as such it also stands in a declined transaction. */
export function begunPayment(parties: Parties, amount: Amount, expireTime: bigint | null): Payment {
  const { payerAccountId, payeeAccountId } = parties;
  const { currency, minorUnits: authorized } = amount;
  return {
    payerAccountId,
    payeeAccountId,
    currency,
    authorized,
    captured: 0n,
    voided: 0n,
    expired: 0n,
    reversed: 0n,
    refunded: 0n,
    expireTime,
    fees: [],
  };
}

/** The payment after its authorization was adjusted; `authorized` is what it comes to in all. */
export function adjusted(payment: Payment, authorized: bigint, expireTime: bigint | null): Payment {
  return checked({ ...payment, authorized, expireTime });
}

/** The payment after a capture; `rest` is what it releases uncaptured. */
export function captured(payment: Payment, amount: bigint, rest: bigint, fees: readonly Fee[]): Payment {
  return checked({
    ...payment,
    captured: payment.captured + amount,
    voided: payment.voided + rest,
    fees: changeFees(payment.fees, fees, chargeMore),
  });
}

/** The payment after all that remained of its hold was voided. */
export function voided(payment: Payment): Payment {
  return checked({ ...payment, voided: payment.voided + remaining(payment) });
}

/** The payment after all that remained of its hold expired. */
export function expired(payment: Payment): Payment {
  return checked({ ...payment, expired: payment.expired + remaining(payment) });
}

/** The payment after a refund. */
export function refunded(payment: Payment, amount: bigint, fees: readonly Fee[]): Payment {
  const totals = changeFees(payment.fees, fees, returnMore);
  return checked({ ...payment, refunded: payment.refunded + amount, fees: totals });
}

/** The payment after the reversal of a capture or of the whole payment. */
export function captureReversed(payment: Payment, amount: bigint, fees: readonly Fee[]): Payment {
  const totals = changeFees(payment.fees, fees, chargeLess);
  return checked({ ...payment, reversed: payment.reversed + amount, fees: totals });
}

/** The payment after the reversal of a refund: refundable again. */
export function refundReversed(payment: Payment, amount: bigint, fees: readonly Fee[]): Payment {
  const totals = changeFees(payment.fees, fees, returnLess);
  return checked({ ...payment, refunded: payment.refunded - amount, fees: totals });
}

/** The status of an authorization that was not declined. */
export function authorizationStatus(payment: Payment): TransactionStatus {
  if (remaining(payment) > 0n) return 'AUTHORIZED';
  if (payment.captured > 0n) return 'CAPTURED';
  return payment.expired > 0n ? 'EXPIRED' : 'VOIDED';
}

/** What may still be refunded. */
export function refundable(payment: Payment): bigint {
  return payment.captured - payment.reversed - payment.refunded;
}

/** What of the fee of one bearer and one fee account may still be returned. */
export function returnableFee(payment: Payment, paidBy: FeePayer, toAccountId: string): bigint {
  const total = payment.fees.find((fee) => fee.paidBy === paidBy && fee.toAccountId === toAccountId);
  return total === undefined ? 0n : total.charged - total.refunded;
}

type FeeChange = (total: FeeTotal, amount: bigint) => FeeTotal;
const chargeMore: FeeChange = (total, amount) => ({ ...total, charged: total.charged + amount });
const chargeLess: FeeChange = (total, amount) => ({ ...total, charged: total.charged - amount });
const returnMore: FeeChange = (total, amount) => ({ ...total, refunded: total.refunded + amount });
const returnLess: FeeChange = (total, amount) => ({ ...total, refunded: total.refunded - amount });

/** In order of first charge; a fee account keeps its row when all was reversed. */
function changeFees(
  totals: readonly FeeTotal[],
  fees: readonly Fee[],
  change: FeeChange,
): readonly FeeTotal[] {
  if (fees.length === 0) return totals;
  const changed = [...totals];
  for (const { paidBy, toAccountId, amount } of fees) {
    const at = changed.findIndex((total) => total.paidBy === paidBy && total.toAccountId === toAccountId);
    const total = changed[at] ?? { paidBy, toAccountId, charged: 0n, refunded: 0n };
    changed.splice(at === -1 ? changed.length : at, 1, change(total, amount));
  }
  return changed;
}

function checked(payment: Payment): Payment {
  invariant(remaining(payment) >= 0n, 'captured + voided + expired <= authorized');
  invariant(payment.refunded >= 0n && refundable(payment) >= 0n, '0 <= refunded <= captured - reversed');
  for (const fee of payment.fees) {
    invariant(fee.refunded >= 0n && fee.refunded <= fee.charged, '0 <= fee refunded <= fee charged');
  }
  return payment;
}
