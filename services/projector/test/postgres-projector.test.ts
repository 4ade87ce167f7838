import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import {
  type Projection,
  ProjectionSchema,
  ProjectionService,
  ProjectionState,
  RebuildPhase,
} from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import { LogTail } from '../../../lib/log/log-tail.js';
import { logBus } from '../../../lib/log/postgres-bus.js';
import { createPool, type Pool } from '../../../lib/log/postgres-client.js';
import { postgresLogReader } from '../../../lib/log/postgres-log-reader.js';
import { migrateLog } from '../../../lib/log/postgres-migrate.js';
import { Wakeups } from '../../../lib/log/wakeups.js';
import type { RecordedEvent } from '../../../lib/log/recorded-event.js';
import { CallError } from '../../../lib/rpc/errors.js';
import type { BalancesView } from '../../../lib/views/balances/view.js';
import { postgresBalances } from '../../../lib/views/balances/postgres/balances.js';
import type { ViewGenerations } from '../../../lib/views/view.js';
import { LedgerFixture, testId } from '../../../test/ledger-fixture.js';
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.js';
import { storeEvents } from '../../../test/stored-log.js';
import { soloControl } from '../control/solo-control.js';
import { operationsOf } from '../operations.js';
import { Projector } from '../projector.js';
import { projectionService } from '../rpc/projection-service.js';
import { until } from '../../../test/until.js';

let database: TestDatabase;
let pool: Pool;
/** For what the test itself writes. */
let writers: Pool;
let generations: ViewGenerations<BalancesView>;
let projector: Projector;
const fixture = new LedgerFixture();
const wakeups = new Wakeups();
let stored = 0;

/** Stores what the fixture has made since the last time. */
async function store(): Promise<void> {
  const fresh: RecordedEvent[] = fixture.events.slice(stored);
  stored = fixture.events.length;
  await storeEvents(writers, fresh);
  wakeups.wake();
}

let requests = 10n;
/** Moves money about, `count` times. */
function deposit(count: number): void {
  for (let index = 0; index < count; index++) {
    const value = { ledgerId: 'main', requestId: testId(requests++), accountId: `a${String(index % 7)}` };
    fixture.run({
      case: 'deposit',
      value: { ...value, amount: { currency: 'EUR', minorUnits: 100n } },
    });
  }
}

async function call(name: string, request: Record<string, unknown>): Promise<Projection> {
  const method = projectionService(operationsOf(projector)).methods.find(
    ({ desc }) => desc.localName === name,
  );
  const schema = ProjectionService.methods.find(({ localName }) => localName === name)?.input;
  if (method?.kind !== 'unary' || schema === undefined) throw new Error(`no method ${name}`);
  const answer = await method.run(create(schema, request), {
    deadline_ms: undefined,
    signal: new AbortController().signal,
    aborted: undefined,
    onAbort: () => () => undefined,
    fits: () => true,
    actor: 'anonymous',
    traceId: '',
    method: name,
  });
  if (!('projection' in answer)) throw new Error('an answer has a projection');
  return create(ProjectionSchema, answer.projection as MessageInitShape<typeof ProjectionSchema>);
}

const get = () => call('getProjection', { projectionId: 'balances' });
async function reached(position: bigint): Promise<Projection> {
  for (;;) {
    // While connections break, so may this one.
    const projection = await get().catch(() => undefined);
    if (projection?.position === position) return projection;
  }
}

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool(database.config, { max: 6, name: 'projector' });
  writers = createPool(database.config, { max: 2, name: 'test' });
  await migrateLog(pool, 0n);
  const log = postgresLogReader(pool, wakeups);
  generations = postgresBalances(pool);
  const bus = logBus(new LogTail(log, wakeups));
  const logger = { info: () => {}, warn: () => {}, error: () => {} };
  const reportLost = () => Promise.resolve();
  const parts = {
    log,
    logger,
    reportLost,
    clock: () => 1n,
    offsetAt: (at: bigint) => at,
    keepReplaced_ms: 60_000,
  };
  projector = new Projector({ ...parts, control: soloControl() }, [
    { id: 'balances', generations, bus, backoff_ms: () => 20 },
  ]);
  fixture.run({ case: 'createLedger', value: { ledgerId: 'main', requestId: testId(1) } });
  for (let index = 0; index < 7; index++) {
    const value = { ledgerId: 'main', requestId: testId(100_000 + index), accountId: `a${String(index)}` };
    fixture.run({ case: 'openAccount', value: { ...value, currency: 'EUR' } });
  }
  deposit(200);
  await store();
  await projector.start();
});

afterAll(async () => {
  await projector.stop();
  await pool.end();
  await writers.end();
  await database.drop();
});

const end = () => fixture.events.at(-1)?.position ?? -1n;

test('a projection follows the log and says exactly where it is', async () => {
  const projection = await reached(end());
  expect(projection).toMatchObject({
    projectionId: 'balances',
    state: ProjectionState.RUNNING,
    store: 'postgres',
    generation: 1,
    headPosition: end(),
    lagEvents: 0n,
    failure: '',
  });
});

test('paused it stands still and says how far it is behind; resumed it catches up', async () => {
  await call('pauseProjection', { projectionId: 'balances' });
  const before = end();
  deposit(30);
  await store();
  const projection = await get();
  expect(projection).toMatchObject({ state: ProjectionState.PAUSED, position: before, lagEvents: 30n });
  expect(projection.lagTime?.seconds).toBeGreaterThanOrEqual(0n);
  await call('resumeProjection', { projectionId: 'balances' });
  await reached(end());
});

test('a rebuild under load ends with an equal generation, which then serves and follows', async () => {
  const before = projector.entry('balances');
  await call('rebuildProjection', { projectionId: 'balances', acceptDifferences: false });
  for (let round = 0; round < 10; round++) {
    deposit(20);
    await store();
  }
  await until(() => before.agreed.rebuild?.endTime !== undefined);
  deposit(5);
  await store();
  const { rebuild, generation } = await reached(end());
  expect(rebuild).toMatchObject({ phase: RebuildPhase.DONE, generation: 2, differentRows: 0n, failure: '' });
  // Seven accounts and @settlement:EUR, in the old generation and the new alike.
  expect(rebuild?.comparedRows).toBe(8n);
  expect([generation, (await generations.current()).generation]).toEqual([2, 2]);
});

test('connections that break under load lose nothing and count nothing twice', async () => {
  for (let round = 0; round < 15; round++) {
    deposit(10);
    await store();
    await writers.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'projector' and datname = current_database()`,
    );
  }
  await until(() => projector.entry('balances').projection.state === 'running');
  await reached(end());
  await call('rebuildProjection', { projectionId: 'balances' });
  const entry = projector.entry('balances');
  await until(() => entry.agreed.rebuild?.endTime !== undefined);
  expect(entry.agreed.rebuild).toMatchObject({
    phase: 'done',
    generation: 3,
    differentRows: 0,
    comparedRows: 8,
  });
});

test('a rebuild finds what somebody changed in the view, and puts it right when told to', async () => {
  await projector.stop();
  const log = postgresLogReader(pool, wakeups);
  const bus = logBus(new LogTail(log, wakeups));
  const logger = { info: () => {}, warn: () => {}, error: () => {} };
  const reportLost = () => Promise.resolve();
  const parts = {
    log,
    logger,
    reportLost,
    clock: () => 1n,
    offsetAt: (at: bigint) => at,
    keepReplaced_ms: 60_000,
  };
  projector = new Projector({ ...parts, control: soloControl() }, [
    { id: 'balances', generations, bus, backoff_ms: () => 20 },
  ]);
  await projector.start();
  await reached(end());
  expect(await generations.list()).toEqual([3]);
  const serving = await generations.current();
  const [row] = await serving.rows({ ledgerId: null, afterKey: null, limit: 1 });
  await pool.query(`update balances_3.accounts set credits = credits + 1 where account_id = 'a3'`);
  await call('rebuildProjection', { projectionId: 'balances' });
  const entry = projector.entry('balances');
  await until(() => entry.agreed.rebuild?.endTime !== undefined);
  expect(entry.agreed.rebuild).toMatchObject({ phase: 'failed', differentRows: 1, comparedRows: 8 });
  expect((await generations.current()).generation).toBe(3);
  await call('rebuildProjection', { projectionId: 'balances', acceptDifferences: true });
  await until(() => entry.agreed.rebuild?.phase === 'done');
  const [again] = await (await generations.current()).rows({ ledgerId: null, afterKey: null, limit: 1 });
  expect(again).toEqual(row);
});

test('a rebuild applies dead letters whose cause is gone, and does not compare their ledger', async () => {
  const { generation } = await generations.current();
  const schema = `balances_${String(generation)}`;
  await pool.query(`
    create function ${schema}.refuse() returns trigger language plpgsql as $$
    begin raise exception 'not this account' using errcode = 'P0666'; end $$;
    create trigger refuse before update on ${schema}.accounts for each row
      when (new.account_id = 'a3') execute function ${schema}.refuse()`);
  deposit(14);
  await store();
  const parked = await reached(end());
  expect(parked).toMatchObject({ state: ProjectionState.RUNNING, generation });
  expect(parked.deadLetters).toBeGreaterThan(7n);
  await call('rebuildProjection', { projectionId: 'balances' });
  const entry = projector.entry('balances');
  await until(() => entry.agreed.rebuild?.endTime !== undefined);
  expect(entry.agreed.rebuild).toMatchObject({ phase: 'done', differentRows: 0, comparedRows: 0 });
  deposit(3);
  await store();
  expect(await reached(end())).toMatchObject({ generation: generation + 1, deadLetters: 0n });
  const view = await generations.current();
  const rows = await view.rows({ ledgerId: 'main', afterKey: null, limit: 100 });
  const untouched = await generations.create();
  await untouched.apply(fixture.batch());
  expect(rows).toEqual(await untouched.rows({ ledgerId: 'main', afterKey: null, limit: 100 }));
  await generations.drop(untouched.generation);
});

test('what does not fit the state is refused, and an unknown projection is not found', async () => {
  const reasonOf = async (name: string, projectionId: string) => {
    const error: unknown = await call(name, { projectionId }).catch((reason: unknown) => reason);
    return error instanceof CallError ? error.reason : error;
  };
  expect(await reasonOf('resumeProjection', 'balances')).toBe(ErrorReason.PROJECTION_STATE);
  expect(await reasonOf('getProjection', 'nonsense')).toBe(ErrorReason.PROJECTION_NOT_FOUND);
  await call('pauseProjection', { projectionId: 'balances' });
  expect(await reasonOf('pauseProjection', 'balances')).toBe(ErrorReason.PROJECTION_STATE);
});
