/** The first question of every decision: is there what the command names? */
import type { Account } from './account.js';
import { findUnknownAsset } from './assets.js';
import type { Command, MovementCommand } from './command.js';
import { type LedgerReader, type Refusal, refusal } from './decision.js';
import { invariant } from './invariant.js';
import { accountsNamed, transactionNamed } from './needs.js';
import type { Payment, TransactionState } from './transaction.js';

/** Items of an atomic batch by request id. */
export type EarlierItems = ReadonlyMap<string, MovementCommand>;

const NO_ITEMS: EarlierItems = new Map();

/**
 * What the command names that does not exist: the ledger first, then assets, the payment or transaction, the accounts.
 * A payment or transaction may also be one of `earlier`. Commands that make what they name, and the expirer's, are
 * judged where they are decided.
 */
export function findMissing(
  command: Command,
  ledger: LedgerReader,
  earlier: EarlierItems = NO_ITEMS,
): Refusal | null {
  if (command.type === 'CreateLedger' || command.type === 'ExpirePayment') return null;
  if (!ledger.exists()) {
    const at = { field: 'ledger_id', resourceId: command.ledgerId };
    return refusal('LEDGER_NOT_FOUND', `There is no ledger ${command.ledgerId}.`, at);
  }
  return (
    findUnknownAsset(command, ledger) ??
    findMissingTransaction(command, ledger, earlier) ??
    findMissingAccount(command, ledger)
  );
}

/** The account that an earlier check found. @throws Error if it is not there. */
export function existingAccount(ledger: LedgerReader, accountId: string): Account {
  const account = ledger.account(accountId);
  invariant(account !== undefined, `account ${accountId} exists`);
  return account;
}

/** The transaction that an earlier check found. @throws Error if it is not there. */
export function existingTransaction(ledger: LedgerReader, transactionId: string): TransactionState {
  const transaction = ledger.transaction(transactionId);
  invariant(transaction !== undefined, `transaction ${transactionId} exists`);
  return transaction;
}

/** The root of a payment. */
export type PaymentRoot = TransactionState & { readonly payment: Payment };

/** Whether a transaction began a payment. */
export function isPaymentRoot(transaction: TransactionState | undefined): transaction is PaymentRoot {
  return transaction !== undefined && transaction.payment !== null;
}

/** The payment that an earlier check found. @throws Error if it is not there. */
export function existingPayment(ledger: LedgerReader, paymentId: string): PaymentRoot {
  const root = ledger.transaction(paymentId);
  invariant(isPaymentRoot(root), `payment ${paymentId} exists`);
  return root;
}

function findMissingTransaction(
  command: Command,
  ledger: LedgerReader,
  earlier: EarlierItems,
): Refusal | null {
  const named = transactionNamed(command);
  if (named === null) return null;
  const { transactionId: resourceId, field } = named;
  const item = earlier.get(resourceId);
  if (field === 'payment_id') {
    const begun =
      item === undefined
        ? isPaymentRoot(ledger.transaction(resourceId))
        : item.type === 'AuthorizePayment' || item.type === 'SubmitPayment';
    return begun
      ? null
      : refusal('PAYMENT_NOT_FOUND', `There is no payment ${resourceId}.`, { field, resourceId });
  }
  const isMade = item === undefined ? ledger.transaction(resourceId) !== undefined : makesTransaction(item);
  if (isMade) return null;
  return refusal('TRANSACTION_NOT_FOUND', `There is no transaction ${resourceId}.`, { field, resourceId });
}

/** Whether there is a transaction of its own once a command is done. */
function makesTransaction({ type }: MovementCommand): boolean {
  return type !== 'AdjustAuthorization' && type !== 'VoidPayment';
}

function findMissingAccount(command: Command, ledger: LedgerReader): Refusal | null {
  for (const { accountId, field } of accountsNamed(command)) {
    if (ledger.account(accountId) !== undefined) continue;
    return refusal('ACCOUNT_NOT_FOUND', `There is no account ${accountId}.`, {
      field,
      resourceId: accountId,
    });
  }
  return null;
}
