/**
 * What each loss does, with `npm run stack -- --restart`: each process of a service and each server is killed, and each server
 * whose data is made of the log loses it. docs/operations.md has a line for each.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { TransactionCommandService } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { LedgerCommandService } from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import { ReportQueryService } from '../../../gen/quittance/query/v1/report_query_service_pb.js';
import { TransactionQueryService } from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { audit, LEDGER_ID, Load, makeBooks } from '../../../services/command/test/audited-load.js';
import { endingOf, patientClient, paymentOf, proveBooks, until } from '../../../test/load.js';
import type { GrpcClient } from '../../client/grpc-client.js';
import { askStack, type Control, openControl } from '../control.js';
import type { RunningService } from '../services.js';
import { Supervisor } from '../supervisor.js';
import { type OwnStack, startOwnStack } from './own-stack.js';

const CALLERS = 4;

let platform: OwnStack;
let supervisor: Supervisor;
let control: Control;
let commands: readonly GrpcClient[];
let query: GrpcClient;

beforeAll(async () => {
  platform = await startOwnStack({ commands: 2, projectors: 1, queries: 1 });
  const { stack } = platform;
  supervisor = new Supervisor({
    parts: stack.parts,
    restart: (part) => stack.restart(part),
    lose: (part) => stack.lose(part),
    isRestarting: true,
    log: () => undefined,
  });
  control = await openControl(platform.directory, supervisor);
  commands = stack.commands.map(({ addresses }) => patientClient(addresses.grpc));
  query = patientClient(platform.stack.queries[0]?.addresses.grpc ?? '');
  await makeBooks(stack.command.addresses.grpc);
});

afterAll(async () => {
  for (const client of [...commands, query]) client.close();
  await control.close();
  await supervisor.close();
  await platform.stop();
});

/** As `npm run stack -- --ACTION NAME` asks. */
const ask = (action: 'kill' | 'stop' | 'start' | 'freeze' | 'thaw' | 'lose', name: string) =>
  askStack(platform.directory, { action, name });

const reportOf = (name: string) => {
  const found = supervisor.list().find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
};

/** Kills a process and waits until another one stands in its place. */
async function killed(name: string): Promise<void> {
  const { restarts } = reportOf(name);
  await ask('kill', name);
  await until(
    `${name} is back`,
    () => reportOf(name).restarts > restarts && reportOf(name).state === 'running',
  );
}

/** Pays at each command process, and reads each view by the token of the last payment. */
async function everythingWorks(): Promise<void> {
  let token = '';
  for (const client of commands) {
    const request = paymentOf(LEDGER_ID, 'alice', 'bob');
    const pays = async () => {
      const answering = client.unary(TransactionCommandService.method.submitPayment, request);
      return (await endingOf(answering.then(({ consistencyToken }) => (token = consistencyToken)))) === 'OK';
    };
    await until('a payment is taken', pays);
  }
  const fresh = {
    ledgerId: LEDGER_ID,
    consistency: { requirement: { case: 'atLeastAsFresh' as const, value: token } },
  };
  const reads = [
    () => query.unary(AccountQueryService.method.getBalance, { ...fresh, accountId: 'alice' }),
    () => query.unary(TransactionQueryService.method.listTransactions, { ...fresh, pageSize: 1 }),
    () => query.unary(ReportQueryService.method.getTrialBalance, fresh),
  ];
  for (const read of reads) {
    await until('a view is read', async () => (await endingOf(read())) === 'OK');
  }
  await proveBooks(platform.stack.projectors[0]?.addresses.grpc ?? '', LEDGER_ID);
}

const isHolder = async ({ addresses }: RunningService) =>
  (await (await fetch(`${addresses.connect}/metrics`)).text()).includes('quittance_lease_held 1');

test('the command process with the lease is killed under load: one decides again, and no payment is lost or doubled', async () => {
  const [first, second] = platform.stack.commands;
  if (first === undefined || second === undefined) throw new Error('there are two');
  const both = [first, second];
  const addresses = both.map((one) => one.addresses.grpc);
  const load = new Load({ addresses, callers: CALLERS, deadline_ms: 10_000 });
  await load.more(50);
  await killed((await isHolder(first)) ? first.name : second.name);
  await load.more(50);
  await load.stop();
  // The other, or the new process in the place of the killed one, if that is there before the lease has expired.
  const holders = async () => (await Promise.all(both.map(isHolder))).filter(Boolean).length;
  await until('one of them decides', async () => (await holders()) === 1);
  const nothing = { lost: [], doubled: [], answeredWrongly: [], unknown: [] };
  expect(await audit(load, platform.database)).toEqual(nothing);
});

// distributed.stack.test.ts shows what each of these losses does while it lasts; here all of them come at once.
test('all other processes are killed: each of them comes back, and the books are proved', async () => {
  const names = ['projector', 'query', 'postgres', 'kafka', 'redis', 'mongodb', 'clickhouse'];
  await Promise.all(names.map(killed));
  await everythingWorks();
});

test('Kafka and the stores of the views lose their data: the topic is created again, the views are made anew', async () => {
  await Promise.all(['kafka', 'redis', 'mongodb', 'clickhouse'].map((name) => ask('lose', name)));
  await everythingWorks();
});

test('what cannot be lost says why, and nothing happens to it', async () => {
  const { pid } = reportOf('postgres');
  await expect(ask('lose', 'postgres')).rejects.toThrow('there is no other copy');
  await expect(ask('lose', 'query')).rejects.toThrow('query keeps no data');
  expect(reportOf('postgres')).toMatchObject({ pid, state: 'running' });
});

test('a process is stopped and started, frozen and thawed on request', async () => {
  const { createLedger } = LedgerCommandService.method;
  const read = (limit_ms: number) =>
    endingOf(
      query.unary(AccountQueryService.method.getBalance, { ledgerId: LEDGER_ID, accountId: 'bob' }, limit_ms),
    );
  await ask('stop', 'query');
  expect(reportOf('query').state).toBe('stopped');
  await ask('start', 'query');
  await until('it answers', async () => (await read(5_000)) === 'OK');
  await ask('freeze', 'query');
  expect(await read(500)).toBe('code 4');
  await ask('thaw', 'query');
  await until('it answers again', async () => (await read(5_000)) === 'OK');
  // Nothing else has been touched.
  await commands[0]?.unary(createLedger, { ledgerId: 'another', requestId: randomUUID() });
});
