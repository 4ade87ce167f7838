/** Databases for tests, on the one PostgreSQL of the run. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';

/** A database of one test file. */
export interface TestDatabase {
  readonly url: string;
  readonly config: pg.PoolConfig;
  /** Ends every connection to it and removes it. */
  readonly drop: () => Promise<void>;
}

/**
 * On a busy machine an answer of PostgreSQL may lie unread for longer than a service waits for one: a test whose machine is slow
 * is not one whose database is away.
 */
const PATIENCE_MS = 60_000;

/** Creates an empty database. Drop it in `afterAll`; what is left is removed after the run. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = testServer();
  const database = `test_${String(process.pid)}_${randomBytes(6).toString('hex')}`;
  await execute(`create database ${database} template template0`);
  return {
    url: `postgresql://${server.user}@/${database}?host=${encodeURIComponent(server.host)}&port=${String(server.port)}`,
    config: {
      ...server,
      database,
      connectionTimeoutMillis: PATIENCE_MS,
      statement_timeout: PATIENCE_MS,
    },
    drop: () => execute(`drop database if exists ${database} with (force)`),
  };
}

interface TestServer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Where a socket does not protect it. */
  readonly password?: string;
}

function testServer(): TestServer {
  const connection = process.env['QUITTANCE_TEST_POSTGRES'];
  if (connection === undefined) {
    throw new Error(
      'QUITTANCE_TEST_POSTGRES is not set: run tests by `npm test`, whose global setup starts PostgreSQL',
    );
  }
  return JSON.parse(connection) as TestServer;
}

async function execute(statement: string): Promise<void> {
  const client = new pg.Client({ ...testServer(), database: 'postgres' });
  // `drop … with (force)` from another file may end this connection between two queries: not a crash of the worker.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
