/** Which events of a batch a view has still to apply: every store decides it here. */
import type { RecordedEvent } from '../log/recorded-event.js';
import { knownEvents } from './known-event.js';
import { parkedAt } from './parked/parked.js';
import type { Checkpoint, ViewBatch } from './view.js';
import { LostEventsError, MissedEventsError, ParkedChangedError } from './view-errors.js';

/**
 * The events of a batch that a view at a checkpoint has not seen and that this program knows. Those of an
 * epoch that has ended are not part of the log.
 * @throws MissedEventsError, LostEventsError, ParkedChangedError, UnknownEventError as View.apply says.
 */
export function unseenEvents(batch: ViewBatch, checkpoint: Checkpoint): readonly RecordedEvent[] {
  const { partition, events, watermark, after, parking } = batch;
  const { version } = parkedAt(checkpoint);
  // It may be a part of this very batch that has parked what it parks.
  if (version !== (parking?.from.version ?? 0) && version !== parking?.to.version)
    throw new ParkedChangedError(partition, version);
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
export function movedCheckpoint(from: Checkpoint, { offset, watermark, parking }: ViewBatch): Checkpoint {
  const isLater = watermark.epoch >= from.epoch && watermark.position > from.position;
  const { epoch, position, hash, recordedTime } = isLater ? watermark : from;
  const partition = from.partition;
  const moved = {
    partition,
    offset: offset > from.offset ? offset : from.offset,
    epoch,
    position,
    hash,
    recordedTime,
  };
  const parked = parking?.to ?? from.parked;
  return parked === undefined || parked.version === 0 ? moved : { ...moved, parked };
}
