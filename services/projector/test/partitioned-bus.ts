/**
 * A bus of two partitions in memory whose offsets are not positions, as Kafka's are: for what must hold there
 * too.
 */
import type { FakeLog } from '../../../test/fake-log.js';
import type { BusHandler, EventBus } from '../../../lib/log/bus.js';
import { type LogPoint, type RecordedEvent, pointOf } from '../../../lib/log/recorded-event.js';
import { pause } from '../../../lib/base/pause.js';

interface Message {
  /** Undefined: only the watermark moved. */
  readonly record: RecordedEvent | undefined;
  /** Of the partition's event before this message. */
  readonly after: bigint;
  readonly watermark: LogPoint;
}

const BATCH_MESSAGES = 100;

/** A bus that can be made to lose what it held, and to give its partitions to another process. */
export interface PartitionedBus extends EventBus {
  /** The partitions that its consumer has; changes are noticed with the next batch. */
  assigned: number[];
  /** Messages before these offsets are gone. */
  readonly first: number[];
}

/**
 * Relays a log: ledger `main` is in partition 0, all others in 1; each hears of the other's watermark now and
 * then.
 */
export function partitionedBus(log: FakeLog): PartitionedBus {
  const partitions: Message[][] = [[], []];
  const lasts = [-1n, -1n];
  let relayed = 0;
  const partitionOf = (ledgerId: string) => (ledgerId === 'main' ? 0 : 1);
  const relay = () => {
    for (const record of log.events.slice(relayed)) {
      const own = record.event.ledgerId === '' ? undefined : partitionOf(record.event.ledgerId);
      for (const [partition, messages] of partitions.entries()) {
        const isItsOwn = own === undefined || own === partition;
        const after = lasts[partition] ?? -1n;
        if (isItsOwn) lasts[partition] = record.position;
        if (isItsOwn || record.position % 5n === 0n) {
          messages.push({ record: isItsOwn ? record : undefined, after, watermark: pointOf(record) });
        }
      }
    }
    relayed = log.events.length;
  };
  const bus: PartitionedBus = {
    assigned: [0, 1],
    first: [0, 0],
    partitions: 2,
    partitionOf,
    consume: async (handler, signal) => {
      const failed = new AbortController();
      const both = AbortSignal.any([signal, failed.signal]);
      await Promise.all(
        [0, 1].map(async (partition) => {
          try {
            await consumeOne(partition, handler, both);
          } catch (error) {
            failed.abort();
            throw error;
          }
        }),
      );
    },
  };
  const consumeOne = async (partition: number, handler: BusHandler, signal: AbortSignal) => {
    let offset: bigint | undefined;
    while (!signal.aborted) {
      if (!bus.assigned.includes(partition)) {
        if (offset !== undefined) handler.released?.(partition);
        offset = undefined;
        await pause(1, signal);
        continue;
      }
      offset ??= await handler.offsetOf(partition);
      relay();
      const from = Math.max(Number(offset) + 1, bus.first[partition] ?? 0);
      const batch = (partitions[partition] ?? []).slice(from, from + BATCH_MESSAGES);
      const [first, last] = [batch[0], batch.at(-1)];
      if (first === undefined || last === undefined) {
        await pause(1, signal);
        continue;
      }
      offset = BigInt(from + batch.length - 1);
      const events = batch.flatMap(({ record }) => (record === undefined ? [] : [record]));
      await handler.handle({ partition, events, offset, after: first.after, watermark: last.watermark });
    }
  };
  return bus;
}
