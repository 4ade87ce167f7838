/**
 * Applies a batch to a view. A failure that may pass is tried again; an event that cannot be applied is found
 * and named.
 */
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import { toCallError } from '../../lib/rpc/errors.js';
import type { BusBatch } from '../../lib/log/bus.js';
import type { RecordedEvent } from '../../lib/log/recorded-event.js';
import { UnknownEventError, type View, ViewMissingError } from '../../lib/views/view.js';
import { GenerationGoneError, LostEventsError, MissedEventsError } from '../../lib/views/view-errors.js';
import { eventFailure, historyLost, storeFailure } from './failure.js';
import { pause } from '../../lib/base/pause.js';

/** How long to wait before the second and the third try, in milliseconds. */
export const RETRY_PAUSES_MS: readonly number[] = [20, 100];

/**
 * Applies a batch, or all of it before the event that cannot be applied.
 * @throws ProjectionFailure of kind `store`, `event`, `unknown_event` or `history_lost`.
 */
export async function applyBatch(
  view: View,
  batch: BusBatch,
  signal: AbortSignal,
  pauses_ms: readonly number[] = RETRY_PAUSES_MS,
): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await view.apply(batch);
      return;
    } catch (error) {
      if (error instanceof LostEventsError) throw historyLost(view.id, error.checkpointPosition, error);
      if (error instanceof MissedEventsError) throw error;
      // The generation, or the whole view, is gone: no try helps.
      if (error instanceof GenerationGoneError || error instanceof ViewMissingError)
        throw storeFailure(view.id, error);
      if (error instanceof UnknownEventError) break;
      const pause_ms = pauses_ms[attempt];
      if (signal.aborted) throw storeFailure(view.id, error);
      if (pause_ms === undefined) break;
      await pause(pause_ms, signal);
    }
  }
  await applyOneByOne(view, batch);
}

async function applyOneByOne(view: View, batch: BusBatch): Promise<void> {
  const before = await checkpointOf(view, batch.partition);
  for (const record of batch.events) {
    if (record.position <= before.position) continue;
    try {
      await view.apply(single(batch, record, before.offset));
    } catch (error) {
      // Only if the store answers at all, the event is at fault.
      await checkpointOf(view, batch.partition, error);
      // A store that answers reads may still take no writes: it is full, or being moved.
      if (toCallError(error).reason === ErrorReason.DEPENDENCY_UNAVAILABLE)
        throw storeFailure(view.id, error);
      throw eventFailure(record.position, error);
    }
  }
  try {
    await view.apply(batch);
  } catch (error) {
    throw storeFailure(view.id, error);
  }
}

async function checkpointOf(view: View, partition: number, cause?: unknown) {
  try {
    return await view.checkpoint(partition);
  } catch (error) {
    throw storeFailure(view.id, cause ?? error);
  }
}

/** One event of a batch as a batch of its own. */
function single(batch: BusBatch, record: RecordedEvent, offsetBefore: bigint): BusBatch {
  const { event, position, hash } = record;
  // On the embedded bus the offset is the position. Elsewhere the offset of one event within a batch is not
  // known: it stays what it was, so that the whole batch comes again.
  const offset = batch.offset === batch.events.at(-1)?.position ? position : offsetBefore;
  const watermark = { epoch: event.epoch, position, hash, recordedTime: event.recordedTimeMicros };
  return { partition: batch.partition, events: [record], offset, watermark };
}
