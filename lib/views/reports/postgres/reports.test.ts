import { afterAll, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../../../test/postgres.js';
import { createPool, type Pool } from '../../../log/postgres-client.js';
import { reportsContract } from '../contract/suite.js';
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
  const { rows } = await pool.query<{ rolled: bigint; segments: bigint; entries: bigint; volumes: bigint }>(`
    select (select sum(entries)::bigint from reports_1.entry_rollup) as rolled,
      (select sum(transactions)::bigint from reports_1.volume_rollup) as volumes,
      (select sum(cardinality(accounts))::bigint from reports_1.postings) as entries,
      (select count(*) from reports_1.segments) as segments`);
  const [counts] = rows;
  expect(counts?.rolled).toBe(counts?.entries);
  expect(counts?.volumes).toBeGreaterThan(100n);
  expect(counts?.segments).toBeGreaterThan(20n);
});
