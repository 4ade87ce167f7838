/** Loads as the executor does: nothing but what `needs` listed. */
import type { Account } from '../account.js';
import type { Command } from '../command.js';
import type { LedgerReader } from '../decision.js';
import { needs } from '../needs.js';
import type { TransactionState } from '../transaction.js';

interface Loaded {
  readonly accounts: ReadonlyMap<string, Account | undefined>;
  readonly transactions: ReadonlyMap<string, TransactionState | undefined>;
  /** How often was loaded. */
  readonly rounds: number;
}

/** Loads what the command needs, round by round. */
export function loadedFor(command: Command, ledger: LedgerReader): Loaded {
  const accounts = new Map<string, Account | undefined>();
  const transactions = new Map<string, TransactionState | undefined>();
  const known = {
    account: (id: string) => accounts.has(id),
    transaction: (id: string) => (transactions.has(id) ? transactions.get(id) : ('unknown' as const)),
  };
  for (let rounds = 0; ; rounds += 1) {
    const missing = needs(command, known);
    if (missing.accounts.length + missing.transactions.length === 0)
      return { accounts, transactions, rounds };
    for (const id of missing.accounts) accounts.set(id, ledger.account(id));
    for (const id of missing.transactions) transactions.set(id, ledger.transaction(id));
  }
}

/** A reader of what the commands need and nothing else. It throws on the rest. */
export function onlyLoaded(commands: readonly Command[], ledger: LedgerReader): LedgerReader {
  const loaded = commands.map((command) => loadedFor(command, ledger));
  const accounts = new Map(loaded.flatMap((each) => [...each.accounts]));
  const transactions = new Map(loaded.flatMap((each) => [...each.transactions]));
  const only = <T>(map: ReadonlyMap<string, T>, id: string): T | undefined => {
    if (!map.has(id)) throw new Error(`the decision reads ${id}, which needs() did not list`);
    return map.get(id);
  };
  return {
    exists: () => ledger.exists(),
    closedThrough: () => ledger.closedThrough(),
    trialBalance: (through) => ledger.trialBalance(through),
    account: (id) => only(accounts, id),
    transaction: (id) => only(transactions, id),
    calendar: ledger.calendar,
  };
}
