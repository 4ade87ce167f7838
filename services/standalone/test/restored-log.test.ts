/** A database restored to an older end under a whole platform: tokens of what is lost say so, and all views agree with the log again. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { TransactionCommandService } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { ProjectionService } from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import { TransactionQueryService } from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { endingOf, openBooks, patientClient, paymentOf, proveBooks, until } from '../../../test/load.js';
import { type Backup, backUp } from '../../../test/restored-database.js';
import type { GrpcClient } from '../../../tools/client/grpc-client.js';
import { ALL_LOST, type Held, Payments, type Stand } from './lost-history.js';
import { startPlatform, type TestPlatform } from './platform.js';

const { submitPayment } = TransactionCommandService.method;
const { listTransactions } = TransactionQueryService.method;
const { listDeadLetters } = ProjectionService.method;

const LEDGER = 'restored';
/** The ledger of events that are parked. */
const PARKED = 'parked';
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

  test('without its views, one of which has parked events: those that are lost are parked no more', async () => {
    await openBooks(client, PARKED, 2);
    await refuse666();
    const kept = await payIn(PARKED, 666n);
    const before = await payments.stand();
    const saved = await saveSchemas();
    await payIn(PARKED, 666n);
    await payIn(PARKED, 1n);
    await until('three events are parked', async () => (await deadLetters()) === 3n);
    const held = await payments.payAndHold(LOST_PAYMENTS);
    await saved.restore();
    await expectWhole(held, before, 'log and state tables alone, under parked events');
    // The generation that was built since has what was kept: its tables refuse nothing.
    await until('nothing is parked', async () => (await deadLetters()) === 0n);
    const last = await payIn(PARKED, 2n);
    const { transactions } = await client.unary(listTransactions, {
      ledgerId: PARKED,
      descending: true,
      pageSize: 2,
      consistency: { requirement: { case: 'atLeastAsFresh' as const, value: last.consistencyToken } },
    });
    expect(transactions.map(({ position }) => position)).toEqual([last.position, kept.position]);
    await proveBooks(platform.grpcAddress, PARKED);
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

function payIn(ledgerId: string, minorUnits: bigint) {
  const payment = paymentOf(ledgerId, 'a0', 'a1');
  return client.unary(submitPayment, { ...payment, amount: { currency: 'EUR', minorUnits } });
}

async function deadLetters(): Promise<bigint> {
  return (await client.unary(listDeadLetters, { projectionId: 'history' })).totalCount;
}

/** The first generation of the history refuses every line of 666 from now on. */
async function refuse666(): Promise<void> {
  const connection = new pg.Client(platform.database.config);
  await connection.connect();
  try {
    await connection.query(`
      create function history_1.refuse() returns trigger language plpgsql as $$
      begin raise exception 'not this number' using errcode = 'P0666'; end $$;
      create trigger refuse before insert on history_1.lines for each row
        when (abs(new.amount) = 666) execute function history_1.refuse()`);
  } finally {
    await connection.end();
  }
}

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
