/** The trial balance of a ledger: what its accounts of each type come to in each currency. Amounts are bigint minor units. */
import type { AccountType } from './account.js';
import type { TransactionPosted } from './event.js';
import { invariant } from './invariant.js';

/** What the accounts of one type in one currency come to. */
export interface PeriodTotal {
  /** A unit, as in AccountState. */
  readonly currency: string;
  readonly type: AccountType;
  readonly debits: bigint;
  readonly credits: bigint;
}

/** In order of currency and type, without rows of zero. */
export type TrialBalance = readonly PeriodTotal[];

/** The order of the types, which is that of their numbers in the contract. */
const TYPES: readonly AccountType[] = ['LIABILITY', 'ASSET', 'REVENUE', 'EXPENSE', 'EQUITY'];

/** The same rows in order, without those of zero. */
export function inOrder(totals: readonly PeriodTotal[]): TrialBalance {
  return totals
    .filter(({ debits, credits }) => debits !== 0n || credits !== 0n)
    .sort((a, b) => {
      if (a.currency !== b.currency) return a.currency < b.currency ? -1 : 1;
      return TYPES.indexOf(a.type) - TYPES.indexOf(b.type);
    });
}

/** A trial balance with what was posted since and is dated at or before `through`, UTC microseconds. */
export function withPostings(
  balance: TrialBalance,
  postings: readonly TransactionPosted[],
  through: bigint,
): TrialBalance {
  const dated = postings.filter(({ effectiveTime }) => effectiveTime <= through);
  if (dated.length === 0) return balance;
  const sums = new Map(balance.map((total) => [keyOf(total), total]));
  for (const { accounts, entries } of dated) {
    for (const { accountId, direction, amount, currency } of entries) {
      const account = accounts.find((each) => each.accountId === accountId);
      invariant(account !== undefined, `the event carries ${accountId}`);
      const { type } = account;
      const key = keyOf({ currency, type });
      const { debits, credits } = sums.get(key) ?? { debits: 0n, credits: 0n };
      sums.set(
        key,
        direction === 'DEBIT'
          ? { currency, type, debits: debits + amount, credits }
          : { currency, type, debits, credits: credits + amount },
      );
    }
  }
  return inOrder([...sums.values()]);
}

function keyOf({ currency, type }: Pick<PeriodTotal, 'currency' | 'type'>): string {
  return `${currency} ${type}`;
}
