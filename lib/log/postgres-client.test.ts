/** Connections to PostgreSQL that are lost without a word. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/postgres.js';
import { openTcpProxy, type TcpProxy } from '../../services/command/test/tcp-proxy.js';
import { StoreUnavailable } from '../base/store-unavailable.js';
import { createPool, type Pool } from './postgres-client.js';

let database: TestDatabase;
let proxy: TcpProxy;
const pools: Pool[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
  const { host = '', port = 0 } = database.config;
  proxy = await openTcpProxy(
    host.startsWith('/') ? { path: `${host}/.s.PGSQL.${String(port)}` } : { host, port },
  );
});

afterEach(async () => {
  await proxy.close();
  await Promise.all(pools.splice(0).map((pool) => pool.end()));
  await database.drop();
});

function open(config: Parameters<typeof createPool>[0]): Pool {
  const pool = createPool({ ...database.config, ...config }, { max: 1, name: 'test' });
  pools.push(pool);
  return pool;
}

test('a connection that fell silent is not used again', async () => {
  const pool = open({ host: '127.0.0.1', port: proxy.port, query_timeout: 1_500 });
  const client = await pool.connect();
  await client.query('begin');
  proxy.silence();
  await expect(client.query('select 1')).rejects.toBeInstanceOf(StoreUnavailable);
  await expect(client.query('rollback')).rejects.toBeInstanceOf(StoreUnavailable);
  client.release();
  proxy.restore();
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
});

test('a transaction whose process is stopped does not keep its locks', async () => {
  const stopped = await open({ idle_in_transaction_session_timeout: 1_500 }).connect();
  const other = open({});
  await other.query('create table rows (id int primary key, value int)');
  await other.query('insert into rows values (1, 0)');
  await stopped.query('begin');
  await stopped.query('update rows set value = 1 where id = 1');
  expect((await other.query('update rows set value = 2 where id = 1')).rowCount).toBe(1);
  await expect(stopped.query('commit')).rejects.toBeInstanceOf(StoreUnavailable);
  stopped.release();
  expect((await other.query('select value from rows')).rows).toEqual([{ value: 2 }]);
});

test('each session asks the server to look for lost connections and transactions', async () => {
  const { rows } = await open({}).query<{ name: string; source: string }>(
    `select name, source from pg_settings
      where name in ('tcp_keepalives_idle', 'tcp_keepalives_interval', 'tcp_keepalives_count',
        'idle_in_transaction_session_timeout') order by name`,
  );
  expect(rows.map(({ name, source }) => `${name}: ${source}`)).toEqual([
    'idle_in_transaction_session_timeout: client',
    'tcp_keepalives_count: client',
    'tcp_keepalives_idle: client',
    'tcp_keepalives_interval: client',
  ]);
});
