/** The embedded bus: the event log itself, tailed by position. One partition; the offset is the position. */
import type { BusHandler, EventBus } from './bus.js';
import { type RecordedEvent, pointOf } from './recorded-event.js';
import type { LogReader } from './reader.js';

/** At most so many events per batch. */
const BATCH_SIZE = 1_000;

export function logBus(log: LogReader): EventBus {
  return {
    partitions: 1,
    partitionOf: () => 0,
    consume: (handler, signal) => consume(log, handler, signal),
  };
}

async function consume(log: LogReader, handler: BusHandler, signal: AbortSignal): Promise<void> {
  let position = await handler.offsetOf(0);
  // The next page is read while this one is applied.
  let next = readAfter(log, position);
  while (!signal.aborted) {
    const events = await next;
    const [first, last] = [events[0], events.at(-1)];
    if (first === undefined || last === undefined) {
      await log.changed(position, signal);
      next = readAfter(log, position);
      continue;
    }
    position = last.position;
    if (events.length === BATCH_SIZE) next = readAfter(log, position);
    const after = first.position - 1n;
    await handler.handle({ partition: 0, events, offset: position, after, watermark: pointOf(last) });
    if (events.length < BATCH_SIZE) next = readAfter(log, position);
  }
  await next.catch(() => undefined);
}

function readAfter(log: LogReader, after: bigint): Promise<readonly RecordedEvent[]> {
  const page = log.page({ after, through: null, limit: BATCH_SIZE, ledgerId: null, streamId: null });
  // It is awaited later; a rejection until then must not count as unhandled.
  page.catch(() => undefined);
  return page;
}
