import { expect, test } from '@jest/globals';
import { createTestDatabase } from '../../../../test/postgres.js';
import { scannedRows } from '../../../../test/scanned-rows.js';
import { createPool } from '../../../log/postgres-client.js';
import { scenario } from '../contract/logs.js';
import { allRows } from '../contract/reading.js';
import { LEDGERS } from '../contract/scenario.js';
import { historyContract } from '../contract/suite.js';
import { HISTORY_PLANS, postgresHistory } from './history.js';

async function openHistory() {
  const database = await createTestDatabase();
  const pool = createPool(database.config, { max: 5, name: 'history-test', options: HISTORY_PLANS });
  return {
    generations: postgresHistory(pool),
    close: async () => {
      await pool.end();
      await database.drop();
    },
  };
}

historyContract('PostgreSQL', openHistory);

test('a scan gives each row of a ledger once, over several pages of lines', async () => {
  const { generations, close } = await openHistory();
  try {
    await generations.migrate();
    const view = await generations.current();
    await view.apply(scenario(21, 1_500).batch());
    let versions = 0;
    for (const ledgerId of LEDGERS) {
      const rows = await allRows(view, ledgerId);
      expect(await scannedRows(view, ledgerId)).toEqual(rows);
      versions = Math.max(versions, rows.filter(({ key }) => key.startsWith('version ')).length);
    }
    // A page has 500 lines, and each version is one of them.
    expect(versions).toBeGreaterThan(500);
    expect(await scannedRows(view, 'nowhere')).toEqual([]);
  } finally {
    await close();
  }
});
