/** Checks of state that several commands share; each answers a refusal, or null if all is well. */
import type { AccountState, AccountType } from './account.js';
import { type LedgerReader, type Refusal, refusal } from './decision.js';
import { existingAccount } from './existence.js';
import type { Parties } from './payment-totals.js';
import type { Fee } from './transaction.js';

/** The account's version must be the one the caller read, if one is given. */
export function checkVersion(account: AccountState, expectedVersion: bigint | null): Refusal | null {
  const { accountId, version } = account;
  if (expectedVersion === null || expectedVersion === version) return null;
  const message = `Account ${accountId} is at version ${version}, not ${expectedVersion}.`;
  return refusal('VERSION_MISMATCH', message, { field: 'expected_version', resourceId: accountId });
}

/**
 * Entries are dated neither in the future nor in a closed period. Without a date they are dated now, which no close has reached.
 * Times are UTC microseconds.
 */
export function checkEffectiveTime(
  effectiveTime: bigint | null,
  ledger: LedgerReader,
  now: bigint,
): Refusal | null {
  if (effectiveTime === null) return null;
  const at = { field: 'effective_time' };
  if (effectiveTime > now) {
    return refusal('TIME_OUT_OF_RANGE', 'The effective time is in the future.', at);
  }
  const closedThrough = ledger.closedThrough();
  if (closedThrough === null || effectiveTime > closedThrough) return null;
  return refusal('PERIOD_CLOSED', 'The effective time lies in a closed period.', { ...at, closedThrough });
}

/** An amount is in the account's currency. */
export function checkCurrency(account: AccountState, currency: string, field: string): Refusal | null {
  if (account.currency === currency) return null;
  const message = `Account ${account.accountId} is in ${account.currency}, not in ${currency}.`;
  return refusal('CURRENCY_MISMATCH', message, { field, resourceId: account.accountId });
}

/** The account's type fits its role. */
export function checkType(
  account: AccountState,
  allowed: readonly AccountType[],
  field: string,
): Refusal | null {
  if (allowed.includes(account.type)) return null;
  const message = `Account ${account.accountId} is of type ${account.type}; it must be ${allowed.join(' or ')}.`;
  return refusal('ACCOUNT_TYPE', message, { field, resourceId: account.accountId });
}

const PARTY_TYPES: readonly AccountType[] = ['LIABILITY', 'ASSET'];

/** The account can be a party of a payment in this currency. */
export function checkParty(
  ledger: LedgerReader,
  accountId: string,
  currency: string,
  field: string,
): Refusal | null {
  const { state } = existingAccount(ledger, accountId);
  return checkType(state, PARTY_TYPES, field) ?? checkCurrency(state, currency, field);
}

/** Both parties are LIABILITY or ASSET and in the payment's currency. */
export function checkParties(payer: AccountState, payee: AccountState, currency: string): Refusal | null {
  return (
    checkType(payer, PARTY_TYPES, 'payer_account_id') ??
    checkType(payee, PARTY_TYPES, 'payee_account_id') ??
    checkCurrency(payer, currency, 'payer_account_id') ??
    checkCurrency(payee, currency, 'payee_account_id')
  );
}

/** What a payment or capture may charge. */
export interface Charge {
  readonly parties: Parties;
  readonly currency: string;
  readonly amount: bigint;
  readonly fees: readonly Fee[];
}

/** Fees go to third accounts of the payment's currency; those of the payee come out of the amount. */
export function checkFees(charge: Charge, ledger: LedgerReader): Refusal | null {
  const { parties, currency, amount, fees } = charge;
  let paidByPayee = 0n;
  for (const [i, { toAccountId, paidBy, amount: fee }] of fees.entries()) {
    const field = `fees[${i}].to_account_id`;
    if (toAccountId === parties.payerAccountId || toAccountId === parties.payeeAccountId) {
      const message = `Account ${toAccountId} is a party of the payment; a fee goes to any other account.`;
      return refusal('ACCOUNT_TYPE', message, { field, resourceId: toAccountId });
    }
    const mismatch = checkCurrency(existingAccount(ledger, toAccountId).state, currency, field);
    if (mismatch !== null) return mismatch;
    if (paidBy === 'PAYEE') paidByPayee += fee;
  }
  if (paidByPayee <= amount) return null;
  const message = `Fees of ${paidByPayee} paid by the payee are more than the amount of ${amount}.`;
  return refusal('FEE_EXCEEDS_AMOUNT', message, { field: 'fees' });
}
