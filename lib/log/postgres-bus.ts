/** The embedded bus: the event log itself, followed by its tail. One partition; the offset is the position. */
import { pause } from '../base/pause.js';
import type { BusHandler, EventBus } from './bus.js';
import { type LogTail, PAGE_EVENTS } from './log-tail.js';
import { pointOf } from './recorded-event.js';

/**
 * The least time between the starts of two batches: under load more events share a statement. A batch of a whole page does
 * not wait, nor does an event that comes after a pause.
 */
const BETWEEN_BATCHES_MS = 10;

export function logBus(tail: LogTail): EventBus {
  return {
    partitions: 1,
    partitionOf: () => 0,
    consume: (handler, signal) => consume(tail, handler, signal),
  };
}

async function consume(tail: LogTail, handler: BusHandler, signal: AbortSignal): Promise<void> {
  const place = tail.enter(await handler.offsetOf(0));
  try {
    while (!signal.aborted) {
      const events = await place.next(signal);
      const [first, last] = [events[0], events.at(-1)];
      if (first === undefined || last === undefined) return;
      const began_ms = performance.now();
      const after = first.position - 1n;
      const offset = last.position;
      await handler.handle({ partition: 0, events, offset, after, watermark: pointOf(last) });
      const left_ms = BETWEEN_BATCHES_MS - (performance.now() - began_ms);
      if (left_ms > 0 && events.length < PAGE_EVENTS && !place.hasPage) await pause(left_ms, signal);
    }
  } finally {
    await place.leave();
  }
}
