/**
 * Applies a batch to a view. A failure that may pass is tried again; an event that cannot be applied is found and
 * parked, and so is what has to wait behind it.
 */
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import { pause } from '../../lib/base/pause.js';
import { codeOf } from '../../lib/base/store-unavailable.js';
import type { Clock } from '../../lib/base/time.js';
import type { BusBatch } from '../../lib/log/bus.js';
import type { RecordedEvent } from '../../lib/log/recorded-event.js';
import { toCallError } from '../../lib/rpc/errors.js';
import {
  type Checkpoint,
  UnknownEventError,
  type View,
  type ViewBatch,
  ViewMissingError,
} from '../../lib/views/view.js';
import {
  GenerationGoneError,
  LostEventsError,
  MissedEventsError,
  ParkedChangedError,
} from '../../lib/views/view-errors.js';
import { eventFailure, historyLost, ProjectionFailure, storeFailure, tooManyParked } from './failure.js';
import type { ParkedMemory } from './parked-memory.js';
import type { ProjectorLog } from './projector-log.js';

/** How long to wait before the second and the third try, in milliseconds. */
export const RETRY_PAUSES_MS: readonly number[] = [20, 100];

/** How often in a row another process may park or apply something while a batch is applied. */
const MOST_CHANGES = 20;

/** With what batches are applied. */
export interface Applying {
  readonly view: View;
  readonly parked: ParkedMemory;
  readonly logger: ProjectorLog;
  readonly clock: Clock;
  /** A partition that would have more parked events stops the projection. */
  readonly mostDeadLetters: number;
  /** Pauses between the tries of one batch or event, in milliseconds. */
  readonly pauses_ms: readonly number[];
  readonly signal: AbortSignal;
}

/** What was tried in vain, although the store answers. */
interface Refused {
  readonly error: unknown;
  readonly tries: number;
}

/**
 * Applies a batch, and parks what of it cannot be applied.
 * @throws ProjectionFailure of kind `store`, `unknown_event`, `history_lost`, `too_many_parked`, or `event` for one of
 * no ledger; MissedEventsError
 */
export async function applyBatch(applying: Applying, batch: BusBatch): Promise<void> {
  const { view } = applying;
  for (let refused = await tryToApply(applying, batch); refused !== undefined;) {
    const before = refused;
    const isParked = await parkFirstRefused(applying, batch);
    refused = await tryToApply(applying, batch);
    // Each of its events could be applied, and only the batch as a whole cannot: it is no event's fault.
    if (refused !== undefined && !isParked) throw storeFailure(view.id, before.error);
  }
}

/** Applies the events of a batch one by one, up to the first that the store refuses, which it parks. */
async function parkFirstRefused(applying: Applying, batch: BusBatch): Promise<boolean> {
  const { view } = applying;
  const before = await checkpointOf(view, batch.partition);
  for (const record of batch.events) {
    if (record.position <= before.position) continue;
    const one = single(batch, record, before.offset);
    const refused = await tryToApply(applying, one);
    if (refused === undefined) continue;
    await requireStore(view, batch.partition, refused.error);
    // Behind an event of no ledger everything would have to wait.
    if (refused.error instanceof UnknownEventError || record.event.ledgerId === '')
      throw eventFailure(record.position, refused.error);
    await park(applying, one, record, refused);
    return true;
  }
  return false;
}

/** Undefined if the batch was applied. @throws ProjectionFailure of what no further try and no parking helps */
async function tryToApply(applying: Applying, batch: BusBatch): Promise<Refused | undefined> {
  const { view, parked, clock, pauses_ms, signal } = applying;
  for (let tries = 1, changes = 0; ;) {
    try {
      const streams = await parked.of(view, batch.partition);
      await write(applying, streams.plan(batch, clock()));
      return undefined;
    } catch (error) {
      parked.forget(batch.partition);
      if (error instanceof ParkedChangedError && changes < MOST_CHANGES) {
        changes += 1;
        continue;
      }
      throwFinal(view, error);
      if (error instanceof UnknownEventError) return { error, tries };
      const pause_ms = pauses_ms[tries - 1];
      if (signal.aborted) throw storeFailure(view.id, error);
      if (pause_ms === undefined) return { error, tries };
      tries += 1;
      await pause(pause_ms, signal);
    }
  }
}

async function park(
  applying: Applying,
  one: BusBatch,
  record: RecordedEvent,
  refused: Refused,
): Promise<void> {
  const { view, parked, clock, logger } = applying;
  const { error, tries } = refused;
  try {
    const streams = await parked.of(view, one.partition);
    await write(applying, streams.park(one, { record, tries, failure: refusalText(error) }, clock()));
  } catch (cause) {
    parked.forget(one.partition);
    // Another process parks or applies too: what can be applied is decided anew.
    if (cause instanceof ParkedChangedError) return;
    throwFinal(view, cause);
    throw storeFailure(view.id, cause);
  }
  logger.error(
    { projection: view.id, position: String(record.position), tries, err: error },
    'an event cannot be applied: it is parked, and so is what comes after it in its streams',
  );
}

/** @throws ProjectionFailure `too_many_parked` before anything is written */
async function write({ view, mostDeadLetters }: Applying, batch: ViewBatch): Promise<void> {
  const { parking } = batch;
  if (parking !== undefined && parking.letters.length > 0 && parking.to.count > mostDeadLetters)
    throw tooManyParked(view.id, mostDeadLetters, parking.letters[0]?.position);
  await view.apply(batch);
}

/** @throws what no further try and no parking helps */
function throwFinal(view: View, error: unknown): void {
  if (error instanceof LostEventsError) throw historyLost(view.id, error.checkpointPosition, error);
  if (error instanceof MissedEventsError || error instanceof ProjectionFailure) throw error;
  // The generation, or the whole view, is gone.
  if (error instanceof GenerationGoneError || error instanceof ViewMissingError)
    throw storeFailure(view.id, error);
}

/** Only if the store answers, and takes writes, an event is at fault. @throws ProjectionFailure `store` */
async function requireStore(view: View, partition: number, cause: unknown): Promise<void> {
  await checkpointOf(view, partition, cause);
  // A store that answers reads may still take no writes: it is full, or being moved.
  if (toCallError(cause).reason === ErrorReason.DEPENDENCY_UNAVAILABLE) throw storeFailure(view.id, cause);
}

async function checkpointOf(view: View, partition: number, cause?: unknown): Promise<Checkpoint> {
  try {
    return await view.checkpoint(partition);
  } catch (error) {
    throw storeFailure(view.id, cause ?? error);
  }
}

/** Reaches operators through the API: no driver's words are in it. */
export function refusalText(error: unknown): string {
  const code = codeOf(error);
  if (code !== undefined) return `the store refused it (code ${code}); the server's log has more`;
  return `it cannot be applied (${error instanceof Error ? error.name : typeof error}); the server's log has more`;
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
