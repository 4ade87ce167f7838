/** From a drafted transaction to its event: posted, authorized or declined. */
import { type Decision, happened, type LedgerReader, refuse } from './decision.js';
import type { DomainEvent } from './event.js';
import type { Hold, Movement } from './movement.js';
import { move } from './movement.js';
import { begunPayment } from './payment-totals.js';
import type { Entry, TransactionKind, TransactionState } from './transaction.js';

/** A transaction whose errors of state have been ruled out. */
export interface Draft {
  /** As it will be unless it is declined. */
  readonly own: TransactionState;
  /** UTC microseconds. */
  readonly effectiveTime: bigint;
  readonly forced: boolean;
  readonly hold: Hold | null;
  /** Other transactions as they will be unless it is declined: the reversed one, the root of the payment. */
  readonly alsoChanged: readonly TransactionState[];
  /** The entries of a capture of the whole amount; of an authorization only. */
  readonly laterEntries: readonly Entry[] | null;
}

type TransactionFields = Pick<TransactionState, 'kind' | 'status' | 'amount' | 'currency'> &
  Partial<Pick<TransactionState, 'entries' | 'paymentId' | 'fees' | 'reverses' | 'payment'>>;

interface Making {
  readonly requestId: string;
  readonly description: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What gives back money that was moved before, which no limit may stand against. */
const UNDOING: ReadonlySet<TransactionKind> = new Set(['REFUND', 'REVERSAL']);

const NO_ENTRIES: readonly Entry[] = [];
const NO_FEES: TransactionState['fees'] = [];

/** The transaction that a command makes, at version 1; its id is the request's. */
export function newTransaction(command: Making, fields: TransactionFields): TransactionState {
  return {
    transactionId: command.requestId,
    kind: fields.kind,
    status: fields.status,
    paymentId: fields.paymentId ?? null,
    entries: fields.entries ?? NO_ENTRIES,
    amount: fields.amount,
    currency: fields.currency,
    fees: fields.fees ?? NO_FEES,
    reverses: fields.reverses ?? null,
    reversedBy: null,
    description: command.description,
    metadata: command.metadata,
    annotated: false,
    payment: fields.payment ?? null,
    version: 1n,
  };
}

/** The same transaction, declined: as intended, but a payment keeps only the amount that was requested. */
export function declined(own: TransactionState): TransactionState {
  const { payment } = own;
  if (payment === null) return { ...own, status: 'DECLINED' };
  const requested = { currency: payment.currency, minorUnits: payment.authorized };
  return { ...own, status: 'DECLINED', payment: begunPayment(payment, requested, payment.expireTime) };
}

/** Moves what the draft holds, or declines it, or refuses what overflows. `now` is its recorded time, UTC microseconds. */
export function settle(draft: Draft, ledger: LedgerReader, now: bigint): Decision {
  const { own, hold, forced } = draft;
  const checked = draft.laterEntries ?? own.entries;
  const limited = !UNDOING.has(own.kind);
  const movement = move({ entries: own.entries, hold, checked, forced, limited, now }, ledger);
  if (movement.outcome === 'refused') return refuse(movement.refusal);
  return happened(eventOf(draft, movement));
}

function eventOf(draft: Draft, movement: Exclude<Movement, { outcome: 'refused' }>): DomainEvent {
  const { own, effectiveTime, forced, alsoChanged } = draft;
  const { kind } = own;
  const { accounts } = movement;
  if (movement.outcome === 'declined') {
    const { reason, accountId: declinedAccountId, exceededLimit } = movement;
    const transactions = [declined(own)];
    const type = 'TransactionDeclined';
    const cause = { reason, declinedAccountId, exceededLimit };
    return { type, kind, ...cause, effectiveTime, forced, accounts, transactions };
  }
  const { holdChanges, entries } = movement;
  const transactions = [own, ...alsoChanged];
  return draft.laterEntries === null
    ? { type: 'TransactionPosted', kind, holdChanges, entries, effectiveTime, forced, accounts, transactions }
    : { type: 'PaymentAuthorized', holdChanges, effectiveTime, accounts, transactions };
}
