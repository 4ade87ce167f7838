/** An event that a view's store refuses: parked, seen by every reader, and applied once the cause is gone. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ConnectError } from '@connectrpc/connect';
import pg from 'pg';
import { type ErrorInfo, ErrorInfoSchema } from '../../../gen/google/rpc/error_details_pb.js';
import { Health, HealthCheckResponse_ServingStatus } from '../../../gen/grpc/health/v1/health_pb.js';
import { TransactionCommandService } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { LedgerService, VerifySubject } from '../../../gen/quittance/ops/v1/ledger_service_pb.js';
import { ProjectionService, ProjectionState } from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import { TransactionQueryService } from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { endingOf, openBooks, patientClient, paymentOf, proveBooks, until } from '../../../test/load.js';
import type { GrpcClient } from '../../../tools/client/grpc-client.js';
import { startPlatform, type TestPlatform } from './platform.js';

const { submitPayment } = TransactionCommandService.method;
const { getTransaction, listTransactions } = TransactionQueryService.method;
const { getBalance } = AccountQueryService.method;
const { getProjection } = ProjectionService.method;
const FRESH = { consistency: { requirement: { case: 'fullyConsistent' as const, value: true } } };
const LEDGER = 'letters';
const OTHER = 'others';

let platform: TestPlatform;
let client: GrpcClient;
let database: pg.Client;

beforeAll(async () => {
  platform = await startPlatform();
  client = patientClient(platform.grpcAddress);
  await openBooks(client, LEDGER, 5);
  await openBooks(client, OTHER, 2);
  database = new pg.Client(platform.database.config);
  await database.connect();
  for (const ledgerId of [LEDGER, OTHER]) await client.unary(listTransactions, { ledgerId, ...FRESH });
});

afterAll(async () => {
  await database.end();
  client.close();
  await platform.stop();
});

/** The history refuses every line of 666 from now on. */
async function refuse666(): Promise<void> {
  await database.query(`
    create function history_1.refuse() returns trigger language plpgsql as $$
    begin raise exception 'not this number' using errcode = 'P0666'; end $$;
    create trigger refuse before insert on history_1.lines for each row
      when (abs(new.amount) = 666) execute function history_1.refuse()`);
}

async function allow666(): Promise<void> {
  await database.query('drop trigger refuse on history_1.lines');
}

const pay = (ledgerId: string, payer: string, payee: string, minorUnits = 1n) =>
  client.unary(submitPayment, {
    ...paymentOf(ledgerId, payer, payee),
    amount: { currency: 'EUR', minorUnits },
  });

/** The ErrorInfo of a call that fails. */
async function infoOf(call: Promise<unknown>): Promise<ErrorInfo | undefined> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof ConnectError ? error.findDetails(ErrorInfoSchema)[0] : undefined;
}

const dead = () => platform.grpc(ProjectionService).listDeadLetters({ projectionId: 'history' });

test('an event that cannot be applied is parked with what comes after it in its streams, and the rest flows', async () => {
  await refuse666();
  const poison = await pay(LEDGER, 'a0', 'a1', 666n);
  const free = await pay(LEDGER, 'a2', 'a3');
  const behind = await pay(LEDGER, 'a1', 'a4');
  const elsewhere = await pay(OTHER, 'a0', 'a1');
  await until('two events are parked', async () => (await dead()).totalCount === 2n);
  const { deadLetters } = await dead();
  expect(deadLetters).toMatchObject([
    { position: poison.position, ledgerId: LEDGER, eventType: 'transactionPosted', behindPosition: 0n },
    { position: behind.position, ledgerId: LEDGER, behindPosition: poison.position, tries: 0 },
  ]);
  expect(deadLetters[0]?.failure).toContain('P0666');
  expect(deadLetters[0]?.failure).not.toContain('not this number');
  expect(deadLetters[0]?.tries).toBeGreaterThan(1);

  // Of the ledger the history is whole up to the event before, and says so.
  const transactionId = free.transaction?.transactionId ?? '';
  await until('the payment between the others is in the history', async () => {
    const read = client.unary(getTransaction, { ledgerId: LEDGER, transactionId });
    return (await endingOf(read)) === 'OK';
  });
  const read = await client.unary(getTransaction, { ledgerId: LEDGER, transactionId });
  expect(read.asOf?.position).toBe(poison.position - 1n);
  const list = await client.unary(listTransactions, { ledgerId: LEDGER, descending: true });
  expect(list.asOf?.position).toBe(poison.position - 1n);
  expect(list.transactions.every(({ position }) => position < poison.position)).toBe(true);
  const required = { requirement: { case: 'atLeastAsFresh' as const, value: free.consistencyToken } };
  const query = platform.grpc(TransactionQueryService);
  const late = query.getTransaction({ ledgerId: LEDGER, transactionId, consistency: required });
  expect(await infoOf(late)).toMatchObject({
    reason: 'READ_MODEL_BEHIND',
    metadata: { cause: 'DEAD_LETTER', position: String(poison.position - 1n) },
  });

  // Other views and other ledgers go on.
  const { balance } = await client.unary(getBalance, { ledgerId: LEDGER, accountId: 'a0', ...FRESH });
  expect(balance?.posted).toBe(1_000_000n - 666n);
  const others = await client.unary(listTransactions, { ledgerId: OTHER, descending: true, ...FRESH });
  expect(others.transactions[0]?.position).toBe(elsewhere.position);
});

test('operators see it: in the list of projections, in health, and in VerifyLedger', async () => {
  const { projection } = await client.unary(getProjection, { projectionId: 'history' });
  expect(projection).toMatchObject({ state: ProjectionState.RUNNING, deadLetters: 2n });
  const found: unknown[] = [];
  for await (const { event } of client.serverStream(LedgerService.method.verifyLedger, {
    ledgerId: LEDGER,
  })) {
    if (event.case === 'finding') found.push(event.value);
    if (event.case === 'verdict') expect(event.value.ok).toBe(false);
  }
  expect(found).toMatchObject([{ subject: VerifySubject.HISTORY, entity: 'dead letters' }]);
  await proveBooks(platform.grpcAddress, OTHER);
  await until('the metrics count them', async () => {
    const metrics = await (await fetch(`${platform.connectUrl}/metrics`)).text();
    return metrics.includes('quittance_projection_dead_letters{projection="history"} 2');
  });
  const health = platform.grpc(Health);
  const { status } = await health.check({ service: 'quittance.projection.history' });
  expect(status).toBe(HealthCheckResponse_ServingStatus.NOT_SERVING);
});

test('the list is filtered, and comes in pages that belong to their query', async () => {
  const list = platform.connect(ProjectionService);
  const first = await list.listDeadLetters({ projectionId: 'history', pageSize: 1 });
  const [poison] = first.deadLetters;
  const pageToken = first.nextPageToken;
  const second = await list.listDeadLetters({ projectionId: 'history', pageSize: 1, pageToken });
  expect([first.totalCount, second.deadLetters.length, second.nextPageToken]).toEqual([2n, 1, '']);
  expect(second.deadLetters[0]?.behindPosition).toBe(poison?.position);
  const refused = await list.listDeadLetters({ projectionId: 'history', refusedOnly: true });
  expect(refused.deadLetters).toEqual([poison]);
  const ofOther = await list.listDeadLetters({ projectionId: 'history', ledgerId: OTHER });
  expect(ofOther.totalCount).toBe(0n);
  const foreign = list.listDeadLetters({ projectionId: 'history', ledgerId: LEDGER, pageSize: 1, pageToken });
  expect(await infoOf(foreign)).toMatchObject({ reason: 'INVALID_PAGE_TOKEN' });
  expect(await infoOf(list.listDeadLetters({ projectionId: 'nothing' }))).toMatchObject({
    reason: 'PROJECTION_NOT_FOUND',
  });
  const tooLong = list.listDeadLetters({ projectionId: 'history', pageSize: 1_001 });
  expect(await infoOf(tooLong)).toMatchObject({ reason: 'INVALID_FIELD' });
});

test('a retry says how many it means, keeps the order, and leaves what fails again', async () => {
  const { deadLetters } = await dead();
  const [poison, behind] = deadLetters;
  if (poison === undefined || behind === undefined) throw new Error('two are parked');
  const projections = platform.grpc(ProjectionService);
  const retry = (request: Parameters<typeof projections.retryDeadLetter>[0]) =>
    projections.retryDeadLetter({ projectionId: 'history', ...request });
  const all = { case: 'all' as const, value: true };
  expect(await infoOf(retry({ target: { case: 'position', value: behind.position } }))).toMatchObject({
    reason: 'DEAD_LETTER_WAITS',
    metadata: { behind_position: String(poison.position) },
  });
  expect(await infoOf(retry({ target: all }))).toMatchObject({
    reason: 'DEAD_LETTER_COUNT',
    metadata: { count: '2' },
  });
  expect(await infoOf(retry({ target: { case: 'position', value: 1n } }))).toMatchObject({
    reason: 'DEAD_LETTER_NOT_FOUND',
  });
  expect(await retry({ target: all, validateOnly: true })).toMatchObject({
    matchedCount: 2n,
    appliedCount: 0n,
  });
  const inVain = await retry({ target: all, expectedCount: 2n });
  expect(inVain).toMatchObject({
    matchedCount: 2n,
    appliedCount: 0n,
    firstFailed: { position: poison.position, tries: poison.tries + 1 },
  });

  await allow666();
  const { streamId } = behind;
  const target = { case: 'stream' as const, value: { ledgerId: LEDGER, streamId } };
  // Both are tied by an account.
  expect(await retry({ target, expectedCount: 2n })).toMatchObject({
    matchedCount: 2n,
    appliedCount: 2n,
    projection: { deadLetters: 0n },
  });
  expect((await dead()).totalCount).toBe(0n);
  const health = platform.grpc(Health);
  await until('the projection is healthy again', async () => {
    const { status } = await health.check({ service: 'quittance.projection.history' });
    return status === HealthCheckResponse_ServingStatus.SERVING;
  });
  const after = await pay(LEDGER, 'a1', 'a0');
  const list = await client.unary(listTransactions, { ledgerId: LEDGER, descending: true, ...FRESH });
  expect(list.transactions.slice(0, 4).map(({ position }) => position)).toEqual([
    after.position,
    behind.position,
    behind.position - 1n,
    poison.position,
  ]);
  await proveBooks(platform.grpcAddress, LEDGER);
});
