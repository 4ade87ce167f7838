/** The append to the event log, as the command services know it. Only they import it. */
import { isSameBytes } from '../base/bytes.js';
import type { RecordedEvent } from './recorded-event.js';
import { streamIdOf } from './stream-id.js';

/** An event to append: its bytes as encoded once, and the copies for look-ups. */
export interface NewEvent {
  readonly bytes: Uint8Array;
  /** SHA-256 of the bytes: 32 bytes. */
  readonly hash: Uint8Array;
  readonly epoch: number;
  readonly ledgerId: string;
  /** Undefined for what is found by its request id: the first event of a command that begins a stream of transactions. */
  readonly streamId: string | undefined;
  /** 16 bytes; undefined for internal events. */
  readonly requestId: Uint8Array | undefined;
  readonly ordinal: number;
  readonly recordedTime: bigint;
}

/**
 * The lease under which the events of an append were decided. Once another process has taken the lease nothing of it is appended:
 * that process may have answered the same commands otherwise.
 */
export interface Tenure {
  readonly shard: number;
  /** A UUID of the process that has the lease. */
  readonly holder: string;
  readonly term: bigint;
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
  /** Another process has taken the lease. An earlier attempt under the same term is in the log by now, or never will be. */
  | { readonly outcome: 'lease_lost' }
  /** The server refused the statement and rolled it back: no room, no connection to spare, or a defect of ours. */
  | { readonly outcome: 'refused'; readonly cause: unknown }
  | { readonly outcome: 'unknown'; readonly cause: unknown };

/** An event with the copies for look-ups. */
export function newEventOf({ event, bytes, hash }: RecordedEvent): NewEvent {
  return {
    bytes,
    hash,
    epoch: event.epoch,
    ledgerId: event.ledgerId,
    streamId: isFoundByRequestId(event) ? undefined : streamIdOf(event),
    requestId: event.requestId.length === 0 ? undefined : event.requestId,
    ordinal: event.ordinal,
    recordedTime: event.recordedTimeMicros,
  };
}

/** Whether the event begins a stream of transactions, which has the id of its command. */
export function isFoundByRequestId({ stream, requestId, ordinal }: RecordedEvent['event']): boolean {
  return ordinal === 0 && stream.case === 'transactionStreamId' && isSameBytes(stream.value, requestId);
}
