/** What must be loaded before a command can be decided. */
import type { Command } from './command.js';
import { accountsImplied, accountsNamed, transactionNamed } from './names.js';
import type { TransactionState } from './transaction.js';

/** What has been loaded; what was looked for and does not exist is known too. */
export interface Known {
  /** Whether it is known if the account exists. */
  account(accountId: string): boolean;
  /** The transaction, undefined if there is none, 'unknown' if it was not looked for. */
  transaction(transactionId: string): TransactionState | undefined | 'unknown';
}

/** Ids to load, each once. */
export interface Needs {
  readonly accounts: readonly string[];
  readonly transactions: readonly string[];
}

const NOTHING: Needs = { accounts: [], transactions: [] };

/**
 * The ids that the decision of `command` reads and that are not known yet. What follows from a payment or transaction
 * is listed once that is known: load and ask again, until both lists are empty (three rounds at most). For an atomic
 * batch ask for each item: what follows from an earlier item is among that item's own needs.
 */
export function needs(command: Command, known: Known): Needs {
  const accounts: string[] = [];
  const transactions: string[] = [];
  const needAccount = (id: string): void => {
    if (!known.account(id) && !accounts.includes(id)) accounts.push(id);
  };
  for (const { accountId } of accountsNamed(command)) needAccount(accountId);
  for (const accountId of accountsImplied(command)) needAccount(accountId);
  const named = transactionNamed(command);
  if (named !== null) {
    const transaction = known.transaction(named.transactionId);
    if (transaction === 'unknown') {
      transactions.push(named.transactionId);
    } else if (transaction !== undefined) {
      for (const accountId of accountsFollowing(command, transaction)) needAccount(accountId);
      const root = rootFollowing(command, transaction);
      if (root !== null && known.transaction(root) === 'unknown') transactions.push(root);
    }
  }
  return accounts.length === 0 && transactions.length === 0 ? NOTHING : { accounts, transactions };
}

/** The accounts that a command moves because its payment or transaction did. */
function accountsFollowing(command: Command, named: TransactionState): readonly string[] {
  if (command.type === 'UpdateTransaction') return [];
  if (command.type === 'ReverseTransaction') return named.entries.map(({ accountId }) => accountId);
  if (named.payment === null) return [];
  const { payerAccountId, payeeAccountId } = named.payment;
  const holdOnly = command.type === 'VoidPayment' || command.type === 'ExpirePayment';
  return holdOnly ? [payerAccountId] : [payerAccountId, payeeAccountId];
}

function rootFollowing(command: Command, named: TransactionState): string | null {
  return command.type === 'ReverseTransaction' ? named.paymentId : null;
}
