/**
 * The reports view in ClickHouse over many partitions, which go at their own speeds and are written together.
 */
import { clone } from '@bufbuild/protobuf';
import { ClickHouseError } from '@clickhouse/client';
import { afterAll, expect, test } from '@jest/globals';
import { EventSchema } from '../../../../gen/quittance/event/v1/event_pb.js';
import type { BusBatch } from '../../../log/bus.js';
import type { RecordedEvent } from '../../../log/recorded-event.js';
import { ClickHouseCheckpoints } from '../../stores/clickhouse/checkpoints.js';
import { clickhouseDatabases, type WatchedClickHouse } from '../../stores/clickhouse/test/databases.js';
import { LostEventsError, MissedEventsError } from '../../view-errors.js';
import { clickhouseReports } from './reports.js';
import { CHUNK } from './sql/schema.sql.js';
import { batchOf, busyLedger, spread } from '../contract/busy-ledger.js';
import { expectExact } from '../contract/exact-reports.js';

const databases = clickhouseDatabases('test_reports_partitions');

afterAll(() => databases.close());

const PARTITIONS = Array.from({ length: 12 }, (_, partition) => partition);
const MAIN = 3;
const MAIN_B = 7;
const EVENTS = spread(busyLedger(8, 700).events, 997n);

/** The batch as a partition gets it: its own ledger's events, those of no ledger, and the watermark. */
function ofPartition(events: readonly RecordedEvent[], partition: number): BusBatch {
  const batch = batchOf(events);
  const own = { [MAIN]: 'main', [MAIN_B]: 'main-b' }[partition] ?? '';
  return {
    ...batch,
    partition,
    events: events.filter(({ event }) => event.ledgerId === '' || event.ledgerId === own),
  };
}

async function freshView() {
  const store = databases.fresh();
  const generations = clickhouseReports(store);
  await generations.migrate();
  return { store, view: await generations.current() };
}

function checkpointsOf(store: WatchedClickHouse): ClickHouseCheckpoints {
  return new ClickHouseCheckpoints(
    store,
    store.table('reports_1_checkpoints'),
    store.table('reports_1_letters'),
  );
}

/** Resolves when a chunk is sealed in a partition. */
async function sealed(store: WatchedClickHouse, partition: number, chunk: bigint): Promise<void> {
  for (let tries = 0; tries < 2_000; tries++) {
    if ((await checkpointsOf(store).read()).of(partition).sealed >= chunk) return;
  }
  throw new Error(`chunk ${String(chunk)} of partition ${String(partition)} was never sealed`);
}

test('what all partitions bring at once is two inserts at most, and without events one', async () => {
  const { store, view } = await freshView();
  store.inserts.length = 0;
  const rounds = 5;
  for (let round = 0; round < rounds; round++) {
    const events = EVENTS.slice(round, round + 1);
    await Promise.all(
      PARTITIONS.map((partition) => view.apply({ ...ofPartition(events, partition), events: [] })),
    );
  }
  expect(store.inserts).toEqual(Array.from({ length: rounds }, () => 'checkpoints'));
  const again = EVENTS.slice(0, rounds);
  await Promise.all(PARTITIONS.map((partition) => view.apply(ofPartition(again, partition))));
  expect(store.inserts).toHaveLength(rounds);
  const more = EVENTS.slice(rounds, 90);
  await Promise.all(PARTITIONS.map((partition) => view.apply(ofPartition(more, partition))));
  expect(store.inserts.slice(rounds)).toEqual(['entries', 'checkpoints']);
  const reads = await Promise.all(PARTITIONS.map((partition) => view.checkpoint(partition)));
  expect(reads.map(({ position }) => position)).toEqual(PARTITIONS.map(() => more.at(-1)?.position));
});

test('a chunk is sealed in each partition when that partition is past it', async () => {
  const { store, view } = await freshView();
  const last = ((EVENTS.at(-1)?.position ?? 0n) + 1n) / CHUNK - 1n;
  const half = EVENTS.slice(0, EVENTS.length / 2);
  const slow = new Set([MAIN, 4]);
  for (let at = 0; at < EVENTS.length; at += 100) {
    const some = PARTITIONS.filter((partition) => !slow.has(partition));
    const events = EVENTS.slice(at, at + 100);
    await Promise.all(some.map((partition) => view.apply(ofPartition(events, partition))));
  }
  await Promise.all([...slow].map((partition) => view.apply(ofPartition(half, partition))));
  const halfway = ((half.at(-1)?.position ?? 0n) + 1n) / CHUNK - 1n;
  for (const [partition, chunk] of [
    [0, last],
    [MAIN_B, last],
    [MAIN, halfway],
  ] as const) {
    await sealed(store, partition, chunk);
  }
  expect((await checkpointsOf(store).read()).of(MAIN).sealed).toBe(halfway);
  expect(last).toBeGreaterThan(halfway);
  await expectExact(view, half, { partition: MAIN, ledgerId: 'main', through: null });
  await expectExact(view, EVENTS, { partition: MAIN_B, ledgerId: 'main-b', through: null });
  await Promise.all([...slow].map((partition) => view.apply(ofPartition(EVENTS, partition))));
  await sealed(store, MAIN, last);
  await expectExact(view, EVENTS, { partition: MAIN, ledgerId: 'main', through: null });
});

test('a batch that ClickHouse refuses does not take those of other partitions with it', async () => {
  const { store, view } = await freshView();
  const events = EVENTS.slice(0, 200);
  const poison = ofPartition(events, MAIN).events.findLast(
    ({ event }) => event.payload.case === 'transactionPosted',
  );
  store.before = (_, rows) => {
    if (!rows.some((row) => row.includes(String(poison?.position)))) return;
    throw new ClickHouseError({
      message: 'cannot parse',
      code: '27',
      type: 'CANNOT_PARSE_INPUT_ASSERTION_FAILED',
    });
  };
  const outcomes = await Promise.allSettled(
    PARTITIONS.map((partition) => view.apply(ofPartition(events, partition))),
  );
  expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual(PARTITIONS.map((p) => p !== MAIN));
  expect((await view.checkpoint(MAIN)).position).toBe(-1n);
  await expectExact(view, events, { partition: MAIN_B, ledgerId: 'main-b', through: null });
});

test('events that the log has lost, and that were written before a crash, make the generation one to be rebuilt', async () => {
  const { store, view } = await freshView();
  await view.apply(ofPartition(EVENTS.slice(0, 100), MAIN));
  store.before = (table) => {
    if (table === 'checkpoints') throw new Error('crashed before the checkpoint');
  };
  await expect(view.apply(ofPartition(EVENTS.slice(100, 200), MAIN))).rejects.toThrow('crashed');
  store.before = () => undefined;
  const before = await view.checkpoint(MAIN);
  const epochBatch = (from: number, to: number): BusBatch => {
    const batch = ofPartition(EVENTS.slice(from, to), MAIN);
    const events = batch.events.map((record) => {
      const event = clone(EventSchema, record.event);
      event.epoch = 1;
      return { ...record, event };
    });
    return { ...batch, events, watermark: { ...batch.watermark, epoch: 1 } };
  };
  await expect(view.apply(epochBatch(120, 150))).rejects.toThrow(LostEventsError);
  expect(await view.checkpoint(MAIN)).toEqual(before);
  // What an epoch repeats of itself, or writes after all that was there, is no fork.
  await view.apply(ofPartition(EVENTS.slice(100, 200), MAIN));
  await view.apply(epochBatch(200, 230));
  expect(await view.checkpoint(MAIN)).toMatchObject({ epoch: 1, position: EVENTS[229]?.position });
});

test('a ClickHouse that comes back with less than it had acknowledged gets nothing that follows what it lost', async () => {
  const { store, view } = await freshView();
  await view.apply({ ...ofPartition(EVENTS.slice(0, 100), MAIN), after: -1n });
  store.before = () => {
    throw new Error('connection refused');
  };
  const next = { ...ofPartition(EVENTS.slice(100, 200), MAIN), after: EVENTS[99]?.position ?? 0n };
  await expect(view.apply(next)).rejects.toThrow('connection refused');
  store.before = () => undefined;
  for (const table of ['entries', 'checkpoints'])
    await store.command(`truncate table ${store.table(`reports_1_${table}`)}`);
  await expect(view.apply(next)).rejects.toThrow(MissedEventsError);
  expect((await view.checkpoint(MAIN)).position).toBe(-1n);
});
