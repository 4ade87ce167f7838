/** What every bus must do: the suite that each adapter's test runs. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { until } from '../../../test/until.js';
import type { FakeLog } from '../../../test/fake-log.js';
import type { BusBatch, BusHandler, EventBus } from '../bus.js';

/** A bus over a log. */
export interface BusHarness {
  readonly log: FakeLog;
  readonly bus: EventBus;
  stop(): Promise<void>;
}

/** What a view does, in memory: knows where it stands and refuses what follows something it has not seen. */
export class Recorder implements BusHandler {
  readonly positions = new Map<number, bigint[]>();
  readonly at = new Map<number, { offset: bigint; position: bigint }>();
  readonly bytes = new Map<bigint, Uint8Array>();
  readonly asked: number[] = [];
  gaps = 0;
  batches = 0;
  /** Thrown at the batch that holds this position. */
  poison: bigint | undefined;

  async offsetOf(partition: number): Promise<bigint> {
    this.asked.push(partition);
    return this.at.get(partition)?.offset ?? -1n;
  }

  async handle(batch: BusBatch): Promise<void> {
    const { partition, events, offset, watermark, after } = batch;
    const before = this.at.get(partition) ?? { offset: -1n, position: -1n };
    if (events.some(({ position }) => position === this.poison)) throw new Error('poison');
    if (after !== undefined && after > before.position) this.gaps += 1;
    this.batches += 1;
    const seen = this.positions.get(partition) ?? [];
    this.positions.set(partition, seen);
    for (const { position, bytes } of events) {
      if (position <= before.position) continue;
      seen.push(position);
      this.bytes.set(position, bytes);
    }
    const position = watermark.position > before.position ? watermark.position : before.position;
    this.at.set(partition, { offset: offset > before.offset ? offset : before.offset, position });
  }
}

/** Runs the suite. `make` gives a bus of its own over a log that holds LogStarted alone. */
export function busContract(name: string, make: () => Promise<BusHarness>): void {
  describe(`the bus on ${name}`, () => {
    let harness: BusHarness;
    let stop: AbortController;
    let consuming: Promise<void>;
    const ledgers = ['main', 'other', 'third', 'a', 'b', 'c', 'd', 'e'];
    const add = (count: number) => {
      for (let index = 0; index < count; index += 1) harness.log.fill(1, ledgers[index % ledgers.length]);
    };
    const head = () => BigInt(harness.log.events.length - 1);
    const all = () => Array.from({ length: harness.bus.partitions }, (_, partition) => partition);
    const isComplete = (recorder: Recorder) =>
      all().every((partition) => recorder.at.get(partition)?.position === head());
    const consume = (recorder: Recorder) => {
      stop = new AbortController();
      consuming = harness.bus.consume(recorder, stop.signal);
      consuming.catch(() => undefined);
    };
    const end = async () => {
      stop.abort();
      await consuming;
    };
    const expectExact = ({ positions, bytes, gaps }: Recorder) => {
      for (const partition of all()) {
        const own = harness.log.events.filter(
          ({ event }) => event.ledgerId === '' || harness.bus.partitionOf(event.ledgerId) === partition,
        );
        expect(positions.get(partition)).toEqual(own.map(({ position }) => position));
      }
      for (const record of harness.log.events) {
        expect(Buffer.compare(bytes.get(record.position) ?? Buffer.alloc(0), record.bytes)).toBe(0);
      }
      expect(gaps).toBe(0);
    };

    beforeEach(async () => {
      harness = await make();
    });
    afterEach(async () => {
      stop.abort();
      await consuming.catch(() => undefined);
      await harness.stop();
    });

    test('every event comes once, in order, as it is stored; every partition hears of the end', async () => {
      const recorder = new Recorder();
      add(2_500);
      consume(recorder);
      await until(() => isComplete(recorder));
      add(300);
      await until(() => isComplete(recorder));
      expectExact(recorder);
      await end();
    });

    test('goes on where the store is, not where it was itself', async () => {
      const recorder = new Recorder();
      add(50);
      consume(recorder);
      await until(() => isComplete(recorder));
      await end();
      add(50);
      // As if the last messages had not been stored.
      const older = new Recorder();
      for (const [partition, { offset, position }] of recorder.at) {
        older.at.set(partition, { offset: offset > 3n ? offset - 3n : -1n, position });
        older.positions.set(partition, [...(recorder.positions.get(partition) ?? [])]);
      }
      for (const [position, bytes] of recorder.bytes) older.bytes.set(position, bytes);
      consume(older);
      await until(() => isComplete(older));
      expectExact(older);
      await end();
    });

    test('a handler that throws ends it; consumed again nothing is missing', async () => {
      const recorder = new Recorder();
      add(40);
      recorder.poison = 21n;
      consume(recorder);
      await expect(consuming).rejects.toThrow('poison');
      recorder.poison = undefined;
      add(40);
      consume(recorder);
      await until(() => isComplete(recorder));
      expectExact(recorder);
      await end();
    });

    test('ends soon when told to, and applies nothing after', async () => {
      const recorder = new Recorder();
      add(10);
      consume(recorder);
      await until(() => isComplete(recorder));
      const began_ms = performance.now();
      await end();
      expect(performance.now() - began_ms).toBeLessThan(5_000);
      const { batches } = recorder;
      add(10);
      expect(recorder.batches).toBe(batches);
    });
  });
}
