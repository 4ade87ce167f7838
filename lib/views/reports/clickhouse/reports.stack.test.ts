import { afterAll, expect, test } from '@jest/globals';
import { createTestDatabase } from '../../../../test/postgres.js';
import { createPool } from '../../../log/postgres-client.js';
import { clickhouseDatabases } from '../../stores/clickhouse/test/databases.js';
import { parkingContract, servingView } from '../../parked/contract/suite.js';
import { reportsContract } from '../contract/suite.js';
import { clickhouseReports } from './reports.js';
import { postgresReports, REPORT_PLANS } from '../postgres/reports.js';
import { batchOf, busyLedger, spread } from '../contract/busy-ledger.js';
import { allRowsOf } from '../contract/exact-reports.js';

const databases = clickhouseDatabases('test_reports_contract');

afterAll(() => databases.close());

async function fresh() {
  const generations = clickhouseReports(databases.fresh());
  await generations.migrate();
  return generations;
}

reportsContract(fresh);
parkingContract(async () => servingView(await fresh()));

test('the canonical rows are those of PostgreSQL', async () => {
  const database = await createTestDatabase();
  const pool = createPool(database.config, { max: 4, name: 'test', options: REPORT_PLANS });
  try {
    const stores = [clickhouseReports(databases.fresh()), postgresReports(pool)];
    const events = spread(busyLedger(21, 900).events, 997n);
    const rows = [];
    for (const generations of stores) {
      await generations.migrate();
      const view = await generations.current();
      await view.apply(batchOf(events));
      rows.push(await allRowsOf(view));
    }
    expect(rows[0]?.length).toBeGreaterThan(2_000);
    expect(rows[0]).toEqual(rows[1]);
  } finally {
    await pool.end();
    await database.drop();
  }
});
