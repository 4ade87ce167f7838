/** Money that enters or leaves the ledger: Deposit and Withdraw. */
import { availableOf, settlementAccountId } from './account.js';
import { checkCurrency, checkEffectiveTime, checkType, checkVersion } from './checks.js';
import type { Deposit, Withdraw } from './command.js';
import { type Decision, type LedgerReader, type Refusal, refusal, refuse } from './decision.js';
import { transfer } from './entries.js';
import { existingAccount } from './existence.js';
import { newTransaction, settle } from './settle.js';

/** Deposit debits an ASSET account (its settlement account) and credits the account; Withdraw the other way round. */
export function decideCash(command: Deposit | Withdraw, ledger: LedgerReader, now: bigint): Decision {
  const { accountId, effectiveTime } = command;
  const { currency, minorUnits } = command.amount;
  const settlementId = command.settlementAccountId ?? settlementAccountId(currency);
  const account = existingAccount(ledger, accountId).state;
  const problem =
    checkVersion(account, command.expectedVersion) ??
    checkEffectiveTime(effectiveTime, ledger, now) ??
    checkAccounts(command, settlementId, ledger);
  if (problem !== null) return refuse(problem);
  const amount = command.type === 'Withdraw' && command.upTo ? availableOf(account, minorUnits) : minorUnits;
  const own =
    command.type === 'Deposit'
      ? { kind: 'DEPOSIT' as const, entries: transfer(settlementId, accountId, amount, currency) }
      : { kind: 'WITHDRAWAL' as const, entries: transfer(accountId, settlementId, amount, currency) };
  return settle(
    {
      own: newTransaction(command, { ...own, status: 'POSTED', amount, currency }),
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
 * If the default settlement account does not exist, no account has that currency: the account's differs, which is found
 * first.
 */
function checkAccounts(
  command: Deposit | Withdraw,
  settlementId: string,
  ledger: LedgerReader,
): Refusal | null {
  const { accountId, amount } = command;
  const mismatch = checkCurrency(
    existingAccount(ledger, accountId).state,
    amount.currency,
    'amount.currency',
  );
  if (mismatch !== null) return mismatch;
  const settlement = existingAccount(ledger, settlementId).state;
  const field = 'settlement_account_id';
  if (settlementId === accountId) {
    const message = `Account ${accountId} is the settlement account; money cannot move from it to itself.`;
    return refusal('ACCOUNT_TYPE', message, { field, resourceId: accountId });
  }
  return checkType(settlement, ['ASSET'], field) ?? checkCurrency(settlement, amount.currency, field);
}
