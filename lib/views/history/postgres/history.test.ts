import { createTestDatabase } from '../../../../test/postgres.js';
import { createPool } from '../../../log/postgres-client.js';
import { historyContract } from '../contract/suite.js';
import { HISTORY_PLANS, postgresHistory } from './history.js';

historyContract('PostgreSQL', async () => {
  const database = await createTestDatabase();
  const pool = createPool(database.config, { max: 5, name: 'history-test', options: HISTORY_PLANS });
  return {
    generations: postgresHistory(pool),
    close: async () => {
      await pool.end();
      await database.drop();
    },
  };
});
