/**
 * What the write side remembers: cached rows of the state tables, and the retained tail, which is every event after
 * `tailFrom` up to `end`. Together they are the state as of `end`.
 */
import { TransactionStatus } from '../../../gen/quittance/common/v1/transaction_pb.js';
import { isSameBytes } from '../../../lib/base/bytes.js';
import { eventOf } from '../../../lib/log/codec.js';
import { periodAt } from '../../../lib/base/calendar.js';
import { uuidFromBytes } from '../../../lib/base/uuid.js';
import { type LogPoint, pointOf, type RecordedEvent } from '../../../lib/log/recorded-event.js';
import type { TransactionKey } from '../../../lib/log/state/rows.js';
import type { TransactionChange } from '../../../lib/log/transaction-of.js';
import type { Account, AccountState } from '../domain/account.js';
import type { LedgerReader } from '../domain/decision.js';
import type { LedgerState } from '../domain/evolve.js';
import type { Payment, TransactionState } from '../domain/transaction.js';
import type { TrialBalance } from '../domain/trial-balance.js';
import { changed, paymentStateOf, touchedBy } from './decode.js';
import { entityKey } from './entity-key.js';
import { HOLDS_WINDOW_US, OpenHolds } from './open-holds.js';
import { TailedCache } from './tailed-cache.js';
import type { TrackedBalance } from './tracked-balance.js';

/** Thrown by a ledger's reader for what was not loaded; the executor loads it and decides again. */
export class NotLoaded extends Error {
  override readonly name = 'NotLoaded';
}

/** Thrown for a trial balance that nothing tracks: the memory has begun anew since it was asked for. */
export class NotTracked extends Error {
  override readonly name = 'NotTracked';
}

/** A committed event in the tail: bytes, since a decoded event takes five times as much memory. */
export interface TailEvent {
  readonly position: bigint;
  readonly epoch: number;
  readonly bytes: Uint8Array;
  readonly hash: Uint8Array;
}

/** The request ids of commands up to a position, each with the position of the command's first event. */
interface RecentRequests {
  readonly position: bigint;
  readonly ledgerId: string;
  readonly ids: ReadonlyMap<string, bigint>;
}

const CACHED_ACCOUNTS = 100_000;
const CACHED_TRANSACTIONS = 50_000;
const CACHED_LEDGERS = 10_000;
/** Events that a balance is brought up by at once: some milliseconds, in which nothing else is done. */
const CATCH_UP_EVENTS = 2_000n;

/** States that this process decided. */
export interface CommittedStates {
  readonly ledgerId: string;
  /** The ledger as they leave it; null if they do not change it. */
  readonly ledger: LedgerState | null;
  /** Of the commands whose events are committed with them, each with the position of its first event. */
  readonly requestIds: ReadonlyMap<string, bigint>;
  readonly accounts: Iterable<Account>;
  readonly transactions: Iterable<TransactionState>;
}

/** The id of a ledger among its entities. */
export const WHOLE_LEDGER = '';

export class Memory {
  /** By ledger id. */
  readonly ledgers = new TailedCache<LedgerState, never>({
    max: CACHED_LEDGERS,
    changed: (ledger) => ledger,
    isWorthKeeping: () => true,
  });
  /** The events of transactions leave the profile of an account out. */
  readonly accounts = new TailedCache<Account, AccountState>({
    max: CACHED_ACCOUNTS,
    changed: (account, state) =>
      account.state.version >= state.version ? account : { state, profile: account.profile },
    isWorthKeeping: () => true,
  });
  readonly transactions = new TailedCache<TransactionState, TransactionChange>({
    max: CACHED_TRANSACTIONS,
    changed,
    // Others are hardly ever asked for again: keeping each for a while is what would fill the old generation of the heap.
    isWorthKeeping: ({ status }) => status === 'AUTHORIZED',
  });
  readonly holds = new OpenHolds();
  #end: LogPoint;
  #tailFrom: bigint;
  #tail: TailEvent[] = [];
  /** The request ids of the commands in the tail, by ledger, each with the position of the command's first event. */
  readonly #requests = new Map<string, Map<string, bigint>>();
  /** The same in the order of their positions. */
  #recentRequests: RecentRequests[] = [];
  #forgotten = 0;
  #history = 0;
  /** The trial balances that closes wait for. */
  readonly #balances = new Set<TrackedBalance>();

  constructor(checkpoint: LogPoint) {
    this.#end = checkpoint;
    this.#tailFrom = checkpoint.position;
  }

  /** The end of the log as we know it. */
  get end(): LogPoint {
    return this.#end;
  }

  /** Every event after it, up to `end`, is in the tail. */
  get tailFrom(): bigint {
    return this.#tailFrom;
  }

  /** Events in the tail. */
  get tailSize(): number {
    return this.#tail.length;
  }

  /** The events of the tail after a position, in order. */
  tailAfter(position: bigint): readonly TailEvent[] {
    const first = this.#tail[0];
    if (first === undefined || position < first.position) return this.#tail;
    return this.#tail.slice(Number(position - first.position) + 1);
  }

  /** Whether the tail has the command with this request id. */
  hasRequest(ledgerId: string, requestId: string): boolean {
    return this.#requests.get(ledgerId)?.has(requestId) === true;
  }

  /**
   * A transaction as of `end`, null if there is none, undefined if it must be loaded. One that nothing changed is decoded from the
   * event that made it, under its own request id: few are ever asked for, and to keep the state of each takes more memory than
   * the events themselves.
   */
  transaction(ledgerId: string, transactionId: string): TransactionState | null | undefined {
    const known = this.transactions.known(ledgerId, transactionId);
    if (known !== undefined && known !== null) return known;
    const position = this.#requests.get(ledgerId)?.get(transactionId);
    // The ids of a flush are forgotten together, its events one by one.
    if (position === undefined || position <= this.#tailFrom) return known;
    const made = this.#tail[Number(position - this.#tailFrom) - 1];
    if (made?.position !== position) throw new Error('the tail has the commands whose ids it knows');
    return touchedBy(eventOf(made.bytes)).made ?? known;
  }

  /** How often the memory let go of something that it knew. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** How often it has begun anew: what was read of the log before may not be of it. */
  get history(): number {
    return this.#history;
  }

  /** Keeps a balance up with the log; false if it is not far enough for that. */
  track(balance: TrackedBalance): boolean {
    const { position } = balance;
    if (position < this.#tailFrom || this.#end.position - position > CATCH_UP_EVENTS) return false;
    for (const { bytes } of this.tailAfter(position)) balance.add(eventOf(bytes));
    this.#balances.add(balance);
    return true;
  }

  untrack(balance: TrackedBalance): void {
    this.#balances.delete(balance);
  }

  /** Forgets everything and begins anew from a checkpoint: the tail is to be absorbed from there. */
  reset(checkpoint: LogPoint): void {
    this.#end = checkpoint;
    this.#tailFrom = checkpoint.position;
    this.#forgotten += 1;
    this.#history += 1;
    this.#balances.clear();
    this.#tail = [];
    this.#requests.clear();
    this.#recentRequests = [];
    this.ledgers.clear();
    this.accounts.clear();
    this.transactions.clear();
    this.holds.clear();
  }

  /** Takes in an event that another process committed. @throws Error if it does not follow our last one. */
  absorb(recorded: RecordedEvent): void {
    const { event, position } = recorded;
    this.#extend(recorded);
    const { ledgerId } = event;
    if (event.requestId.length > 0 && event.ordinal === 0) {
      this.#rememberRequests({
        position,
        ledgerId,
        ids: new Map([[uuidFromBytes(event.requestId), position]]),
      });
    }
    const { ledger, accounts, profile, made, changes } = touchedBy(event);
    if (ledger !== null) this.ledgers.put(ledgerId, WHOLE_LEDGER, ledger, position);
    for (const state of accounts) {
      if (profile === null) this.accounts.change(ledgerId, state.accountId, state, position);
      else this.accounts.put(ledgerId, state.accountId, { state, profile }, position);
    }
    if (made !== null) this.#putTransaction(ledgerId, made, position);
    for (const change of changes) {
      const { transactionId } = change;
      const before = this.transaction(ledgerId, transactionId) ?? null;
      if (before === null) this.transactions.change(ledgerId, transactionId, change, position);
      else this.transactions.put(ledgerId, transactionId, changed(before, change), position);
      this.#followHold(ledgerId, transactionId, change);
    }
  }

  /** Takes in events that this process committed, then the states that they left behind. */
  commit(events: readonly RecordedEvent[], states: readonly CommittedStates[]): void {
    for (const recorded of events) this.#extend(recorded);
    const { position } = this.#end;
    for (const { ledgerId, ledger, requestIds, accounts, transactions } of states) {
      this.#rememberRequests({ position, ledgerId, ids: requestIds });
      if (ledger !== null) this.ledgers.put(ledgerId, WHOLE_LEDGER, ledger, position);
      for (const account of accounts) {
        this.accounts.put(ledgerId, account.state.accountId, account, position);
      }
      for (const state of transactions) this.#putTransaction(ledgerId, state, position);
    }
  }

  /** Drops the tail up to a position that the state tables hold for good. */
  dropThrough(position: bigint): void {
    if (position <= this.#tailFrom) return;
    this.#forgotten += 1;
    this.#tail = [...this.tailAfter(position)];
    this.#tailFrom = position;
    this.#forgetRequests(position);
    this.ledgers.dropThrough(position);
    this.accounts.dropThrough(position);
    this.transactions.dropThrough(position);
  }

  /** A ledger as of `end`, for one flush. Its reads throw NotLoaded for what is neither cached nor in the tail. */
  ledger(ledgerId: string): LedgerReader {
    // A decision asks for the same things several times; to find them takes a key, or the decoding of an event.
    const accounts = new Map<string, Account>();
    const transactions = new Map<string, TransactionState>();
    return {
      exists: () => loaded(this.ledgers.known(ledgerId, WHOLE_LEDGER)) !== null,
      closedThrough: () => loaded(this.ledgers.known(ledgerId, WHOLE_LEDGER))?.closedThrough ?? null,
      trialBalance: (through) => this.#balanceOf(ledgerId, through),
      account: (accountId) => {
        const read = accounts.get(accountId);
        if (read !== undefined) return read;
        const account = loaded(this.accounts.known(ledgerId, accountId)) ?? undefined;
        if (account !== undefined) accounts.set(accountId, account);
        return account;
      },
      transaction: (transactionId) => {
        const read = transactions.get(transactionId);
        if (read !== undefined) return read;
        const transaction = loaded(this.transaction(ledgerId, transactionId)) ?? undefined;
        if (transaction !== undefined) transactions.set(transactionId, transaction);
        return transaction;
      },
      calendar: periodAt,
    };
  }

  #extend(recorded: RecordedEvent): void {
    const { position, event } = recorded;
    if (position !== this.#end.position + 1n) {
      throw new Error(`the log goes from ${String(this.#end.position)} to ${String(position)}`);
    }
    if (this.#end.position >= 0n && !isSameBytes(event.previousHash, this.#end.hash)) {
      throw new Error(`the event at ${String(position)} does not follow the one before it`);
    }
    this.#end = pointOf(recorded);
    this.#tail.push({ position, epoch: event.epoch, bytes: recorded.bytes, hash: recorded.hash });
    for (const balance of this.#balances) balance.add(event);
  }

  #balanceOf(ledgerId: string, through: bigint): TrialBalance {
    const balance = [...this.#balances].find(
      (each) => each.ledgerId === ledgerId && each.through === through,
    );
    if (balance === undefined) throw new NotTracked();
    // It was read of the log, which may be further than the events that this process has taken in.
    if (balance.position > this.#end.position) throw new NotLoaded();
    return balance.balance();
  }

  #rememberRequests(recent: RecentRequests): void {
    this.#recentRequests.push(recent);
    let known = this.#requests.get(recent.ledgerId);
    if (known === undefined) {
      known = new Map();
      this.#requests.set(recent.ledgerId, known);
    }
    for (const [id, position] of recent.ids) known.set(id, position);
  }

  #forgetRequests(through: bigint): void {
    const kept = this.#recentRequests.findIndex(({ position }) => position > through);
    const gone = this.#recentRequests.splice(0, kept === -1 ? this.#recentRequests.length : kept);
    for (const { ledgerId, ids } of gone) {
      const known = this.#requests.get(ledgerId);
      for (const id of ids.keys()) known?.delete(id);
      if (known?.size === 0) this.#requests.delete(ledgerId);
    }
  }

  #putTransaction(ledgerId: string, state: TransactionState, position: bigint): void {
    const { transactionId } = state;
    if (state.version === 1n && state.kind !== 'AUTHORIZATION') {
      // Nothing changed it: its event says all. Only that there was none must not be believed any longer.
      this.transactions.forget(ledgerId, transactionId);
      return;
    }
    this.transactions.put(ledgerId, transactionId, state, position);
    const { payment } = state;
    if (state.kind === 'AUTHORIZATION' && payment !== null)
      this.#rememberHold({ ledgerId, transactionId }, state.status === 'AUTHORIZED' ? payment : null);
  }

  /** A hold after another process changed its payment: the change says all of it, whether the payment is known here or not. */
  #followHold(ledgerId: string, transactionId: string, { status, payment }: TransactionChange): void {
    const isOpen = status === TransactionStatus.AUTHORIZED && payment !== undefined;
    this.#rememberHold({ ledgerId, transactionId }, isOpen ? paymentStateOf(payment) : null);
  }

  /** Remembers a hold that ends soon, and forgets one that ended or ends later than it did; null: it is not open any more. */
  #rememberHold({ ledgerId, transactionId }: TransactionKey, payment: Payment | null): void {
    const expireTime = payment?.expireTime ?? null;
    if (payment === null || expireTime === null || expireTime > this.#end.recordedTime + HOLDS_WINDOW_US) {
      this.holds.remove(entityKey(ledgerId, transactionId));
    } else {
      this.holds.add({ ledgerId, transactionId, payerAccountId: payment.payerAccountId, expireTime });
    }
  }
}

function loaded<T>(value: T | undefined): T {
  if (value === undefined) throw new NotLoaded();
  return value;
}
