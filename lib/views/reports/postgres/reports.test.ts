import { afterAll, expect, test } from '@jest/globals';
import type { RecordedEvent } from '../../../log/recorded-event.js';
import { createTestDatabase, type TestDatabase } from '../../../../test/postgres.js';
import { createPool, type Pool } from '../../../log/postgres-client.js';
import { parkingContract, servingView } from '../../parked/contract/suite.js';
import { reportsContract } from '../contract/suite.js';
import { reportFacts, ROLLUP_WIDTH } from '../fold.js';
import { PackCursor } from './pack.js';
import { postgresReports, REPORT_PLANS } from './reports.js';
import { readStanding } from './standing.js';
import { INT64_MAX } from '../../../base/bigints.js';
import { batchOf, busyLedger, LEDGERS, spread } from '../contract/busy-ledger.js';
import { expectExact } from '../contract/exact-reports.js';
import { allRows } from '../contract/applying.js';
import { scannedRows } from '../../../../test/scanned-rows.js';

const opened: { database: TestDatabase; pool: Pool }[] = [];

afterAll(async () => {
  for (const { database, pool } of opened) {
    await pool.end();
    await database.drop();
  }
});

async function freshPool(): Promise<Pool> {
  const database = await createTestDatabase();
  const pool = createPool(database.config, { max: 4, name: 'test', options: REPORT_PLANS });
  opened.push({ database, pool });
  return pool;
}

async function fresh() {
  const generations = postgresReports(await freshPool());
  await generations.migrate();
  return generations;
}

reportsContract(fresh);
parkingContract(async () => servingView(await fresh()));

test('segments are sealed once, also when two processes follow the same events', async () => {
  const pool = await freshPool();
  const generations = postgresReports(pool);
  await generations.migrate();
  const events = spread(busyLedger(2, 600).events, 4_001n);
  const [one, other] = [await generations.current(), await generations.current()];
  for (let at = 0; at < events.length; at += 50) {
    const batch = batchOf(events.slice(at, at + 50));
    await Promise.all([one.apply(batch), other.apply(batch)]);
  }
  // The last sealing goes on beside us: it has ended when the next segment is entered.
  const watermark = { ...batchOf(events).watermark, position: 2n ** 30n };
  const end = { ...batchOf(events), events: [], watermark };
  await one.apply(end);
  await one.apply({ ...end, watermark: { ...watermark, position: 2n ** 31n } });
  const { rows } = await pool.query<{ rolled: bigint; segments: bigint; volumes: bigint; left: bigint }>(`
    select (select sum(entries)::bigint from reports_1.entry_rollup) as rolled,
      (select sum(transactions)::bigint from reports_1.volume_rollup) as volumes,
      (select count(*) from reports_1.tail) as left,
      (select count(*) from reports_1.segments) as segments`);
  const [counts] = rows;
  expect(counts?.rolled).toBe(BigInt(entriesOf(events)));
  expect(await packedEntries(pool)).toBe(entriesOf(events));
  expect(counts?.left).toBe(0n);
  expect(counts?.volumes).toBeGreaterThan(100n);
  expect(counts?.segments).toBeGreaterThan(20n);
});

test('a scan gives each row of a ledger once, sealed or not', async () => {
  const pool = await freshPool();
  const generations = postgresReports(pool);
  await generations.migrate();
  const view = await generations.current();
  const events = spread(busyLedger(5, 900).events, 997n);
  for (let at = 0; at < events.length; at += 50) await view.apply(batchOf(events.slice(at, at + 50)));
  const { sealed, left } = await tailOf(pool);
  expect(sealed).toBeGreaterThan(3n);
  // The segment that was entered last is not sealed.
  expect(left).toBeGreaterThan(0n);
  for (const ledgerId of LEDGERS) {
    const rows = await allRows(view, 1_000, ledgerId);
    expect(rows.length).toBeGreaterThan(700);
    expect(await scannedRows(view, ledgerId)).toEqual(rows);
  }
  expect(await scannedRows(view, 'nowhere')).toEqual([]);
});

test('a report from some moment on reads none of the packs before it', async () => {
  const pool = await freshPool();
  const generations = postgresReports(pool);
  await generations.migrate();
  const view = await generations.current();
  const { events } = busyLedger(6, 300);
  const bucket = busiestBucket(events);
  for (const recorded of events) {
    if (recorded.event.recordedTimeMicros / ROLLUP_WIDTH <= bucket) await view.apply(batchOf([recorded]));
  }
  const scope = { partition: 0, ledgerId: LEDGERS[0], through: null, accountId: null };
  const timesFrom = async (from: bigint) => {
    const asked = { ...scope, bounds: [from, INT64_MAX] };
    const { tail } = await readStanding({ pool, schema: 'reports_1' }, asked);
    return tail.map((pack) => lastTimeOf(new PackCursor(pack)));
  };
  // What is before these 15 minutes may be sealed meanwhile.
  const times = await timesFrom(bucket * ROLLUP_WIDTH);
  expect(times.length).toBeGreaterThan(2);
  const middle = Math.floor(times.length / 2);
  expect(await timesFrom(BigInt(times[middle] ?? 0))).toEqual(times.slice(middle));
  expect(await timesFrom(BigInt(times[middle] ?? 0) + 1n)).toEqual(times.slice(middle + 1));
  expect(await timesFrom((bucket + 1n) * ROLLUP_WIDTH)).toEqual([]);
});

/** The 15 minutes in which most transactions were posted. */
function busiestBucket(events: readonly RecordedEvent[]): bigint {
  const counts = new Map<bigint, number>();
  for (const { event } of events) {
    if (event.payload.case !== 'transactionPosted') continue;
    const bucket = event.recordedTimeMicros / ROLLUP_WIDTH;
    counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
  }
  const [most] = [...counts].sort(([, one], [, other]) => other - one);
  return most?.[0] ?? 0n;
}

function lastTimeOf(cursor: PackCursor): number {
  while (cursor.next());
  return cursor.recordedTime;
}

test('what a process that ended left unsealed, the next one seals', async () => {
  const pool = await freshPool();
  const generations = postgresReports(pool);
  await generations.migrate();
  const events = spread(busyLedger(3, 300).events, 4_001n);
  const ended = await generations.current();
  // Its sealing waits here, and is cut off.
  const blocker = await pool.connect();
  await blocker.query('begin; lock table reports_1.segments in access exclusive mode');
  const half = Math.floor(events.length / 2);
  await ended.apply(batchOf(events.slice(0, half)));
  await endWaiting(pool);
  await blocker.query('commit');
  blocker.release();
  await expect(ended.apply(batchOf(events.slice(half, half + 100)))).rejects.toThrow();
  expect(await tailOf(pool)).toMatchObject({ sealed: 0n });
  const next = await generations.current();
  await next.apply(batchOf(events.slice(half)));
  // Sealing has ended when the next segment is entered.
  const last = batchOf(events);
  const watermark = { ...last.watermark, position: last.watermark.position + 65_536n };
  await next.apply({ ...last, events: [], watermark });
  await next.apply({
    ...last,
    events: [],
    watermark: { ...watermark, position: watermark.position + 65_536n },
  });
  const { sealed, left } = await tailOf(pool);
  expect(left).toBe(0n);
  expect(sealed).toBeGreaterThan(3n);
  expect(await packedEntries(pool)).toBe(entriesOf(events));
  const position = last.watermark.position;
  for (const through of [null, position / 3n, position]) {
    for (const ledgerId of LEDGERS) await expectExact(next, events, { partition: 0, ledgerId, through });
  }
});

/** Waits until another statement waits for a lock, and ends its connection. */
async function endWaiting(pool: Pool): Promise<void> {
  for (;;) {
    const { rowCount } = await pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and wait_event_type = 'Lock' and state = 'active'`,
    );
    if (rowCount !== 0) return;
  }
}

async function tailOf(pool: Pool): Promise<{ sealed: bigint; left: bigint }> {
  const { rows } = await pool.query<{ sealed: bigint; left: bigint }>(
    'select (select count(*) from reports_1.segments) as sealed, (select count(*) from reports_1.tail) as left',
  );
  return rows[0] ?? { sealed: -1n, left: -1n };
}

function entriesOf(events: readonly RecordedEvent[]): number {
  return reportFacts(events).postings.reduce((sum, { entries }) => sum + entries.length, 0);
}

/** How many entries the packs of all sealed segments hold. */
async function packedEntries(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ rows: Buffer }>('select rows from reports_1.packs');
  let entries = 0;
  for (const pack of rows) {
    const cursor = new PackCursor(pack.rows);
    while (cursor.next()) entries += cursor.entries;
  }
  return entries;
}
