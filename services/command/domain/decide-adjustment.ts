/** AdjustAuthorization: how much a hold reserves, and until when. */
import type { AdjustAuthorization } from './command.js';
import { type Decision, happened, type LedgerReader, type Refusal, refusal, refuse } from './decision.js';
import { checkHoldOpen, withPayment } from './decide-hold.js';
import { checkExpireTime } from './decide-payment.js';
import { paymentEntries } from './entries.js';
import type { PaymentRoot } from './existence.js';
import { existingPayment } from './existence.js';
import { move, release } from './movement.js';
import { adjusted } from './payment-totals.js';
import type { Payment, TransactionState } from './transaction.js';
import { declinedOnHold } from './undecided.js';

/**
 * Sets what is authorized in all, the time when the hold expires, or both. A raise is judged as an authorization of the
 * difference; to lower, and to move the time, works in any status of the accounts.
 */
export function decideAdjustAuthorization(
  command: AdjustAuthorization,
  ledger: LedgerReader,
  now: bigint,
): Decision {
  const root = existingPayment(ledger, command.paymentId);
  const { payment } = root;
  const problem =
    checkHoldOpen(root, now) ?? checkExpireTime(command.expireTime, now) ?? checkAmount(command, payment);
  if (problem !== null) return refuse(problem);
  const amount = command.amount?.minorUnits ?? payment.authorized;
  const expireTime = command.expireTime ?? payment.expireTime;
  const transactions = [withPayment(root, adjusted(payment, amount, expireTime))];
  const delta = amount - payment.authorized;
  if (delta > 0n) return raise({ command, root, delta, transactions }, ledger, now);
  const { accounts, holdChanges } =
    delta === 0n ? NOTHING_RELEASED : release(payment.payerAccountId, -delta, ledger);
  return happened({ type: 'PaymentAdjusted', holdChanges, accounts, transactions });
}

const NOTHING_RELEASED: ReturnType<typeof release> = { accounts: [], holdChanges: [] };

/** An adjustment that reserves more. */
interface Raise {
  readonly command: AdjustAuthorization;
  readonly root: PaymentRoot;
  readonly delta: bigint;
  /** As they will be unless it is declined. */
  readonly transactions: readonly TransactionState[];
}

function raise({ command, root, delta, transactions }: Raise, ledger: LedgerReader, now: bigint): Decision {
  const { payment } = root;
  const hold = { accountId: payment.payerAccountId, delta };
  const checked = paymentEntries(payment, delta, payment.currency, []);
  const movement = move({ entries: [], hold, checked, forced: false, limited: true, now }, ledger);
  if (movement.outcome === 'refused') return refuse(movement.refusal);
  const { accounts } = movement;
  if (movement.outcome === 'moved') {
    const { holdChanges } = movement;
    return happened({ type: 'PaymentAdjusted', holdChanges, accounts, transactions });
  }
  return happened({
    type: 'TransactionDeclined',
    kind: 'ADJUSTMENT',
    reason: movement.reason,
    declinedAccountId: movement.accountId,
    exceededLimit: movement.exceededLimit,
    effectiveTime: now,
    forced: false,
    accounts,
    transactions: [declinedOnHold(command, root)],
  });
}

function checkAmount({ paymentId, amount }: AdjustAuthorization, payment: Payment): Refusal | null {
  if (amount === null) return null;
  const { currency, captured } = payment;
  if (amount.currency !== currency) {
    const message = `Payment ${paymentId} is in ${currency}, not in ${amount.currency}.`;
    return refusal('CURRENCY_MISMATCH', message, { field: 'amount.currency', resourceId: paymentId });
  }
  if (amount.minorUnits >= captured) return null;
  const message = `An authorization of ${amount.minorUnits} is less than the ${captured} that were captured of it.`;
  return refusal('AUTHORIZATION_BELOW_CAPTURED', message, {
    field: 'amount.minor_units',
    resourceId: paymentId,
  });
}
