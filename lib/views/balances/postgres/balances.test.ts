import { afterAll, expect, jest, test } from '@jest/globals';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../../../../test/postgres.js';
import { createPool, type Pool } from '../../../log/postgres-client.js';
import { MissedEventsError } from '../../view-errors.js';
import { allRows, busyLedger, expectedRows } from '../contract/naive-balances.js';
import { parkingContract, servingView } from '../../parked/contract/suite.js';
import { balancesContract } from '../contract/suite.js';
import { postgresBalances } from './balances.js';
import { readSql } from './sql/read.sql.js';
import { numbersSql } from './sql/write.sql.js';

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

async function fresh() {
  const generations = postgresBalances(await poolOfAnEmptyDatabase());
  await generations.migrate();
  return generations;
}

balancesContract(fresh);
parkingContract(async () => servingView(await fresh()));

test('accounts whose rows a database lost get new ones, with new numbers', async () => {
  const pool = await poolOfAnEmptyDatabase();
  const generations = postgresBalances(pool);
  await generations.migrate();
  const view = await generations.current();
  const fixture = busyLedger();
  await view.apply(fixture.batch(0n, 7n));
  await pool.query('delete from balances_1.accounts');
  await pool.query(`update balances_1.checkpoint set event_offset = -1, position = -1, hash = ''`);
  await expect(view.apply({ ...fixture.batch(8n), after: 7n })).rejects.toThrow(MissedEventsError);
  await view.apply(fixture.batch(0n, 7n));
  await view.apply(fixture.batch(8n));
  expect(await allRows(view)).toEqual(expectedRows(fixture.events));
});

test('numbers that memory does not have are looked up once, by key', async () => {
  const pool = await poolOfAnEmptyDatabase();
  const generations = postgresBalances(pool);
  await generations.migrate();
  const fixture = busyLedger(6);
  const half = BigInt(Math.floor(fixture.events.length / 2));
  await (await generations.current()).apply(fixture.batch(0n, half));
  // Another process goes on.
  const view = await generations.current();
  const query = jest.spyOn(pg.Client.prototype, 'query');
  const statements = async (from: bigint, through: bigint) => {
    const before = query.mock.calls.length;
    await view.apply(fixture.batch(from, through));
    return query.mock.calls.length - before;
  };
  try {
    // The checkpoint, the numbers, the batch.
    expect(await statements(half + 1n, half + 4n)).toBe(3);
    expect(await statements(half + 5n, half + 8n)).toBe(1);
  } finally {
    query.mockRestore();
  }
  expect(await allRows(view)).toEqual(expectedRows(fixture.events.slice(0, Number(half) + 9)));
  const { rows } = await pool.query<{ 'QUERY PLAN': string }>(
    `explain (costs off) ${numbersSql('balances_1')}`,
    [['main'], ['alice']],
  );
  expect(rows.map((row) => row['QUERY PLAN']).join(' ')).toMatch(
    /Index Scan using accounts_ledger_id_account_id_key/,
  );
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
