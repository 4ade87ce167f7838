/** The rows that the fold expects in the balances view. */
import type { AccountFacts } from '../fold/facts.js';
import { limitsText } from '../fold/limits-fold.js';

/** The key of an account's row. */
export function balanceKey(ledgerId: string, accountId: string): string {
  return `${ledgerId} ${accountId}`;
}

/** What its row says. */
export function balanceContent(account: AccountFacts): string {
  const { type, currency, status, freezeScope, overdraftLimit, credits, debits, held, version } = account;
  const numbers = [overdraftLimit, credits, debits, held, version].map(String);
  return JSON.stringify([type, currency, status, freezeScope, ...numbers, limitsText(account.limits)]);
}
