/** The event log as the executor needs it. The adapter for PostgreSQL is wired in compose; tests put faults between. */
import type { AppendOutcome, NewEvent } from '../../../lib/log/append.js';
import type { Origin } from '../../../lib/log/epochs/origin.js';
import type { LogPoint, RecordedEvent } from '../../../lib/log/recorded-event.js';
import type { StateCheckpoint } from '../../../lib/log/state/rows.js';

export interface WriteLog {
  /** `term` is of the lease under which the events were decided; undefined where no other process may decide. */
  append(
    position: bigint,
    hash: Uint8Array,
    events: readonly NewEvent[],
    term: bigint | undefined,
  ): Promise<AppendOutcome>;
  /** The end of the log, read after the call began. */
  head(): Promise<LogPoint>;
  /** Events after a position, in order, at most `limit`. */
  after(position: bigint, limit: number): Promise<readonly RecordedEvent[]>;
  /** The event at a position. */
  at(position: bigint): Promise<RecordedEvent | undefined>;
  /** The events of commands by request id. */
  requests(
    keys: readonly { readonly ledgerId: string; readonly requestId: string }[],
  ): Promise<readonly { ledgerId: string; requestId: string; recorded: RecordedEvent }[]>;
  /** The point that the state tables hold. */
  checkpoint(): Promise<StateCheckpoint>;
  /** Writes the state tables again from the log, if they are still at this checkpoint, which the log does not have. */
  refoldState(lost: StateCheckpoint): Promise<void>;
  /** What the database says of the history of its log. */
  origin(): Promise<Origin>;
  /** Says that the log is written where it is now, in this epoch: what earlier epochs have lost is settled. */
  recordOrigin(epoch: number): Promise<void>;
  /** The database's clock, UTC microseconds. */
  now(): Promise<bigint>;
}
