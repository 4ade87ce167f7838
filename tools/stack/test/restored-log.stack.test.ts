/** The log's database is restored to an older end, while Kafka and the stores of the views hold what is lost. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { Payments } from '../../../services/standalone/test/lost-history.js';
import { endingOf, openBooks, patientClient, proveBooks, until } from '../../../test/load.js';
import { type Backup, backUp } from '../../../test/restored-database.js';
import type { GrpcClient } from '../../client/grpc-client.js';
import { type OwnStack, startOwnStack } from './own-stack.js';

const LEDGER = 'restored';
const LOST_PAYMENTS = 40;

let platform: OwnStack;
let client: GrpcClient;
let backup: Backup | undefined;

beforeAll(async () => {
  platform = await startOwnStack({ commands: 2, projectors: 1, queries: 1 });
  client = patientClient(platform.grpcAddress);
});

afterAll(async () => {
  client.close();
  await backup?.drop();
  await platform.stop();
});

/** The database of the log as tests take it. */
function database() {
  const { host, port, user, password, database: name } = new pg.Client(platform.database.config);
  const config = { host, port, user, password, database: name };
  return { config, url: platform.stack.engines.postgres.url, drop: () => Promise.resolve() };
}

async function rowsOf(statement: string): Promise<readonly Record<string, unknown>[]> {
  const connection = new pg.Client(platform.database.config);
  await connection.connect();
  try {
    return (await connection.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await connection.end();
  }
}

test('Redis, MongoDB and ClickHouse shed what is lost, and take nothing new for old', async () => {
  const payments = new Payments({ command: client, query: client }, LEDGER);
  await openBooks(client, LEDGER, 2);
  const before = await payments.stand();
  backup = await backUp(database());
  await until('the platform serves', async () => (await endingOf(payments.received())) === 'OK');
  const held = await payments.payAndHold(LOST_PAYMENTS);
  await backup.restore();
  const took_ms = await payments.expectWhole(held, before, () => proveBooks(platform.grpcAddress, LEDGER));
  process.stdout.write(
    `on the stack: ${String(LOST_PAYMENTS)} lost, all whole after ${String(took_ms)} ms\n`,
  );
  const [row] = await rowsOf('select max(epoch) as epoch from log.flushes');
  expect(row?.['epoch']).toBe(1);
});
