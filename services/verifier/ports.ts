/** What VerifyLedger reads besides the views: the log as it is stored, and the state tables. */
import type {
  AccountRow,
  AtCheckpoint,
  LedgerRow,
  StateCheckpoint,
  TransactionRow,
} from '../../lib/log/state/rows.js';

/** A row of the log exactly as it is stored: nothing is decoded, since what is stored may be anything. */
export interface StoredFlush {
  readonly first: bigint;
  readonly last: bigint;
  readonly epoch: number;
  /** UTC microseconds. */
  readonly recordedTime: bigint;
  /** Where each event ends in `events`, in bytes. */
  readonly ends: readonly number[];
  /** Said to be of the last event. */
  readonly hash: Uint8Array;
  readonly events: Uint8Array;
}

/** The bytes at a position. */
export interface StoredEvent {
  readonly position: bigint;
  readonly bytes: Uint8Array;
}

/** What the tables for look-ups should say, and are asked for. */
export interface Copies {
  /** First events of commands. */
  readonly requests: readonly { readonly requestId: string; readonly ledgerId: string }[];
  readonly ledgers: readonly { readonly ledgerId: string; readonly first: bigint }[];
  readonly streams: readonly {
    readonly ledgerId: string;
    readonly streamId: string;
    readonly position: bigint;
  }[];
}

/** What they say, in the order asked for. */
export interface StoredCopies {
  /** Where the first event of each command is; null if the id is not known. */
  readonly requests: readonly (bigint | null)[];
  /** The indexes of a ledger's events in a flush, from 0; null if the flush is not known to have any. */
  readonly ledgers: readonly (readonly number[] | null)[];
  /** Whether the event is found by its stream. */
  readonly streams: readonly boolean[];
}

/** Which events to read; as lib/log/reader.ts has it, but always of one ledger. */
export interface StoredPage {
  readonly after: bigint;
  readonly through: bigint | null;
  readonly limit: number;
  readonly ledgerId: string;
  /** Null: all. */
  readonly streamId: string | null;
}

/** The log as it is stored. */
export interface StoredLog {
  readonly shard: number;
  /** The last row; undefined of an empty log. */
  end(): Promise<StoredFlush | undefined>;
  /** The rows that begin after a position and at or before another, in order of `first`. */
  flushes(after: bigint, through: bigint): Promise<readonly StoredFlush[]>;
  /** What the tables for look-ups say. */
  copies(asked: Copies): Promise<StoredCopies>;
  /** Events of a ledger, found as readers find them, by position. */
  page(page: StoredPage): Promise<readonly StoredEvent[]>;
  /** The event at a position, found as readers find it. */
  at(position: bigint): Promise<StoredEvent | undefined>;
}

/**
 * The state tables of the write side. Each page says which checkpoint it is at: one statement, one snapshot.
 */
export interface StateTables {
  checkpoint(): Promise<StateCheckpoint>;
  /** The row of a ledger, if there is one. */
  ledger(ledgerId: string): Promise<AtCheckpoint<LedgerRow>>;
  /** Accounts of a ledger after an id, by code units; begin with ''. */
  accountPage(ledgerId: string, after: string, limit: number): Promise<AtCheckpoint<AccountRow>>;
  /** Transactions of a ledger that have a row, after an id; begin with the nil UUID. */
  transactionPage(ledgerId: string, after: string, limit: number): Promise<AtCheckpoint<TransactionRow>>;
}
