import { afterAll, expect, test } from '@jest/globals';
import type { RecordedEvent } from '../../../log/recorded-event.js';
import { createTestDatabase, type TestDatabase } from '../../../../test/postgres.js';
import { createPool, type Pool } from '../../../log/postgres-client.js';
import { reportsContract } from '../contract/suite.js';
import { reportFacts } from '../fold.js';
import { PackCursor } from './pack.js';
import { postgresReports, REPORT_PLANS } from './reports.js';
import { batchOf, busyLedger, spread } from '../contract/busy-ledger.js';

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

reportsContract(async () => {
  const generations = postgresReports(await freshPool());
  await generations.migrate();
  return generations;
});

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
