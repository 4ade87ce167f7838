/** Which events of a batch a view has still to apply: every store decides it here. */
import type { BusBatch } from '../log/bus.js';
import type { RecordedEvent } from '../log/recorded-event.js';
import { knownEvents } from './known-event.js';
import type { Checkpoint } from './view.js';
import { LostEventsError, MissedEventsError } from './view-errors.js';

/**
 * The events of a batch that a view at a checkpoint has not seen and that this program knows. Those of an
 * epoch that has ended are not part of the log.
 * @throws MissedEventsError, LostEventsError, UnknownEventError as View.apply says.
 */
export function unseenEvents(batch: BusBatch, checkpoint: Checkpoint): readonly RecordedEvent[] {
  const { partition, events, watermark, after } = batch;
  const { epoch, position } = checkpoint;
  const forked = (event: { readonly epoch: number }, at: bigint) => event.epoch > epoch && at <= position;
  // A later epoch begins at or below the checkpoint, so that what the view holds beyond its beginning is
  // lost.
  if (forked(watermark, watermark.position) || events.some((item) => forked(item.event, item.position))) {
    throw new LostEventsError(partition, position);
  }
  if (after !== undefined && after > position) throw new MissedEventsError(partition, position, after);
  const isNew = (item: RecordedEvent) => item.position > position && item.event.epoch >= epoch;
  return knownEvents(events.every(isNew) ? events : events.filter(isNew));
}

/** The checkpoint of a view after a batch: offset and position never go back. */
export function movedCheckpoint(from: Checkpoint, { offset, watermark }: BusBatch): Checkpoint {
  const isLater = watermark.epoch >= from.epoch && watermark.position > from.position;
  const { epoch, position, hash, recordedTime } = isLater ? watermark : from;
  const partition = from.partition;
  return {
    partition,
    offset: offset > from.offset ? offset : from.offset,
    epoch,
    position,
    hash,
    recordedTime,
  };
}
