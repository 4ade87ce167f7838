import { afterAll, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../../../test/postgres.js';
import { createPool, type Pool } from '../../../log/postgres-client.js';
import { balancesContract } from '../contract/suite.js';
import { postgresBalances } from './balances.js';
import { readSql } from './sql/read.sql.js';

let server: { database: TestDatabase; pool: Pool } | undefined;

async function poolOfAnEmptyDatabase(): Promise<Pool> {
  server ??= await open();
  // Emptied rather than made anew: a database a test, dozens of times, is what would take the time.
  const { rows } = await server.pool.query<{ nspname: string }>(
    `select nspname from pg_namespace where nspname like 'balances%' or nspname = 'views'`,
  );
  for (const { nspname } of rows) await server.pool.query(`drop schema ${nspname} cascade`);
  await server.pool.end();
  server = { database: server.database, pool: createPool(server.database.config, { max: 4, name: 'test' }) };
  return server.pool;
}

async function open() {
  const database = await createTestDatabase();
  return { database, pool: createPool(database.config, { max: 4, name: 'test' }) };
}

afterAll(async () => {
  await server?.pool.end();
  await server?.database.drop();
});

balancesContract(async () => {
  const generations = postgresBalances(await poolOfAnEmptyDatabase());
  await generations.migrate();
  return generations;
});

test('a look-up goes by key, also when it was planned while the table was empty', async () => {
  const pool = await poolOfAnEmptyDatabase();
  await postgresBalances(pool).migrate();
  const client = await pool.connect();
  try {
    await client.query('set plan_cache_mode = force_generic_plan');
    await client.query(`prepare look_up (int, text[], text[]) as ${readSql('balances_1')}`);
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(
      `explain execute look_up(0, array['main'], array['alice'])`,
    );
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toMatch(/Index Scan using accounts_ledger_id_account_id_key/);
    expect(plan).not.toMatch(/Seq Scan on accounts/);
  } finally {
    client.release();
  }
});
