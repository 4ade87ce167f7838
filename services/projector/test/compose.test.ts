import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { LogTail, TAIL_LIMITS } from '../../../lib/log/log-tail.js';
import { logBus } from '../../../lib/log/postgres-bus.js';
import { FakeLog } from '../../../test/fake-log.js';
import { type ComposedProjector, composeProjector } from '../compose.js';
import { projectorMetrics } from '../metrics.js';
import { FakeGenerations } from '../../../test/fake-view.js';
import { until } from '../../../test/until.js';

let log: FakeLog;
let tail: LogTail;
let registry: Registry;
let health: Map<string, boolean>;
let projector: ComposedProjector;
const views = () => ({
  balances: new FakeGenerations('balances'),
  history: new FakeGenerations('history'),
  reports: new FakeGenerations('reports'),
});
let generations: ReturnType<typeof views>;

const logger = { info: () => {}, warn: () => {}, error: () => {} };
const build = () => {
  registry = new Registry();
  health = new Map();
  // As in the embedded process: one tail for all three.
  tail = new LogTail(log, log.wakeups);
  const bus = logBus(tail);
  projector = composeProjector({
    log,
    busOf: () => bus,
    logger,
    ...generations,
    reportLost: () => Promise.resolve(),
    onHealth: (service, serving) => health.set(service, serving),
  });
  projectorMetrics(registry, () => projector.figures());
};
const position = (view: FakeGenerations) =>
  view.all.get(view.serving ?? 0)?.checkpoints.get(0)?.position ?? -1n;
const areAll = (at: bigint) => Object.values(generations).every((view) => position(view) === at);

beforeEach(() => {
  log = new FakeLog();
  log.fill(50);
  generations = views();
  build();
});

afterEach(() => projector.stop());

test('all three views are kept, each is healthy, and each has its metrics', async () => {
  await projector.start();
  await until(() => areAll(50n));
  expect(Object.fromEntries(health)).toEqual({
    'quittance.projection.balances': true,
    'quittance.projection.history': true,
    'quittance.projection.reports': true,
  });
  const text = await registry.metrics();
  expect(text).toContain('quittance_projection_position{projection="balances"} 50');
  expect(text).toContain('quittance_projection_lag_events{projection="history"} 0');
  expect(text).toContain('quittance_projection_lag_seconds{projection="reports"} 0');
  expect(text).toContain('quittance_projection_applied_events_total{projection="reports"} 51');
});

test('a poison event takes the health of its projection only, and its lag shows in the metrics', async () => {
  generations.history.faults.unknown = 20n;
  await projector.start();
  await until(() => health.get('quittance.projection.history') === false);
  await until(() => position(generations.reports) === 50n);
  expect(health.get('quittance.projection.reports')).toBe(true);
  const text = await registry.metrics();
  expect(text).toContain('quittance_projection_position{projection="history"} 19');
  expect(text).toContain('quittance_projection_lag_events{projection="history"} 31');
});

test('a view whose store stands still, or is away, holds back no other, and what is held for it is bounded', async () => {
  await projector.start();
  await until(() => areAll(50n));
  let goOn = () => {};
  generations.history.faults.gate = new Promise((resolve) => (goOn = resolve));
  generations.reports.faults.away = new Error('connection refused');
  for (let commit = 0; commit < 60; commit += 1) log.fill(1_000);
  await until(() => position(generations.balances) === 60_050n);
  expect(position(generations.history)).toBe(50n);
  expect(tail.heldEvents).toBeLessThanOrEqual(TAIL_LIMITS.events);
  generations.history.faults.gate = undefined;
  generations.reports.faults.away = undefined;
  goOn();
  await until(() => areAll(60_050n));
  const counts = Object.values(generations).map((view) => view.all.get(1)?.counts);
  for (const count of counts) {
    expect(count?.size).toBe(60_051);
    expect(new Set(count?.values())).toEqual(new Set([1]));
  }
});

test('a scrape does not fail while the log is away', async () => {
  await projector.start();
  await until(() => areAll(50n));
  await registry.metrics();
  log.away = new Error('connection refused');
  expect(await registry.metrics()).toContain('quittance_projection_position{projection="history"} 50');
  log.away = undefined;
});

test('views of a history that the log has lost are rebuilt without anybody asking', async () => {
  await projector.start();
  await until(() => areAll(50n));
  await projector.stop();
  log.restoreTo(30n);
  log.fill(5);
  build();
  await projector.start();
  await until(() => areAll(36n));
  expect([...health.values()]).toEqual([true, true, true]);
  expect(generations.history.serving).toBe(2);
});
