/**
 * Reads of the event log, for all but the write side. Keyset pages: no statement holds a snapshot for long.
 */
import type { LogPoint, RecordedEvent } from './recorded-event.js';

/** Which events to read. */
export interface LogPage {
  /** Only events after this position; -1n from the first. */
  readonly after: bigint;
  /** Only events at or before this position; null to the end. */
  readonly through: bigint | null;
  /** At most this many; above zero. */
  readonly limit: number;
  /** Only this ledger's events; null: all, LogStarted and EpochStarted included. */
  readonly ledgerId: string | null;
  /** Only this stream of the ledger (needs ledgerId); null: all. */
  readonly streamId: string | null;
  /** The last events of what is asked for, latest first (needs ledgerId). Default: the first, in order. */
  readonly isDescending?: boolean;
}

export interface LogReader {
  /** 16 random bytes that name this log. */
  logId(): Promise<Uint8Array>;
  /** The shard whose log this is. */
  readonly shard: number;
  /** The end of the log: every event up to it is committed. */
  head(): Promise<LogPoint>;
  /** Events in order of position, or in the reverse order, decoded. */
  page(page: LogPage): Promise<readonly RecordedEvent[]>;
  /**
   * The last event at or before a position of one stream in each of several ledgers, in any order; those without such an event are
   * left out. Not for streams of transactions.
   */
  lastOfStream(
    streamId: string,
    ledgerIds: readonly string[],
    through: bigint,
  ): Promise<readonly RecordedEvent[]>;
  /** The last event recorded at or before a time (UTC microseconds); undefined if there is none. */
  atTime(recordedTime: bigint): Promise<LogPoint | undefined>;
  /** The event at a position; undefined beyond the end. */
  at(position: bigint): Promise<RecordedEvent | undefined>;
  /**
   * Resolves when an event after `position` was committed, or when the signal aborts. Woken by commits, with
   * a slow poll behind.
   */
  changed(position: bigint, signal: AbortSignal): Promise<void>;
  /** The database's own clock, UTC microseconds. */
  now(): Promise<bigint>;
}
