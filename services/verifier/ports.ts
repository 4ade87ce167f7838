/** What VerifyLedger reads besides the views: the log as it is stored, and the state tables. */
import type { AccountRow, AtCheckpoint, StateCheckpoint, TransactionRow } from '../../lib/log/state/rows.js';

/** A row of the log exactly as it is stored: nothing is decoded, since what is stored may be anything. */
export interface StoredEvent {
  readonly position: bigint;
  readonly ledgerId: string;
  readonly streamId: string;
  /** Null for internal events. */
  readonly requestId: string | null;
  readonly ordinal: number;
  /** UTC microseconds. */
  readonly recordedTime: bigint;
  readonly bytes: Uint8Array;
  readonly hash: Uint8Array;
  /**
   * Where the table of request ids says that the command's first event is; null if it does not know the id.
   */
  readonly keyPosition: bigint | null;
}

/** Which events to read; as lib/log/reader.ts has it. */
export interface StoredPage {
  readonly after: bigint;
  readonly through: bigint | null;
  readonly limit: number;
  /** Null: all. */
  readonly ledgerId: string | null;
  /** Needs ledgerId; null: all. */
  readonly streamId: string | null;
}

/** The log as it is stored, in keyset pages by position. */
export interface StoredLog {
  readonly shard: number;
  /** The last event; undefined of an empty log. */
  end(): Promise<StoredEvent | undefined>;
  page(page: StoredPage): Promise<readonly StoredEvent[]>;
}

/**
 * The state tables of the write side. Each page says which checkpoint it is at: one statement, one snapshot.
 */
export interface StateTables {
  checkpoint(): Promise<StateCheckpoint>;
  /** Accounts of a ledger after an id, by code units; begin with ''. */
  accountPage(ledgerId: string, after: string, limit: number): Promise<AtCheckpoint<AccountRow>>;
  /** Transactions of a ledger that have a row, after an id; begin with the nil UUID. */
  transactionPage(ledgerId: string, after: string, limit: number): Promise<AtCheckpoint<TransactionRow>>;
}
