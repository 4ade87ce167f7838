/**
 * Feeds a view from the bus. Log, bus and view must have one history, which is checked wherever they meet;
 * what the bus does not have is read from the log.
 */
import { isSameBytes } from '../../lib/base/bytes.js';
import type { BusBatch, EventBus } from '../../lib/log/bus.js';
import type { LogReader } from '../../lib/log/reader.js';
import { MissedEventsError } from '../../lib/views/view-errors.js';
import { type Checkpoint, UnknownEventError } from '../../lib/views/view.js';
import { applyBatch, type Applying } from './apply-batch.js';
import { eventFailure, historyLost, storeFailure } from './failure.js';
import { fillTo } from './fill.js';
import type { Forks } from './forks.js';
import type { Positions } from './positions.js';

export interface Feed extends Omit<Applying, 'signal'> {
  readonly positions: Positions;
  readonly bus: EventBus;
  readonly log: LogReader;
  readonly forks: Forks;
}

/**
 * Where the bus has to go on with a partition: after the offset that the view's store holds.
 * @throws ProjectionFailure of kind `store`, or `history_lost` if the log has another event where the view
 * stands
 */
export async function resumeFrom(
  { view, positions, parked, log, forks }: Feed,
  partition: number,
): Promise<Checkpoint> {
  parked.forget(partition);
  await forks.read();
  const checkpoint = await view.checkpoint(partition).catch((error: unknown) => {
    throw storeFailure(view.id, error);
  });
  positions.set(checkpoint);
  const { position, hash } = checkpoint;
  if (position < 0n) return checkpoint;
  const record = await log.at(position);
  if (record === undefined || !isSameBytes(record.hash, hash)) throw historyLost(view.id, position);
  return checkpoint;
}

/**
 * Applies a batch, and before it what the bus left out.
 * @throws ProjectionFailure; what came before the event that cannot be applied is in the view then
 */
export async function applyNext(feed: Feed, given: BusBatch, signal: AbortSignal): Promise<void> {
  const { view, positions } = feed;
  const batch = await feed.forks.surviving(given);
  if (batch === undefined) return;
  const { partition, watermark, offset } = batch;
  await requireSameHistory(feed, batch);
  try {
    await applyWithGap(feed, batch, signal).catch(async (error: unknown) => {
      if (!(error instanceof MissedEventsError)) throw error;
      // The view's store went back behind what this process knew of it: it was replaced by an older copy.
      positions.forget(partition);
      feed.parked.forget(partition);
      await applyWithGap(feed, batch, signal);
    });
  } catch (error) {
    const checkpoint = await view.checkpoint(partition).catch(() => undefined);
    if (checkpoint !== undefined) positions.set(checkpoint);
    throw error;
  }
  positions.set({ ...watermark, partition, offset });
}

/**
 * @throws ProjectionFailure `history_lost` if the batch goes on from another history: the log was restored
 * since.
 */
async function requireSameHistory({ view, positions }: Feed, batch: BusBatch): Promise<void> {
  const [first] = batch.events;
  if (first === undefined) return;
  const { position, hash } = await positions.of(view, batch.partition);
  // In one of several partitions the event before the first is most often another partition's.
  if (first.position !== position + 1n || position < 0n) return;
  if (!isSameBytes(first.event.previousHash, hash)) throw historyLost(view.id, position);
}

async function applyWithGap(feed: Feed, batch: BusBatch, signal: AbortSignal): Promise<void> {
  await fillGap(feed, batch, signal);
  await applyBatch({ ...feed, signal }, batch);
}

/** What the bus does not have any more, or never had, comes from the log. */
async function fillGap(feed: Feed, { partition, after }: BusBatch, signal: AbortSignal): Promise<void> {
  if (after === undefined) return;
  const { view, positions, bus, logger } = feed;
  const { position } = await positions.of(view, partition);
  if (after <= position) return;
  logger.warn(
    { projection: view.id, partition, from: String(position), to: String(after) },
    'the bus does not have the next events: they are read from the log',
  );
  const isGap = Array.from({ length: bus.partitions }, (_, other) => other === partition);
  const filling = {
    ...feed,
    signal,
    offsetAt: () => -1n,
    onProgress: () => undefined,
    filled: isGap.map((isIt) => (isIt ? position : after)),
  };
  await fillTo(
    filling,
    isGap.map(() => after),
  ).catch((error: unknown) => {
    throw error instanceof UnknownEventError ? eventFailure(error.position, error) : error;
  });
}
