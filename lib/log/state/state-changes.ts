/** A fold of events to the rows of the state tables: of each entity its last state, sorted by key. */
import { clone, create } from '@bufbuild/protobuf';
import { TransactionStatus } from '../../../gen/quittance/common/v1/transaction_pb.js';
import {
  type AccountProfile,
  type AccountState,
  type Event,
  PaymentStateSchema,
  type TransactionState,
  TransactionStateSchema,
} from '../../../gen/quittance/event/v1/event_pb.js';
import { uuidFromBytes } from '../../base/uuid.js';
import { accountsChangedBy, profileOf } from '../account-of.js';
import { commandOf } from '../canonical-body.js';
import { closedThroughAfter } from '../periods.js';
import { transactionStatesIn } from '../transaction-of.js';
import type { StateCheckpoint } from './rows.js';

export interface StateChanges {
  readonly ledgers: readonly {
    readonly ledgerId: string;
    /** Of the event that left it so. */
    readonly position: bigint;
    /** UTC microseconds; null: nothing is closed. */
    readonly closedThrough: bigint | null;
  }[];
  readonly accounts: readonly {
    readonly ledgerId: string;
    readonly state: AccountState;
    /** Null: these events do not say it, an older row does. */
    readonly profile: AccountProfile | null;
  }[];
  readonly transactions: readonly {
    readonly ledgerId: string;
    readonly transactionId: string;
    readonly state: TransactionState;
    /** UTC microseconds, while a hold is open; else null. */
    readonly holdExpireTime: bigint | null;
  }[];
}

export interface StateBatch {
  readonly changes: StateChanges;
  /** The point of the last event in it. */
  readonly through: StateCheckpoint;
}

/** The rows that these events, in order, come to. */
export function stateChangesOf(events: Iterable<Event>): StateChanges {
  const fold = new StateFold();
  for (const event of events) fold.add(event);
  return fold.changes();
}

interface FoldedAccount {
  readonly ledgerId: string;
  readonly state: AccountState;
  readonly profile: AccountProfile | null;
}

interface FoldedTransaction {
  readonly ledgerId: string;
  readonly transactionId: string;
  readonly state: TransactionState;
}

/** The same, event by event: thousands of them take longer than the event loop may stand still. */
export class StateFold {
  readonly #ledgers = new Map<string, StateChanges['ledgers'][number]>();
  readonly #accounts = new Map<string, FoldedAccount>();
  readonly #transactions = new Map<string, FoldedTransaction>();

  /** Takes in the event after the one before. */
  add(event: Event): void {
    const { ledgerId, position } = event;
    const closedThrough = closedThroughAfter(event);
    if (closedThrough !== undefined) this.#ledgers.set(ledgerId, { ledgerId, position, closedThrough });
    for (const state of accountsChangedBy(event)) {
      const key = `${ledgerId}\0${state.accountId}`;
      const profile = profileOf(event) ?? this.#accounts.get(key)?.profile ?? null;
      this.#accounts.set(key, { ledgerId, state, profile });
    }
    for (const state of transactionStatesIn(event)) {
      if (!hasRow(event, state)) continue;
      const whole = wholeState(event, state);
      const transactionId = uuidFromBytes(whole.transactionId);
      this.#transactions.set(`${ledgerId}\0${transactionId}`, { ledgerId, transactionId, state: whole });
    }
  }

  changes(): StateChanges {
    return {
      ledgers: sorted(this.#ledgers).map(([, row]) => row),
      accounts: sorted(this.#accounts).map(([, row]) => row),
      transactions: sorted(this.#transactions).map(([, row]) => ({
        ...row,
        holdExpireTime: holdExpireTime(row.state),
      })),
    };
  }
}

/** What was made and never changed stands in its own event; only open holds must be found by their expiry. */
function hasRow(event: Event, state: TransactionState): boolean {
  return state.transactionId.length > 0 || event.payload.case === 'paymentAuthorized';
}

/** The state with what its own event leaves to the canonical body. */
function wholeState(event: Event, state: TransactionState): TransactionState {
  if (state.transactionId.length > 0) return state;
  const whole = clone(TransactionStateSchema, state);
  whole.transactionId = event.requestId;
  const command = commandOf(event);
  if (command?.case === 'authorizePayment') {
    const { payerAccountId, payeeAccountId } = command.value;
    whole.payment ??= create(PaymentStateSchema);
    whole.payment.payerAccountId = payerAccountId;
    whole.payment.payeeAccountId = payeeAccountId;
    whole.payment.currency = accountsChangedBy(event)[0]?.currency ?? '';
  }
  return whole;
}

function holdExpireTime({ status, payment }: TransactionState): bigint | null {
  const isOpen = status === TransactionStatus.AUTHORIZED && payment !== undefined;
  return isOpen ? payment.expireTimeMicros : null;
}

function sorted<T>(rows: ReadonlyMap<string, T>): [string, T][] {
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
}
