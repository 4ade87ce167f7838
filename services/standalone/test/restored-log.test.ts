/** A database restored to an older end under a whole platform: tokens of what is lost say so, and all views agree with the log again. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { endingOf, openBooks, patientClient, proveBooks, until } from '../../../test/load.js';
import { type Backup, backUp } from '../../../test/restored-database.js';
import type { GrpcClient } from '../../../tools/client/grpc-client.js';
import { ALL_LOST, type Held, Payments, type Stand } from './lost-history.js';
import { startPlatform, type TestPlatform } from './platform.js';

const LEDGER = 'restored';
const LOST_PAYMENTS = 40;

let platform: TestPlatform;
let client: GrpcClient;
let payments: Payments;
let backup: Backup | undefined;

beforeEach(async () => {
  platform = await startPlatform();
  client = patientClient(platform.grpcAddress);
  payments = new Payments({ command: client, query: client }, LEDGER);
  await openBooks(client, LEDGER, 3);
});

afterEach(async () => {
  client.close();
  await platform.stop();
  await backup?.drop();
  backup = undefined;
});

const prove = () => proveBooks(platform.grpcAddress, LEDGER);

/** What holds after a restore, however it is noticed. */
async function expectWhole(held: Held, before: Stand, what: string): Promise<void> {
  const took_ms = await payments.expectWhole(held, before, prove);
  process.stdout.write(`${what}: ${String(LOST_PAYMENTS)} lost, all whole after ${String(took_ms)} ms\n`);
}

describe('a database restored to an older end under the platform', () => {
  test('with its views: the platform goes on in a new epoch', async () => {
    const before = await payments.stand();
    backup = await backUp(platform.database);
    await until('the platform serves', async () => (await endingOf(payments.received())) === 'OK');
    const held = await payments.payAndHold(LOST_PAYMENTS);
    await backup.restore();
    await expectWhole(held, before, 'the whole database');
  });

  test('without its views: they shed what is lost, and nothing new is taken for old', async () => {
    const before = await payments.stand();
    const saved = await saveSchemas();
    const held = await payments.payAndHold(LOST_PAYMENTS);
    await saved.restore();
    await expectWhole(held, before, 'log and state tables alone');
  });

  test('and to which nothing is sent: its tokens are known to be lost all the same', async () => {
    const before = await payments.stand();
    const saved = await saveSchemas();
    const held = await payments.payAndHold(LOST_PAYMENTS);
    await saved.restore();
    await until('the tokens are lost', async () => {
      return (await payments.endings(held))['balance'] === ALL_LOST.balance;
    });
    await until('the views are rebuilt', async () => (await payments.received()) === before.balance);
    expect(await payments.endings(held)).toEqual(ALL_LOST);
    await prove();
  });
});

/** Copies the rows of the schemas `log` and `state` as they are now; as a dump of the two does, without the views. */
async function saveSchemas(): Promise<{ restore(): Promise<void> }> {
  const run = async (work: (client: pg.Client) => Promise<void>) => {
    const connection = new pg.Client(platform.database.config);
    await connection.connect();
    try {
      await connection.query('begin isolation level repeatable read');
      await work(connection);
      await connection.query('commit');
    } finally {
      await connection.end();
    }
  };
  let tables: string[] = [];
  await run(async (connection) => {
    const { rows } = await connection.query<{ name: string }>(
      `select schemaname || '.' || tablename as name from pg_tables where schemaname in ('log', 'state')`,
    );
    tables = rows.map(({ name }) => name);
    await connection.query('create schema saved');
    for (const name of tables) {
      await connection.query(`create table saved.${name.replace('.', '_')} as table ${name}`);
    }
  });
  return {
    restore: () =>
      run(async (connection) => {
        await connection.query(`truncate ${tables.join(', ')}`);
        for (const name of tables) {
          await connection.query(`insert into ${name} select * from saved.${name.replace('.', '_')}`);
        }
      }),
  };
}
