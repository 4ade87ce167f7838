/** Fills a generation of a view from the log, to an exact position. */
import type { LogReader } from '../../lib/log/reader.js';
import type { EventBus } from '../../lib/log/bus.js';
import { type LogPoint, type RecordedEvent, pointOf } from '../../lib/log/recorded-event.js';
import { parkedAt } from '../../lib/views/parked/parked.js';
import type { Checkpoint, View } from '../../lib/views/view.js';
import { applyBatch, type Applying } from './apply-batch.js';
import { isSameBytes } from '../../lib/base/bytes.js';
import { largestOf } from '../../lib/base/bigints.js';

/** Events per page. */
const PAGE_EVENTS = 1_000;

/** What a generation is filled from, and where it is. */
export interface Filling extends Applying {
  readonly log: LogReader;
  readonly bus: Pick<EventBus, 'partitions' | 'partitionOf'>;
  /**
   * The offset that a position has on the bus: the position itself on the embedded bus, else -1n (not known).
   */
  readonly offsetAt: (position: bigint) => bigint;
  /** Where each partition is filled to; begin with -1n for each. Moved forward as it fills. */
  readonly filled: bigint[];
  readonly onProgress: (position: bigint) => void;
}

/**
 * Applies all events of each partition up to its target position. Reads the log once for all partitions, one
 * page ahead. Nothing is written where there is no event: see completeTo.
 */
export async function fillTo(filling: Filling, targets: readonly bigint[]): Promise<void> {
  const { filled, signal } = filling;
  const open = targets.flatMap((target, partition) => {
    const at = filled[partition] ?? -1n;
    return at < target ? [{ partition, at, target }] : [];
  });
  if (open.length === 0) return;
  const end = largestOf(open.map(({ target }) => target));
  let after = -largestOf(open.map(({ at }) => -at));
  let next = read(filling, after, end);
  while (after < end) {
    signal.throwIfAborted();
    const events = await next;
    const last = events.at(-1);
    if (last === undefined) throw new Error('the log ends before the position to fill to');
    after = last.position;
    // Read while this page is applied. A rejection until it is awaited must not count as unhandled.
    next = after < end ? read(filling, after, end) : Promise.resolve([]);
    next.catch(() => undefined);
    await Promise.all(open.map(({ partition, target }) => applyPage(filling, events, partition, target)));
    filling.onProgress(after);
  }
}

async function applyPage(
  filling: Filling,
  page: readonly RecordedEvent[],
  partition: number,
  target: bigint,
): Promise<void> {
  const { bus, filled, offsetAt } = filling;
  const from = filled[partition] ?? -1n;
  const span = page.filter(({ position }) => position > from && position <= target);
  const last = span.at(-1);
  if (last === undefined) return;
  // Events of no ledger are of every partition.
  const events = span.filter(
    ({ event }) => event.ledgerId === '' || bus.partitionOf(event.ledgerId) === partition,
  );
  if (events.length > 0) {
    const offset = offsetAt(last.position);
    await applyBatch(filling, { partition, events, offset, watermark: pointOf(last) });
  }
  filled[partition] = last.position;
}

/**
 * Records that a partition is filled up to a point, and the offset of the last message of the bus that it
 * has.
 */
export async function completeTo(
  view: View,
  partition: number,
  point: LogPoint,
  offset: bigint,
): Promise<Checkpoint> {
  const at = await view.checkpoint(partition);
  if (at.position >= point.position && at.offset >= offset) return at;
  const parked = parkedAt(at);
  const parking = { from: parked, to: parked, letters: [] };
  await view.apply({ partition, events: [], offset, watermark: point, parking });
  return view.checkpoint(partition);
}

/**
 * The checkpoint, if the log has its event; else the end of the log: the checkpoint is of a history that was
 * lost.
 */
export async function commonPoint(
  log: LogReader,
  checkpoint: Checkpoint,
): Promise<{ readonly point: LogPoint; readonly agrees: boolean }> {
  if (checkpoint.position < 0n) return { point: checkpoint, agrees: true };
  const record = await log.at(checkpoint.position);
  const agrees = record !== undefined && isSameBytes(record.hash, checkpoint.hash);
  return agrees ? { point: checkpoint, agrees } : { point: await log.head(), agrees };
}

function read({ log }: Filling, after: bigint, through: bigint): Promise<readonly RecordedEvent[]> {
  return log.page({ after, through, limit: PAGE_EVENTS, ledgerId: null, streamId: null });
}
