/** The append to the event log, as the command services know it. Only they import it. */

/** An event to append: its bytes as encoded once, and the copies for indexes. */
export interface NewEvent {
  readonly bytes: Uint8Array;
  /** SHA-256 of the bytes: 32 bytes. */
  readonly hash: Uint8Array;
  readonly ledgerId: string;
  readonly streamId: string;
  /** 16 bytes; undefined for internal events. */
  readonly requestId: Uint8Array | undefined;
  readonly ordinal: number;
  readonly recordedTime: bigint;
}

/**
 * What became of an append. Whatever it is but `appended`, nothing of it is in the log; `unknown` alone leaves that open: the
 * connection broke, and what is absent may still commit while the log ends where it did.
 */
export type AppendOutcome =
  | { readonly outcome: 'appended' }
  /** Someone else appended after our last position: catch up. */
  | { readonly outcome: 'behind' }
  /** Some request ids are in the log already. */
  | { readonly outcome: 'duplicate_request' }
  /** Our last event is not the log's: our history is not the log's. */
  | { readonly outcome: 'foreign_history' }
  /** The server refused the statement and rolled it back: no room, no connection to spare, or a defect of ours. */
  | { readonly outcome: 'refused'; readonly cause: unknown }
  | { readonly outcome: 'unknown'; readonly cause: unknown };
