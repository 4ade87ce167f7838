/** A database restored to an older end under a whole platform: what is lost is told, and all views agree with the log again. */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { TransactionCommandService } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import { EventQueryService } from '../../../gen/quittance/query/v1/event_query_service_pb.js';
import { ReportQueryService } from '../../../gen/quittance/query/v1/report_query_service_pb.js';
import { TransactionQueryService } from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { endingOf, openBooks, patientClient, paymentOf, proveBooks, until } from '../../../test/load.js';
import { type Backup, backUp } from '../../../test/restored-database.js';
import type { GrpcClient } from '../../../tools/client/grpc-client.js';
import { startPlatform, type TestPlatform } from './platform.js';

const { submitPayment } = TransactionCommandService.method;
const { getBalance } = AccountQueryService.method;
const { listTransactions, watchTransactions } = TransactionQueryService.method;
const { watchEvents } = EventQueryService.method;
const { getTrialBalance } = ReportQueryService.method;
const LEDGER = 'restored';
const LOST_PAYMENTS = 40;
const LOST = 'HISTORY_LOST';

let platform: TestPlatform;
let client: GrpcClient;
let backup: Backup | undefined;

beforeEach(async () => {
  platform = await startPlatform();
  client = patientClient(platform.grpcAddress);
  await openBooks(client, LEDGER, 3);
});

afterEach(async () => {
  client.close();
  await platform.stop();
  await backup?.drop();
  backup = undefined;
});

const asFreshAs = (token: string) => ({ requirement: { case: 'atLeastAsFresh' as const, value: token } });
const FRESH = { requirement: { case: 'fullyConsistent' as const, value: true } };

function pay(requestId: string = randomUUID()) {
  return client.unary(submitPayment, { ...paymentOf(LEDGER, 'a0', 'a1'), requestId });
}

/** The balance of the account that all payments go to. */
async function received(consistency: typeof FRESH | ReturnType<typeof asFreshAs> = FRESH): Promise<bigint> {
  const { balance } = await client.unary(getBalance, { ledgerId: LEDGER, accountId: 'a1', consistency });
  return balance?.posted ?? -1n;
}

/** What callers hold of the history that is lost next. */
interface Held {
  readonly requestIds: readonly string[];
  readonly token: string;
  readonly pageToken: string;
  readonly resumeTokens: { readonly events: string; readonly transactions: string };
}

async function first<T>(stream: AsyncIterable<T>): Promise<T> {
  for await (const message of stream) return message;
  throw new Error('the stream ended without a message');
}

async function payWhatWillBeLost(): Promise<Held> {
  const requestIds = Array.from({ length: LOST_PAYMENTS }, () => randomUUID());
  let token = '';
  for (const requestId of requestIds) ({ consistencyToken: token } = await pay(requestId));
  const consistency = asFreshAs(token);
  await received(consistency);
  await client.unary(getTrialBalance, { ledgerId: LEDGER, consistency });
  const page = await client.unary(listTransactions, { ledgerId: LEDGER, pageSize: 5, consistency });
  const event = await first(client.serverStream(watchEvents, { ledgerId: LEDGER }));
  const transaction = await first(client.serverStream(watchTransactions, { ledgerId: LEDGER }));
  return {
    requestIds,
    token,
    pageToken: page.nextPageToken,
    resumeTokens: { events: event.resumeToken, transactions: transaction.resumeToken },
  };
}

/** How reads end that build on what is lost. */
async function endings({ token, pageToken, resumeTokens }: Held): Promise<Record<string, string>> {
  const consistency = asFreshAs(token);
  const account = { ledgerId: LEDGER, accountId: 'a1', consistency };
  const watching = (resumeToken: string) => ({ ledgerId: LEDGER, resumeToken });
  const events = watchEvents;
  return {
    balance: await endingOf(client.unary(getBalance, account)),
    report: await endingOf(client.unary(getTrialBalance, { ledgerId: LEDGER, consistency })),
    page: await endingOf(client.unary(listTransactions, { ledgerId: LEDGER, pageSize: 5, pageToken })),
    events: await endingOf(
      first(
        client.serverStream(events, {
          ledgerId: LEDGER,
          start: { case: 'resumeToken', value: resumeTokens.events },
        }),
      ),
    ),
    transactions: await endingOf(
      first(client.serverStream(watchTransactions, watching(resumeTokens.transactions))),
    ),
  };
}

const ALL_LOST = { balance: LOST, report: LOST, page: LOST, events: LOST, transactions: LOST };

/** What holds after a restore, whoever notices it first. */
async function expectWhole(held: Held, before: { token: string; balance: bigint }, what: string) {
  const began_ms = performance.now();
  const after = await pay();
  expect(after.replayed).toBe(false);
  expect(await received(asFreshAs(after.consistencyToken))).toBe(before.balance + 1n);
  expect(await endings(held)).toEqual(ALL_LOST);
  // What was before the fork is as it was.
  expect(await received(asFreshAs(before.token))).toBe(before.balance + 1n);
  await proveBooks(platform.grpcAddress, LEDGER);
  const took_ms = Math.round(performance.now() - began_ms);
  process.stdout.write(`${what}: ${String(LOST_PAYMENTS)} lost, all whole after ${String(took_ms)} ms\n`);
  // A caller who sends again what is lost has it booked, once.
  for (const requestId of held.requestIds) await pay(requestId);
  expect(await received()).toBe(before.balance + 1n + BigInt(LOST_PAYMENTS));
  await proveBooks(platform.grpcAddress, LEDGER);
}

async function presentState(): Promise<{ token: string; balance: bigint }> {
  const { consistencyToken: token } = await pay();
  return { token, balance: await received(asFreshAs(token)) };
}

describe('a database restored to an older end under the platform', () => {
  test('with its views: the platform goes on in a new epoch', async () => {
    const before = await presentState();
    await client.unary(getTrialBalance, { ledgerId: LEDGER, consistency: asFreshAs(before.token) });
    backup = await backUp(platform.database);
    await until('the platform serves', async () => (await endingOf(received())) === 'OK');
    const held = await payWhatWillBeLost();
    await backup.restore();
    await expectWhole(held, before, 'the whole database');
  });

  test('without its views: they shed what is lost, and nothing new is taken for old', async () => {
    const before = await presentState();
    const saved = await saveSchemas();
    const held = await payWhatWillBeLost();
    await saved.restore();
    await expectWhole(held, before, 'log and state tables alone');
  });

  test('and to which nothing is sent: its tokens are known to be lost all the same', async () => {
    const before = await presentState();
    const saved = await saveSchemas();
    const held = await payWhatWillBeLost();
    await saved.restore();
    await until('the tokens are lost', async () => (await endings(held)).balance === LOST);
    await until('the views are rebuilt', async () => (await received()) === before.balance);
    expect(await endings(held)).toEqual(ALL_LOST);
    await proveBooks(platform.grpcAddress, LEDGER);
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
