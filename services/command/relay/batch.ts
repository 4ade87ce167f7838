/** What the relay sends of a page of the log. */
import type { OutgoingMessage } from '../../../lib/log/bus.js';
import { type RecordedEvent, pointOf } from '../../../lib/log/recorded-event.js';
import type { RelayCursor } from '../../../lib/log/relay-cursor.js';

/** Messages, and where the relay is once they are stored. */
export interface Batch {
  readonly messages: readonly OutgoingMessage[];
  readonly cursor: RelayCursor;
  /** The event at the cursor. */
  readonly at: RecordedEvent;
}

/**
 * Each event to its partition, those of no ledger to all. The last message of each partition says up to where the partition
 * is complete; partitions without an event get a message with the watermark alone, if `isDue` says that it is time.
 */
export function batchOf(
  events: readonly RecordedEvent[],
  cursor: RelayCursor,
  bus: { readonly partitions: number; partitionOf(ledgerId: string): number },
  isDue: (partition: number) => boolean,
): Batch {
  const at = events.at(-1);
  if (at === undefined) throw new Error('a batch has events');
  const watermark = pointOf(at);
  const lasts = [...cursor.lasts];
  const messages: OutgoingMessage[] = [];
  /** Where the last message of each partition is. */
  const ends = new Map<number, number>();
  const add = (partition: number, record: RecordedEvent) => {
    ends.set(partition, messages.length);
    messages.push({ partition, record, after: lasts[partition] ?? -1n, watermark: undefined });
    lasts[partition] = record.position;
  };
  for (const record of events) {
    const { ledgerId } = record.event;
    if (ledgerId !== '') add(bus.partitionOf(ledgerId), record);
    else for (let partition = 0; partition < bus.partitions; partition += 1) add(partition, record);
  }
  for (const index of ends.values()) {
    const message = messages[index];
    if (message !== undefined) messages[index] = { ...message, watermark };
  }
  for (let partition = 0; partition < bus.partitions; partition += 1) {
    if (ends.has(partition) || !isDue(partition)) continue;
    messages.push({ partition, record: undefined, after: lasts[partition] ?? -1n, watermark });
  }
  return {
    messages,
    cursor: { epoch: watermark.epoch, position: watermark.position, hash: watermark.hash, lasts },
    at,
  };
}

/** Watermarks alone: these partitions are complete up to the cursor. */
export function watermarksFor(partitions: readonly number[], at: RecordedEvent, cursor: RelayCursor): Batch {
  const watermark = pointOf(at);
  const messages = partitions.map((partition) => ({
    partition,
    record: undefined,
    watermark,
    after: cursor.lasts[partition] ?? -1n,
  }));
  return { messages, cursor, at };
}
