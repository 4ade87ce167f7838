import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { LogTail } from '../../../lib/log/log-tail.js';
import { logBus } from '../../../lib/log/postgres-bus.js';
import { FakeLog } from '../../../test/fake-log.js';
import { type ComposedProjector, composeProjector } from '../compose.js';
import { projectorMetrics } from '../metrics.js';
import { FakeGenerations } from '../../../test/fake-view.js';
import { until } from '../../../test/until.js';

let log: FakeLog;
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
  projector = composeProjector({
    log,
    busOf: () => logBus(new LogTail(log, log.wakeups)),
    logger,
    ...generations,
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
