/** How events change what later decisions see. Events carry whole states, so nothing is computed here. */
import type { Account } from './account.js';
import type { LedgerReader } from './decision.js';
import type { DomainEvent, TransactionPosted } from './event.js';
import { existingAccount } from './existence.js';
import { unreachable } from './invariant.js';
import type { TransactionState } from './transaction.js';
import { withPostings } from './trial-balance.js';

/** What is known of a ledger beside its accounts and transactions. */
export interface LedgerState {
  /** What is dated at or before it is closed, UTC microseconds; null: nothing is. */
  readonly closedThrough: bigint | null;
}

/** Changes on top of a reader: a reader itself, and what to merge once they are committed. */
export interface Overlay extends LedgerReader {
  /** Changed accounts as they are now. */
  readonly accounts: Map<string, Account>;
  /** Changed transactions as they are now. */
  readonly transactions: Map<string, TransactionState>;
  /** The ledger as it is now; null if it was neither created, closed nor reopened here. */
  ledger: LedgerState | null;
  /** What was posted here, in order. */
  readonly postings: TransactionPosted[];
}

/** An overlay without changes. What `reader` throws passes through. */
export function overlay(reader: LedgerReader): Overlay {
  const accounts = new Map<string, Account>();
  const transactions = new Map<string, TransactionState>();
  const postings: TransactionPosted[] = [];
  const self: Overlay = {
    accounts,
    transactions,
    ledger: null,
    postings,
    exists: () => self.ledger !== null || reader.exists(),
    closedThrough: () => (self.ledger ?? { closedThrough: reader.closedThrough() }).closedThrough,
    trialBalance: (through) => withPostings(reader.trialBalance(through), postings, through),
    account: (accountId) => accounts.get(accountId) ?? reader.account(accountId),
    transaction: (transactionId) => transactions.get(transactionId) ?? reader.transaction(transactionId),
    calendar: reader.calendar,
  };
  return self;
}

/**
 * Applies one event. Transaction events carry no profiles: accounts keep the one known before.
 * @throws Error if an event touches an account that does not exist.
 */
export function evolve(onto: Overlay, event: DomainEvent): void {
  switch (event.type) {
    case 'LedgerCreated':
      onto.ledger = { closedThrough: null };
      return;
    case 'PeriodClosed':
    case 'PeriodReopened':
      onto.ledger = { closedThrough: event.closedThrough };
      return;
    case 'AssetRegistered':
    case 'AccountOpened':
    case 'AccountUpdated':
    case 'AccountFrozen':
    case 'AccountUnfrozen':
    case 'AccountClosed':
      onto.accounts.set(event.account.state.accountId, event.account);
      return;
    case 'TransactionPosted':
    case 'PaymentAuthorized':
    case 'PaymentAdjusted':
    case 'PaymentVoided':
    case 'PaymentExpired':
      for (const state of event.accounts) {
        const { profile } = existingAccount(onto, state.accountId);
        onto.accounts.set(state.accountId, { state, profile });
      }
      if (event.type === 'TransactionPosted') onto.postings.push(event);
      break;
    case 'TransactionDeclined':
    case 'TransactionUpdated':
      break; // moved nothing
    default:
      unreachable(event);
  }
  for (const transaction of event.transactions) onto.transactions.set(transaction.transactionId, transaction);
}

/** Applies events in order. */
export function apply(onto: Overlay, events: readonly DomainEvent[]): void {
  for (const event of events) evolve(onto, event);
}
