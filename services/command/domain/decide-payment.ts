/** How payments begin: at once with SubmitPayment, in two steps with AuthorizePayment. */
import { availableOf } from './account.js';
import { checkEffectiveTime, checkFees, checkParties } from './checks.js';
import type { AuthorizePayment, SubmitPayment } from './command.js';
import { type Decision, type LedgerReader, type Refusal, refusal, refuse } from './decision.js';
import { paymentEntries } from './entries.js';
import { existingAccount } from './existence.js';
import { invariant } from './invariant.js';
import { DEFAULT_HOLD_US, MAX_HOLD_US } from './limits.js';
import { begunPayment, captured } from './payment-totals.js';
import { newTransaction, settle } from './settle.js';

/** Pays at once: the payment starts with authorized = captured = amount. */
export function decideSubmitPayment(command: SubmitPayment, ledger: LedgerReader, now: bigint): Decision {
  const { effectiveTime, fees } = command;
  const { currency, minorUnits } = command.amount;
  const amount = command.upTo ? affordable(command, ledger) : minorUnits;
  const problem =
    checkEffectiveTime(effectiveTime, ledger, now) ??
    checkPayment(command, ledger) ??
    (fees.length === 0 ? null : checkFees({ parties: command, currency, amount, fees }, ledger));
  if (problem !== null) return refuse(problem);
  return settle(
    {
      own: newTransaction(command, {
        kind: 'PAYMENT',
        status: 'POSTED',
        amount,
        currency,
        entries: paymentEntries(command, amount, currency, fees),
        fees,
        paymentId: command.requestId,
        payment: captured(begunPayment(command, { currency, minorUnits: amount }, null), amount, 0n, fees),
      }),
      effectiveTime: effectiveTime ?? now,
      forced: false,
      hold: null,
      alsoChanged: [],
      laterEntries: null,
    },
    ledger,
    now,
  );
}

/**
 * How much of the amount the payer has beside the fees that it bears; all of it where that would be nothing, or less than the fees
 * that the payee bears, so that it is declined as asked.
 */
function affordable({ payerAccountId, amount, fees }: SubmitPayment, ledger: LedgerReader): bigint {
  let byPayer = 0n;
  let byPayee = 0n;
  for (const fee of fees) {
    if (fee.paidBy === 'PAYER') byPayer += fee.amount;
    else byPayee += fee.amount;
  }
  const payer = existingAccount(ledger, payerAccountId).state;
  const most = availableOf(payer, amount.minorUnits + byPayer) - byPayer;
  return most > 0n && most >= byPayee ? most : amount.minorUnits;
}

/**
 * Reserves the amount on the payer. Closed and frozen accounts decline it as they would decline the later
 * capture: there is no use in holding money for a payee that cannot be paid.
 */
export function decideAuthorizePayment(
  command: AuthorizePayment,
  ledger: LedgerReader,
  now: bigint,
): Decision {
  const { effectiveTime, payerAccountId } = command;
  const { currency, minorUnits: amount } = command.amount;
  const problem =
    checkEffectiveTime(effectiveTime, ledger, now) ??
    checkExpireTime(command.expireTime, now) ??
    checkPayment(command, ledger);
  if (problem !== null) return refuse(problem);
  return settle(
    {
      own: newTransaction(command, {
        kind: 'AUTHORIZATION',
        status: 'AUTHORIZED',
        amount,
        currency,
        paymentId: command.requestId,
        payment: begunPayment(command, command.amount, expireTimeOf(command, now)),
      }),
      effectiveTime: effectiveTime ?? now,
      forced: false,
      hold: { accountId: payerAccountId, delta: amount },
      alsoChanged: [],
      laterEntries: paymentEntries(command, amount, currency, []),
    },
    ledger,
    now,
  );
}

/** When the hold expires, UTC microseconds; 7 days from now unless the caller says otherwise. */
export function expireTimeOf(command: AuthorizePayment, now: bigint): bigint {
  return command.expireTime ?? now + DEFAULT_HOLD_US;
}

function checkPayment(command: SubmitPayment | AuthorizePayment, ledger: LedgerReader): Refusal | null {
  const { payerAccountId, payeeAccountId } = command;
  invariant(payerAccountId !== payeeAccountId, 'payer and payee differ');
  const payer = existingAccount(ledger, payerAccountId).state;
  const payee = existingAccount(ledger, payeeAccountId).state;
  return checkParties(payer, payee, command.amount.currency);
}

/** A hold expires in the future, and not too far in it. Times are UTC microseconds. */
export function checkExpireTime(expireTime: bigint | null, now: bigint): Refusal | null {
  if (expireTime === null || (expireTime > now && expireTime <= now + MAX_HOLD_US)) return null;
  const message = 'The expire time must be in the future and at most 400 days ahead.';
  return refusal('TIME_OUT_OF_RANGE', message, { field: 'expire_time' });
}
