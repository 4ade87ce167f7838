/**
 * The reports view in ClickHouse under what a bus, a crash and a process left behind do to it: all is there
 * twice.
 */
import { afterAll, expect, test } from '@jest/globals';
import type { BusBatch } from '../../../log/bus.js';
import type { RecordedEvent } from '../../../log/recorded-event.js';
import type { ClickHouse } from '../../stores/clickhouse/client.js';
import { ClickHouseCheckpoints } from '../../stores/clickhouse/checkpoints.js';
import { clickhouseDatabases } from '../../stores/clickhouse/test/databases.js';
import { clickhouseReports } from './reports.js';
import { CHUNK, sealSql } from './sql/schema.sql.js';
import { batchOf, busyLedger, spread } from '../contract/busy-ledger.js';
import { expectExact } from '../contract/exact-reports.js';
import type { ReportsView } from '../view.js';

const databases = clickhouseDatabases('test_reports_redelivery');

afterAll(() => databases.close());

/** Events over some six chunks. */
const EVENTS = spread(busyLedger(5, 800).events, 997n);
const SIZE = 61;
const LAST_CHUNK = ((EVENTS.at(-1)?.position ?? 0n) + 1n) / CHUNK - 1n;

async function applied(store: ClickHouse, again: (batch: BusBatch) => Promise<void>): Promise<ReportsView> {
  const generations = clickhouseReports(store);
  await generations.migrate();
  const view = await generations.current();
  for (let at = 0; at < EVENTS.length; at += SIZE) {
    const batch = batchOf(EVENTS.slice(at, at + SIZE));
    await view.apply(batch);
    await again(batch);
  }
  return view;
}

/** Resolves when chunks are sealed up to a number. */
async function sealed(store: ClickHouse, chunk: bigint, partition = 0): Promise<void> {
  const checkpoints = new ClickHouseCheckpoints(
    store,
    store.table('reports_1_checkpoints'),
    store.table('reports_1_letters'),
  );
  for (let tries = 0; tries < 2_000; tries++) {
    if ((await checkpoints.read()).of(partition).sealed >= chunk) return;
  }
  throw new Error(`chunk ${String(chunk)} of partition ${String(partition)} was never sealed`);
}

async function countOf(store: ClickHouse, from: string): Promise<bigint> {
  const [row] = await store.select<{ n: string }>(`select count() as n from ${from}`);
  return BigInt(row?.n ?? 0);
}

test('every batch twice by two processes, and chunks sealed twice: the answers are those of the events', async () => {
  const store = databases.fresh();
  const zombie = clickhouseReports(databases.again(store));
  // A view that has seen nothing of what the other did: it writes all of it again.
  const view = await applied(store, async (batch) => (await zombie.current()).apply(batch));
  await sealed(store, LAST_CHUNK);
  const [rollup, entries] = [store.table('reports_1_rollup'), store.table('reports_1_entries')];
  await store.command(`system stop merges ${rollup}`);
  await store.command(sealSql(rollup, entries), { first: 1n, last: LAST_CHUNK - 1n, partitions: [0] });
  expect(await countOf(store, rollup)).toBeGreaterThan(await countOf(store, `${rollup} final`));
  expect(LAST_CHUNK).toBeGreaterThan(4n);
  for (const through of [null, 3n * CHUNK - 1n, 3n * CHUNK, EVENTS[350]?.position ?? 0n]) {
    for (const ledgerId of ['main', 'main-b'])
      await expectExact(view, EVENTS, { partition: 0, ledgerId, through });
  }
});

test('a process left behind writes events of sealed chunks again: the answers are those of the events', async () => {
  const store = databases.fresh();
  const view = await applied(store, () => Promise.resolve());
  await sealed(store, LAST_CHUNK);
  const entries = store.table('reports_1_entries');
  const before = await countOf(store, `${entries} final`);
  await store.command(`system stop merges ${entries}`);
  await store.command(`insert into ${entries} select * from ${entries} final where position % 2 = 0`);
  expect(await countOf(store, entries)).toBeGreaterThan(before);
  expect(await countOf(store, `${entries} final`)).toBe(before);
  for (const through of [null, EVENTS[500]?.position ?? 0n]) {
    await expectExact(view, EVENTS, { partition: 0, ledgerId: 'main', through });
  }
});

test('what was written before a crash, and has no checkpoint yet, is not answered; and counts once afterwards', async () => {
  const store = databases.fresh();
  const generations = clickhouseReports(store);
  await generations.migrate();
  const view = await generations.current();
  const [old, late]: [RecordedEvent[], RecordedEvent[]] = [EVENTS.slice(0, 400), EVENTS.slice(400, 500)];
  await view.apply(batchOf(old));
  store.before = (table) => {
    if (table === 'checkpoints') throw new Error('crashed before the checkpoint');
  };
  await expect(view.apply(batchOf(late))).rejects.toThrow('crashed before the checkpoint');
  store.before = () => undefined;
  const reader = await clickhouseReports(databases.again(store)).current();
  expect(await reader.checkpoint(0)).toMatchObject({ position: old.at(-1)?.position });
  for (const ledgerId of ['main', 'main-b']) {
    await expectExact(reader, old, { partition: 0, ledgerId, through: null });
    const rows = await reader.rows({ ledgerId, afterKey: null, limit: 100_000 });
    const last = old.at(-1)?.position ?? 0n;
    expect(rows.filter(({ position }) => position > last)).toEqual([]);
  }
  await view.apply(batchOf(EVENTS.slice(380, 500)));
  await expectExact(reader, EVENTS.slice(0, 500), { partition: 0, ledgerId: 'main', through: null });
});

test('an insert whose answer was lost is repeated and counts once', async () => {
  const store = databases.fresh();
  const generations = clickhouseReports(store);
  await generations.migrate();
  const view = await generations.current();
  for (const lost of ['entries', 'checkpoints']) {
    store.after = (table) => {
      if (table === lost) throw new Error('the answer was lost');
    };
    const batch = lost === 'entries' ? batchOf(EVENTS.slice(0, 200)) : batchOf(EVENTS.slice(200, 400));
    await expect(view.apply(batch)).rejects.toThrow('the answer was lost');
    store.after = () => undefined;
    await view.apply(batch);
  }
  await expectExact(view, EVENTS.slice(0, 400), { partition: 0, ledgerId: 'main', through: null });
});
