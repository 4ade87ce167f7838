import { expect, test } from '@jest/globals';
import pg from 'pg';
import { createTestDatabase } from './postgres.js';

test('every test database is its own, reachable by url and by config, and gone after drop', async () => {
  const [one, two] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  const a = new pg.Client({ connectionString: one.url });
  const b = new pg.Client(two.config);
  await a.connect();
  await b.connect();
  await a.query('create table only_here (n int)');
  const seen = await b.query<{ n: number }>(
    "select count(*)::int as n from pg_class where relname = 'only_here'",
  );
  expect(seen.rows).toEqual([{ n: 0 }]);
  await a.end();
  await b.end();
  await one.drop();
  await two.drop();
  await expect(new pg.Client(one.config as pg.ClientConfig).connect()).rejects.toMatchObject({
    code: '3D000',
  });
});
