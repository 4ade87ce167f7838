/** A bus of two partitions in memory whose offsets are not positions, as Kafka's are: for what must hold there too. */
import { pointOf } from '../../query/rpc/event-record.js';
import type { FakeLog } from '../../query/test/fake-log.js';
import type { BusHandler, EventBus, LogPoint, RecordedEvent } from '../../../lib/platform/bus.js';
import { rest } from '../rest.js';

interface Message {
  /** Undefined: only the watermark moved. */
  readonly record: RecordedEvent | undefined;
  readonly watermark: LogPoint;
}

const BATCH_MESSAGES = 100;

/** Relays a log: ledger `main` is in partition 0, all others in 1; each hears of the other's watermark now and then. */
export function partitionedBus(log: FakeLog): EventBus {
  const partitions: Message[][] = [[], []];
  let relayed = 0;
  const partitionOf = (ledgerId: string) => (ledgerId === 'main' ? 0 : 1);
  const relay = () => {
    for (const record of log.events.slice(relayed)) {
      const own = record.event.ledgerId === '' ? undefined : partitionOf(record.event.ledgerId);
      for (const [partition, messages] of partitions.entries()) {
        const isItsOwn = own === undefined || own === partition;
        if (isItsOwn || record.position % 5n === 0n) {
          messages.push({ record: isItsOwn ? record : undefined, watermark: pointOf(record) });
        }
      }
    }
    relayed = log.events.length;
  };
  const consumeOne = async (partition: number, handler: BusHandler, signal: AbortSignal) => {
    let offset = await handler.offsetOf(partition);
    while (!signal.aborted) {
      relay();
      const from = Number(offset) + 1;
      const batch = (partitions[partition] ?? []).slice(from, from + BATCH_MESSAGES);
      const last = batch.at(-1);
      if (last === undefined) {
        await rest(1, signal);
        continue;
      }
      offset += BigInt(batch.length);
      const events = batch.flatMap(({ record }) => (record === undefined ? [] : [record]));
      await handler.handle({ partition, events, offset, watermark: last.watermark });
    }
  };
  return {
    partitions: 2,
    partitionOf,
    consume: async (handler, signal) => {
      await Promise.all([consumeOne(0, handler, signal), consumeOne(1, handler, signal)]);
    },
  };
}
