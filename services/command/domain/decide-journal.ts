/** PostTransaction: entries as the caller gives them. */
import { availableOf } from './account.js';
import { checkCurrency, checkEffectiveTime } from './checks.js';
import type { PostTransaction } from './command.js';
import { type Decision, type LedgerReader, type Refusal, refusal, refuse } from './decision.js';
import { existingAccount } from './existence.js';
import { invariant } from './invariant.js';
import { INT64_MAX } from './limits.js';
import { newTransaction, settle } from './settle.js';
import type { Entry } from './transaction.js';

/** Posts entries that balance per currency (checked at the door, asserted here). */
export function decideJournal(asked: PostTransaction, ledger: LedgerReader, now: bigint): Decision {
  const command = asked.upTo ? affordable(asked, ledger) : asked;
  const { effectiveTime, force: forced } = command;
  const { amount, currency } = journalPrincipal(command);
  const problem =
    checkEffectiveTime(effectiveTime, ledger, now) ??
    checkCurrencies(command, ledger) ??
    checkJournalPrincipal(command);
  if (problem !== null) return refuse(problem);
  const entries = command.entries.map(entryOf);
  return settle(
    {
      own: newTransaction(command, { kind: 'JOURNAL', status: 'POSTED', amount, currency, entries }),
      effectiveTime: effectiveTime ?? now,
      forced,
      hold: null,
      alsoChanged: [],
      laterEntries: null,
    },
    ledger,
    now,
  );
}

/** The same journal of two entries with as much as the debited account has. */
function affordable(command: PostTransaction, ledger: LedgerReader): PostTransaction {
  const debit = command.entries.find(({ direction }) => direction === 'DEBIT');
  invariant(debit !== undefined && command.entries.length === 2, 'two entries, one of them a debit');
  const minorUnits = availableOf(existingAccount(ledger, debit.accountId).state, debit.amount.minorUnits);
  const entries = command.entries.map(({ accountId, direction, amount: { currency } }) => ({
    accountId,
    direction,
    amount: { currency, minorUnits },
  }));
  return { ...command, entries };
}

/** The sum of the debits in the currency of the first entry, minor units. */
export function journalPrincipal(command: PostTransaction): {
  readonly amount: bigint;
  readonly currency: string;
} {
  const currency = command.entries[0]?.amount.currency ?? '';
  let amount = 0n;
  for (const entry of command.entries) {
    if (entry.direction === 'DEBIT' && entry.amount.currency === currency) amount += entry.amount.minorUnits;
  }
  return { amount, currency };
}

function entryOf({ accountId, direction, amount }: PostTransaction['entries'][number]): Entry {
  return { accountId, direction, amount: amount.minorUnits, currency: amount.currency };
}

function checkCurrencies(command: PostTransaction, ledger: LedgerReader): Refusal | null {
  for (const [i, { accountId, amount }] of command.entries.entries()) {
    const { state } = existingAccount(ledger, accountId);
    const mismatch = checkCurrency(state, amount.currency, `entries[${i}].amount.currency`);
    if (mismatch !== null) return mismatch;
  }
  return null;
}

/** The principal of a journal of many entries may exceed what each of its accounts can hold. */
export function checkJournalPrincipal(command: PostTransaction): Refusal | null {
  if (journalPrincipal(command).amount <= INT64_MAX) return null;
  return refusal('BALANCE_OVERFLOW', 'The sum of the debits would exceed 64 bits.', { field: 'entries' });
}
