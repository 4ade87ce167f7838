import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { FakeLog } from '../../../test/fake-log.js';
import { soloControl } from '../control/solo-control.js';
import { Projector } from '../projector.js';
import { FakeGenerations } from '../../../test/fake-view.js';
import { partitionedBus } from './partitioned-bus.js';
import { until } from '../../../test/until.js';

let log: FakeLog;
let generations: FakeGenerations;
let projector: Projector;

const logger = { info: () => {}, warn: () => {}, error: () => {} };
const serving = () => generations.all.get(generations.serving ?? 0);
/** Whether every event of a ledger, and no other, was applied exactly once. */
const isExact = () =>
  log.events.slice(1).every(({ position }) => serving()?.counts.get(position) === 1) &&
  serving()?.counts.size === log.events.length;
const add = (count: number) => {
  for (let index = 0; index < count; index++) log.fill(1, index % 3 === 0 ? 'other' : 'main');
};

beforeEach(async () => {
  log = new FakeLog();
  add(500);
  generations = new FakeGenerations('history');
  const bus = partitionedBus(log);
  const reportLost = () => Promise.resolve();
  const parts = { log, logger, reportLost, clock: () => 0n, offsetAt: () => -1n, keepReplaced_ms: 60_000 };
  projector = new Projector({ ...parts, control: soloControl() }, [
    { id: 'history', generations, bus, backoff_ms: () => 5 },
  ]);
  await projector.start();
});

afterEach(() => projector.stop());

test('the lag is that of the partition that is farthest behind', async () => {
  await until(isExact);
  const { projection } = projector.entry('history');
  const positions = [0, 1].map((partition) => serving()?.checkpoints.get(partition)?.position ?? -1n);
  const least = positions.reduce((one, other) => (other < one ? other : one));
  const { checkpoint, events } = await projection.lag();
  expect([checkpoint.position, events]).toEqual([least, 500n - least]);
});

test('a rebuild under load inherits the offsets of each partition and loses nothing', async () => {
  await until(isExact);
  const entry = projector.entry('history');
  const filling = setInterval(() => {
    add(20);
  }, 1);
  await projector.rebuild(entry, false);
  await until(() => entry.agreed.rebuild?.endTime !== undefined);
  const atSwitch = [0, 1].map((partition) => serving()?.checkpoints.get(partition)?.offset ?? -1n);
  clearInterval(filling);
  expect(entry.agreed.rebuild).toMatchObject({ phase: 'done', generation: 2, differentRows: 0 });
  for (const offset of atSwitch) expect(offset).toBeGreaterThan(0n);
  await until(isExact);
  add(50);
  await until(isExact);
});
