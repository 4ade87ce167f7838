/** Makes a view that its store does not hold: the first time, or because the store was lost. */
import type { LogReader } from '../../lib/log/reader.js';
import type { EventBus } from '../../lib/log/bus.js';
import type { View, ViewGenerations, ViewId } from '../../lib/views/view.js';
import type { Clock } from '../../lib/base/time.js';
import { RETRY_PAUSES_MS } from './apply-batch.js';
import { completeTo, fillTo } from './fill.js';
import { ParkedMemory } from './parked-memory.js';
import type { ProjectorLog } from './projector-log.js';

export interface BuildDeps {
  readonly id: ViewId;
  readonly generations: ViewGenerations<View>;
  readonly log: LogReader;
  readonly bus: EventBus;
  readonly logger: ProjectorLog;
  /** See Filling.offsetAt. */
  readonly offsetAt: (position: bigint) => bigint;
  readonly clock: Clock;
  readonly mostDeadLetters: number;
  readonly signal: AbortSignal;
}

/**
 * A log of at most so many events is applied at once: the view serves from the beginning, and says how far it
 * is.
 */
const SMALL_LOG_EVENTS = 10_000n;

/**
 * Makes the view, and gives it when it serves. A view of a long log is filled first: until then its readers
 * get an error, and not a view without their accounts.
 */
export async function build(deps: BuildDeps): Promise<View> {
  const { id, generations, log, bus, logger } = deps;
  const { position: end } = await log.head();
  if (end < SMALL_LOG_EVENTS) {
    await generations.migrate();
    return generations.current();
  }
  const view = await generations.create();
  const partitions = Array.from({ length: bus.partitions }, () => -1n);
  const filling = {
    ...deps,
    view,
    parked: new ParkedMemory(),
    pauses_ms: RETRY_PAUSES_MS,
    filled: partitions,
    onProgress: () => undefined,
  };
  // Events that are committed meanwhile come by the bus: only few are left to it.
  let reached = -1n;
  for (let head = await log.head(); head.position - reached > SMALL_LOG_EVENTS; head = await log.head()) {
    const { position } = head;
    reached = position;
    await fillTo(
      filling,
      partitions.map(() => position),
    );
    await Promise.all(
      partitions.map((_, partition) => completeTo(view, partition, head, deps.offsetAt(position))),
    );
  }
  await generations.switchTo(view.generation);
  logger.info(
    { projection: id, generation: view.generation, events: String(end + 1n) },
    'the view was built',
  );
  return generations.current();
}
