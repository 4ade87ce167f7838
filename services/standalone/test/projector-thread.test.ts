/** The projector in its thread, seen from outside: pauses, crashes, commits of other processes, metrics, and the end. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import { Health, HealthCheckResponse_ServingStatus } from '../../../gen/grpc/health/v1/health_pb.js';
import { TransactionCommandService } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { ProjectionService, ProjectionState } from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import type { GrpcClient } from '../../../tools/client/grpc-client.js';
import { CommandProcess } from '../../../test/command-process.js';
import { depositTo, endingOf, openBooks, patientClient, proveBooks, until } from '../../../test/load.js';
import { spawnProjector } from '../../../test/projector-thread.js';
import { startPlatform, type TestPlatform } from './platform.js';

const LEDGER = 'threaded';
const VIEWS = ['balances', 'history', 'reports'];
const { deposit } = TransactionCommandService.method;
const { getProjection, listProjections, pauseProjection, resumeProjection } = ProjectionService.method;

let platform: TestPlatform;
let calls: GrpcClient;
/** The threads so far, the last one running. */
const threads: Worker[] = [];

beforeAll(async () => {
  platform = await startPlatform({
    spawnProjector: () => {
      const thread = spawnProjector();
      threads.push(thread);
      return thread;
    },
  });
  calls = patientClient(platform.grpcAddress);
  await openBooks(calls, LEDGER, 3);
});

afterAll(async () => {
  calls.close();
  await platform.stop();
});

beforeEach(() => until('all views are up to date', async () => (await lags()).every((lag) => lag === 0n)));

async function lags(): Promise<bigint[]> {
  const { projections } = await calls.unary(listProjections, {});
  return projections.map(({ lagEvents }) => lagEvents);
}

async function stateOf(projectionId: string): Promise<{ state: ProjectionState; lagEvents: bigint }> {
  const { projection } = await calls.unary(getProjection, { projectionId });
  if (projection === undefined) throw new Error('no projection was answered');
  return projection;
}

async function servingOf(service: string): Promise<boolean> {
  const { status } = await calls.unary(Health.method.check, { service });
  return status === HealthCheckResponse_ServingStatus.SERVING;
}

async function depositMany(count: number): Promise<void> {
  const deposits = Array.from({ length: count }, () =>
    calls.unary(deposit, depositTo(LEDGER, 'a0', randomUUID())),
  );
  await Promise.all(deposits);
}

async function crash(): Promise<void> {
  const thread = threads.at(-1);
  if (thread === undefined) throw new Error('there is no thread');
  await thread.terminate();
}

async function metric(name: string, projection: string): Promise<number> {
  const text = await (await fetch(`${platform.connectUrl}/metrics`)).text();
  return Number(new RegExp(`^${name}\\{projection="${projection}"\\} (\\S+)$`, 'm').exec(text)?.[1]);
}

test('a view that is paused holds back no other one, and goes on where it stood', async () => {
  await calls.unary(pauseProjection, { projectionId: 'history' });
  await depositMany(50);
  await until('the others have all', async () => {
    const [balances, reports] = [await stateOf('balances'), await stateOf('reports')];
    return balances.lagEvents === 0n && reports.lagEvents === 0n;
  });
  expect(await stateOf('history')).toMatchObject({ state: ProjectionState.PAUSED, lagEvents: 50n });
  await calls.unary(resumeProjection, { projectionId: 'history' });
  await until('the history has all', async () => (await stateOf('history')).lagEvents === 0n);
  await proveBooks(platform.grpcAddress, LEDGER);
});

test('errors of operations come through with their reasons', async () => {
  await calls.unary(pauseProjection, { projectionId: 'reports' });
  expect(await endingOf(calls.unary(pauseProjection, { projectionId: 'reports' }))).toBe('PROJECTION_STATE');
  await calls.unary(resumeProjection, { projectionId: 'reports' });
  expect(await endingOf(calls.unary(resumeProjection, { projectionId: 'reports' }))).toBe('PROJECTION_STATE');
  expect(await endingOf(calls.unary(getProjection, { projectionId: 'none' }))).toBe('PROJECTION_NOT_FOUND');
});

test('a thread that ends is made again: health says so meanwhile, and nothing is lost', async () => {
  await calls.unary(pauseProjection, { projectionId: 'reports' });
  const before = threads.length;
  await crash();
  await depositMany(20);
  await until('there is another thread', () => threads.length === before + 1);
  await until('the views that are not paused go on', async () => {
    const served = await Promise.all(VIEWS.map((view) => servingOf(`quittance.projection.${view}`)));
    return served.every((isServing) => isServing);
  });
  // What an operator has paused stays paused.
  await until('balances and history have all', async () => {
    const [balances, history] = [await stateOf('balances'), await stateOf('history')];
    return balances.lagEvents === 0n && history.lagEvents === 0n;
  });
  expect(await stateOf('reports')).toMatchObject({ state: ProjectionState.PAUSED, lagEvents: 20n });
  await calls.unary(resumeProjection, { projectionId: 'reports' });
  await until('the reports have all', async () => (await stateOf('reports')).lagEvents === 0n);
  await proveBooks(platform.grpcAddress, LEDGER);
});

test('without a thread operations are unavailable and the projections not healthy; reads go on', async () => {
  const ended = threads.length;
  await crash();
  let ending = '';
  let wasServing = true;
  await until('the process has noticed', async () => {
    if (threads.length > ended) await crash();
    ending = await endingOf(calls.unary(listProjections, {}));
    wasServing = await servingOf('quittance.projection.history');
    return ending === 'DEPENDENCY_UNAVAILABLE' && !wasServing;
  });
  const { balance } = await calls.unary(AccountQueryService.method.getBalance, {
    ledgerId: LEDGER,
    accountId: 'a1',
  });
  expect(balance?.posted).toBe(1_000_000n);
  await until('there is a thread again', async () => servingOf('quittance.projection.history'));
});

test('the views have what another process commits', async () => {
  const other = await CommandProcess.start(platform.database);
  try {
    await other.send({ case: 'deposit', value: depositTo(LEDGER, 'a2', randomUUID(), 5n) });
    await until('the views have it', async () => (await lags()).every((lag) => lag === 0n));
    await other.send({ case: 'deposit', value: depositTo(LEDGER, 'a2', randomUUID(), 6n) });
    // The gap between is filled from the log, when this process commits again.
    const { consistencyToken } = await calls.unary(deposit, depositTo(LEDGER, 'a2', randomUUID(), 7n));
    const { balance } = await calls.unary(AccountQueryService.method.getBalance, {
      ledgerId: LEDGER,
      accountId: 'a2',
      consistency: { requirement: { case: 'atLeastAsFresh', value: consistencyToken } },
    });
    expect(balance?.posted).toBe(1_000_018n);
  } finally {
    await other.stop();
  }
});

test('the metrics of the process show the projections', async () => {
  await depositMany(5);
  await until('all views are up to date', async () => (await lags()).every((lag) => lag === 0n));
  for (const view of VIEWS) {
    expect(await metric('quittance_projection_lag_events', view)).toBe(0);
    expect(await metric('quittance_projection_lag_seconds', view)).toBe(0);
    const position = await metric('quittance_projection_position', view);
    expect(position).toBeGreaterThan(80);
    const applied = await metric('quittance_projection_applied_events_total', view);
    expect(applied).toBeGreaterThanOrEqual(5);
    expect(applied).toBeLessThanOrEqual(position + 1);
  }
});

test('the thread ends with the process, and leaves no connection behind', async () => {
  const own: Worker[] = [];
  const short = await startPlatform({
    spawnProjector: () => {
      const thread = spawnProjector();
      own.push(thread);
      return thread;
    },
  });
  const [thread] = own;
  if (thread === undefined) throw new Error('there is no thread');
  const ended = once(thread, 'exit');
  await short.standalone.drain();
  await short.standalone.close();
  await ended;
  expect(own).toHaveLength(1);
  const client = new pg.Client(short.database.config);
  await client.connect();
  const connections = async () => {
    const { rows } = await client.query<{ name: string }>(
      `select application_name as name from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`,
    );
    return rows.map(({ name }) => name);
  };
  // A connection that was closed is listed until its server process has ended.
  await until('no connection is left', async () => (await connections()).length === 0);
  await client.end();
  await short.database.drop();
});
