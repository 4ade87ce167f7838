import { afterAll } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.js';
import { createPool, type Pool } from '../../log/postgres-client.js';
import { reportsContract } from './contract.js';
import { postgresReports } from './postgres-reports.js';

const opened: { database: TestDatabase; pool: Pool }[] = [];

afterAll(async () => {
  for (const { database, pool } of opened) {
    await pool.end();
    await database.drop();
  }
});

reportsContract(async () => {
  const database = await createTestDatabase();
  const pool = createPool(database.config, { max: 2, name: 'test' });
  opened.push({ database, pool });
  const generations = postgresReports(pool);
  await generations.migrate();
  return generations;
});
