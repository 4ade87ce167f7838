/**
 * What the write side remembers: cached rows of the state tables, and the retained tail (every event after `tailFrom`, up to
 * `position`, indexed by entity). Cached rows alone are as old as the checkpoint that they were read at; with the tail on
 * top they are as of `position`.
 */
import { LRUCache } from 'lru-cache';
import type * as log from '../../../gen/quittance/event/v1/event_pb.js';
import type { TransactionChange } from '../../../lib/log/transaction-of.js';
import type { LogPoint, RecordedEvent } from '../../../lib/log/recorded-event.js';
import { uuidFromBytes } from '../../../lib/base/uuid.js';
import type { Account, AccountState } from '../domain/account.js';
import type { LedgerReader } from '../domain/decision.js';
import type { TransactionState } from '../domain/transaction.js';
import { changed, touchedBy } from './decode.js';
import { isSameBytes } from '../../../lib/base/bytes.js';

/** Thrown by a ledger's reader for what was not loaded; the executor loads it and decides again. */
export class NotLoaded extends Error {
  override readonly name = 'NotLoaded';
}

/** A committed event in the tail. */
export interface TailEvent {
  readonly position: bigint;
  readonly event: log.Event;
}

/** What is known of an account from the tail alone; `whole` is null if the tail does not say its profile. */
interface TailAccount {
  state: AccountState;
  whole: Account | null;
  position: bigint;
}

/** `whole` is null where only changes were seen, and the row must say what they changed. */
interface TailTransaction {
  whole: TransactionState | null;
  change: TransactionChange | null;
  position: bigint;
}

/** `null`: looked for and not there. */
type Cached<T> = { readonly value: T | null };

const SEPARATOR = '\0';
const CACHED_ACCOUNTS = 100_000;
const CACHED_TRANSACTIONS = 50_000;
const CACHED_LEDGERS = 10_000;

export function entityKey(ledgerId: string, id: string): string {
  return ledgerId + SEPARATOR + id;
}

/** States decided by this process, whole. */
export interface CommittedStates {
  readonly ledgerId: string;
  readonly ledgerCreated: boolean;
  readonly accounts: Iterable<Account>;
  readonly transactions: Iterable<TransactionState>;
}

export class Memory {
  /** The end of the log as we know it. */
  end: LogPoint;
  /** Every event after it, up to `end`, is in the tail. */
  tailFrom: bigint;
  private tail: TailEvent[] = [];
  private readonly tailAccounts = new Map<string, TailAccount>();
  private readonly tailTransactions = new Map<string, TailTransaction>();
  private readonly tailLedgers = new Map<string, bigint>();
  private readonly tailRequests = new Map<string, bigint>();
  private readonly accounts = new LRUCache<string, Cached<Account>>({ max: CACHED_ACCOUNTS });
  private readonly transactions = new LRUCache<string, Cached<TransactionState>>({
    max: CACHED_TRANSACTIONS,
  });
  private readonly ledgers = new LRUCache<string, boolean>({ max: CACHED_LEDGERS });

  constructor(checkpoint: LogPoint) {
    this.end = checkpoint;
    this.tailFrom = checkpoint.position;
  }

  get tailSize(): number {
    return this.tail.length;
  }

  /** The events of the tail after a position, in order. */
  tailAfter(position: bigint): readonly TailEvent[] {
    const first = this.tail[0];
    if (first === undefined || position < first.position) return this.tail;
    return this.tail.slice(Number(position - first.position) + 1);
  }

  /** The position of the command with this request id, if the tail has it. */
  requestPosition(ledgerId: string, requestId: string): bigint | undefined {
    return this.tailRequests.get(entityKey(ledgerId, requestId));
  }

  /** Forgets everything and begins anew from a checkpoint: the tail is to be absorbed from there. */
  reset(checkpoint: LogPoint): void {
    this.end = checkpoint;
    this.tailFrom = checkpoint.position;
    this.tail = [];
    this.tailAccounts.clear();
    this.tailTransactions.clear();
    this.tailLedgers.clear();
    this.tailRequests.clear();
    this.accounts.clear();
    this.transactions.clear();
    this.ledgers.clear();
  }

  /** Takes in an event that another process committed. @throws Error if it does not follow our last one. */
  absorb(recorded: RecordedEvent): void {
    const { event } = recorded;
    this.extend(recorded);
    const { ledgerId } = event;
    const { ledgerCreated, accounts, profile, made, changes } = touchedBy(event);
    if (ledgerCreated) this.putLedger(ledgerId, recorded.position);
    for (const state of accounts) {
      const known = profile ?? this.knownWholeAccount(entityKey(ledgerId, state.accountId))?.profile;
      const whole = known === undefined ? null : { state, profile: known };
      this.putAccount(ledgerId, state, whole, recorded.position);
    }
    if (made !== null) this.putTransaction(ledgerId, made.transactionId, made, null, recorded.position);
    for (const change of changes) {
      const whole = this.knownTransaction(entityKey(ledgerId, change.transactionId));
      const after = whole === undefined || whole === null ? null : changed(whole, change);
      this.putTransaction(ledgerId, change.transactionId, after, change, recorded.position);
    }
  }

  /** Takes in events that this process committed, then the states that they left behind. */
  commit(events: readonly RecordedEvent[], states: readonly CommittedStates[]): void {
    for (const recorded of events) this.extend(recorded);
    const { position } = this.end;
    for (const { ledgerId, ledgerCreated, accounts, transactions } of states) {
      if (ledgerCreated) this.putLedger(ledgerId, position);
      for (const account of accounts) this.putAccount(ledgerId, account.state, account, position);
      for (const state of transactions) {
        this.putTransaction(ledgerId, state.transactionId, state, null, position);
      }
    }
  }

  /** Drops the tail up to a position that the state tables hold for good. */
  dropThrough(position: bigint): void {
    if (position <= this.tailFrom) return;
    const dropped = this.tail;
    this.tail = [...this.tailAfter(position)];
    this.tailFrom = position;
    for (const { position: at, event } of dropped) {
      if (at > position) break;
      if (event.requestId.length > 0) {
        this.tailRequests.delete(entityKey(event.ledgerId, uuidFromBytes(event.requestId)));
      }
    }
    // The indexes hold the latest of each entity: what is not newer than the checkpoint, the rows have.
    for (const [key, at] of this.tailLedgers) if (at <= position) this.tailLedgers.delete(key);
    for (const [key, entry] of this.tailAccounts)
      if (entry.position <= position) this.tailAccounts.delete(key);
    for (const [key, entry] of this.tailTransactions) {
      if (entry.position <= position) this.tailTransactions.delete(key);
    }
  }

  /** A ledger as of `end`. Its reads throw NotLoaded for what is neither cached nor in the tail. */
  ledger(ledgerId: string): LedgerReader {
    return {
      exists: () => loaded(this.knownLedger(ledgerId)),
      account: (accountId) => loaded(this.knownWholeAccount(entityKey(ledgerId, accountId))) ?? undefined,
      transaction: (transactionId) =>
        loaded(this.knownTransaction(entityKey(ledgerId, transactionId))) ?? undefined,
    };
  }

  /** Whether the ledger exists; undefined if not loaded. */
  knownLedger(ledgerId: string): boolean | undefined {
    return this.tailLedgers.has(ledgerId) || this.ledgers.get(ledgerId);
  }

  /** The account, null if there is none, undefined if not loaded. */
  knownWholeAccount(key: string): Account | null | undefined {
    const entry = this.tailAccounts.get(key);
    if (entry !== undefined) return entry.whole ?? undefined;
    return this.accounts.get(key)?.value;
  }

  /** The transaction, null if there is none, undefined if not loaded. */
  knownTransaction(key: string): TransactionState | null | undefined {
    const entry = this.tailTransactions.get(key);
    if (entry !== undefined) return entry.whole ?? undefined;
    return this.transactions.get(key)?.value;
  }

  /** Takes in whether a ledger exists at a checkpoint not below `tailFrom`. */
  fillLedger(ledgerId: string, exists: boolean): void {
    this.ledgers.set(ledgerId, exists || this.tailLedgers.has(ledgerId));
  }

  /** Takes in a row at a checkpoint not below `tailFrom`, null for none; what the tail says later prevails. */
  fillAccount(ledgerId: string, accountId: string, row: Account | null): void {
    const key = entityKey(ledgerId, accountId);
    const entry = this.tailAccounts.get(key);
    if (entry === undefined) {
      this.accounts.set(key, { value: row });
      return;
    }
    if (row !== null) {
      if (row.state.version > entry.state.version) entry.state = row.state;
      const known = entry.whole?.profile;
      const isNewer = known === undefined || row.profile.profileVersion > known.profileVersion;
      entry.whole = { state: entry.state, profile: isNewer ? row.profile : known };
    }
    if (entry.whole !== null) this.accounts.set(key, { value: entry.whole });
  }

  /** The same for a transaction. */
  fillTransaction(ledgerId: string, transactionId: string, row: TransactionState | null): void {
    const key = entityKey(ledgerId, transactionId);
    const entry = this.tailTransactions.get(key);
    if (entry === undefined) {
      this.transactions.set(key, { value: row });
      return;
    }
    if (entry.whole === null && row !== null) {
      entry.whole = entry.change === null ? row : changed(row, entry.change);
    }
    if (entry.whole !== null) this.transactions.set(key, { value: entry.whole });
  }

  private extend({ position, event, hash }: RecordedEvent): void {
    if (position !== this.end.position + 1n) {
      throw new Error(`the log goes from ${String(this.end.position)} to ${String(position)}`);
    }
    if (this.end.position >= 0n && !isSameBytes(event.previousHash, this.end.hash)) {
      throw new Error(`the event at ${String(position)} does not follow the one before it`);
    }
    this.end = { epoch: event.epoch, position, hash, recordedTime: event.recordedTimeMicros };
    this.tail.push({ position, event });
    if (event.requestId.length > 0 && event.ordinal === 0) {
      this.tailRequests.set(entityKey(event.ledgerId, uuidFromBytes(event.requestId)), position);
    }
  }

  private putLedger(ledgerId: string, position: bigint): void {
    this.tailLedgers.set(ledgerId, position);
    this.ledgers.set(ledgerId, true);
  }

  private putAccount(ledgerId: string, state: AccountState, whole: Account | null, position: bigint): void {
    const key = entityKey(ledgerId, state.accountId);
    this.tailAccounts.set(key, { state, whole, position });
    if (whole === null) this.accounts.delete(key);
    else this.accounts.set(key, { value: whole });
  }

  private putTransaction(
    ledgerId: string,
    transactionId: string,
    whole: TransactionState | null,
    change: TransactionChange | null,
    position: bigint,
  ): void {
    const key = entityKey(ledgerId, transactionId);
    this.tailTransactions.set(key, { whole, change, position });
    // Others are hardly ever asked for again: to keep each for a while is what would fill the old generation of the heap.
    if (whole?.status === 'AUTHORIZED') this.transactions.set(key, { value: whole });
    else this.transactions.delete(key);
  }
}

function loaded<T>(value: T | undefined): T {
  if (value === undefined) throw new NotLoaded();
  return value;
}
