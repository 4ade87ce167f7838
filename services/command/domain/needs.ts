/** What a command names by id, and what must be loaded before it can be decided. */
import { settlementAccountId } from './account.js';
import { assetAccounts } from './assets.js';
import type { Command } from './command.js';
import { unreachable } from './invariant.js';
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
  for (const accountId of assetAccounts(command)) needAccount(accountId);
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

/** An account that a request names. */
export interface NamedAccount {
  readonly accountId: string;
  /** The field that names it, in snake_case. */
  readonly field: string;
}

/** A transaction that a request names. */
export interface NamedTransaction {
  readonly transactionId: string;
  readonly field: 'payment_id' | 'transaction_id';
}

const NONE: readonly NamedAccount[] = [];

/** The accounts that must exist for the command to be decided, in the order in which they are looked for. */
export function accountsNamed(command: Command): readonly NamedAccount[] {
  switch (command.type) {
    case 'CreateLedger':
    case 'RegisterAsset':
    case 'ClosePeriod':
    case 'ReopenPeriod':
    case 'OpenAccount':
    case 'AdjustAuthorization':
    case 'VoidPayment':
    case 'ExpirePayment':
    case 'ReverseTransaction':
    case 'UpdateTransaction':
      return NONE;
    case 'UpdateAccount':
    case 'FreezeAccount':
    case 'UnfreezeAccount':
    case 'CloseAccount':
      return [{ accountId: command.accountId, field: 'account_id' }];
    case 'Deposit':
    case 'Withdraw':
      return cashAccounts(command.accountId, command.settlementAccountId);
    case 'SubmitPayment':
      return command.fees.length === 0
        ? parties(command.payerAccountId, command.payeeAccountId)
        : [...parties(command.payerAccountId, command.payeeAccountId), ...feeAccounts(command.fees)];
    case 'AuthorizePayment':
      return parties(command.payerAccountId, command.payeeAccountId);
    case 'CapturePayment':
      return feeAccounts(command.fees);
    case 'RefundPayment':
      return [...standIns(command.fromAccountId, command.toAccountId), ...feeAccounts(command.fees)];
    case 'PostTransaction':
      return command.entries.map(({ accountId }, i) => ({ accountId, field: `entries[${i}].account_id` }));
    default:
      return unreachable(command);
  }
}

/** The transaction that must exist for the command to be decided. */
export function transactionNamed(command: Command): NamedTransaction | null {
  switch (command.type) {
    case 'AdjustAuthorization':
    case 'CapturePayment':
    case 'VoidPayment':
    case 'ExpirePayment':
    case 'RefundPayment':
      return { transactionId: command.paymentId, field: 'payment_id' };
    case 'ReverseTransaction':
    case 'UpdateTransaction':
      return { transactionId: command.transactionId, field: 'transaction_id' };
    default:
      return null;
  }
}

/** Accounts that the decision reads though the request does not name them, and that need not exist. */
export function accountsImplied(command: Command): readonly string[] {
  switch (command.type) {
    case 'RegisterAsset':
      return [settlementAccountId(command.code)];
    case 'OpenAccount':
      return [command.accountId, settlementAccountId(command.currency)];
    case 'Deposit':
    case 'Withdraw':
      return command.settlementAccountId === null ? [settlementAccountId(command.amount.currency)] : [];
    default:
      return [];
  }
}

function cashAccounts(accountId: string, settlement: string | null): readonly NamedAccount[] {
  const account = { accountId, field: 'account_id' };
  return settlement === null
    ? [account]
    : [account, { accountId: settlement, field: 'settlement_account_id' }];
}

function parties(payer: string, payee: string): readonly NamedAccount[] {
  return [
    { accountId: payer, field: 'payer_account_id' },
    { accountId: payee, field: 'payee_account_id' },
  ];
}

function standIns(from: string | null, to: string | null): readonly NamedAccount[] {
  const named: NamedAccount[] = [];
  if (from !== null) named.push({ accountId: from, field: 'from_account_id' });
  if (to !== null) named.push({ accountId: to, field: 'to_account_id' });
  return named;
}

function feeAccounts(fees: readonly { readonly toAccountId: string }[]): readonly NamedAccount[] {
  if (fees.length === 0) return NONE;
  return fees.map(({ toAccountId }, i) => ({ accountId: toAccountId, field: `fees[${i}].to_account_id` }));
}
