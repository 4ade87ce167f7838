/** How far a reader of the log is behind it, exactly. */
import type { LogReader } from './reader.js';
import type { LogPoint } from './recorded-event.js';

export interface LogLag {
  /** The end of the log. */
  readonly head: LogPoint;
  /** How many positions the reader is behind the end. */
  readonly events: bigint;
  /**
   * How long the oldest event that the reader has not seen has been in the log, microseconds; 0n if there is
   * none.
   */
  readonly time: bigint;
}

/** The lag of a reader that has seen everything up to `position`. */
export async function lagOf(
  log: Pick<LogReader, 'head' | 'page' | 'now'>,
  position: bigint,
): Promise<LogLag> {
  const head = await log.head();
  if (position >= head.position) return { head, events: 0n, time: 0n };
  const [[oldest], now] = await Promise.all([
    log.page({ after: position, through: null, limit: 1, ledgerId: null, streamId: null }),
    log.now(),
  ]);
  const waiting = oldest === undefined ? 0n : now - oldest.event.recordedTimeMicros;
  return { head, events: head.position - position, time: waiting > 0n ? waiting : 0n };
}
