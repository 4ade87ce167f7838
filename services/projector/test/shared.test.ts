/**
 * Two processes of the projector over one store, one bus and one control: what they agree on, and what they
 * do for each other.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createPool, type Pool } from '../../../lib/log/postgres-client.js';
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.js';
import { FakeLog } from '../../../test/fake-log.js';
import { openPostgresControl } from '../control/postgres-control.js';
import { Projector } from '../projector.js';
import type { ProjectorEntry } from '../projector-entry.js';
import { FakeGenerations } from '../../../test/fake-view.js';
import { partitionedBus, type PartitionedBus } from './partitioned-bus.js';
import { until } from '../../../test/until.js';

interface Member {
  readonly projector: Projector;
  readonly entry: ProjectorEntry;
  readonly bus: PartitionedBus;
}

let database: TestDatabase;
let pool: Pool;
let log: FakeLog;
let generations: FakeGenerations;
let one: Member;
let other: Member;
let started: Projector[];

const warnings: unknown[] = [];
const logger = {
  info: () => {},
  warn: (...said: unknown[]) => {
    warnings.push(said.at(-1));
  },
  error: () => {},
};
/** How often the projectors have told each other how they are. */
let reports = 0;
const serving = () => generations.all.get(generations.serving ?? 0);
const isExact = () =>
  log.events.slice(1).every(({ position }) => serving()?.counts.get(position) === 1) &&
  serving()?.counts.size === log.events.length;
const add = (count: number) => {
  for (let index = 0; index < count; index++) log.fill(1, index % 3 === 0 ? 'other' : 'main');
};
const whileFilling = async (work: () => Promise<void>) => {
  const filling = setInterval(() => {
    add(20);
  }, 1);
  await work().finally(() => {
    clearInterval(filling);
  });
};

async function member(assigned: number[]): Promise<Member> {
  const bus = partitionedBus(log);
  bus.assigned = assigned;
  const opened = await openPostgresControl(pool, ['history']);
  const control: typeof opened = {
    ...opened,
    report: (failures) => {
      reports += 1;
      return opened.report(failures);
    },
  };
  const reportLost = () => Promise.resolve();
  const parts = {
    log,
    logger,
    reportLost,
    control,
    clock: () => 1n,
    offsetAt: () => -1n,
    keepReplaced_ms: 60_000,
  };
  const projector = new Projector(parts, [
    { id: 'history', generations, bus, pauses_ms: [1], backoff_ms: () => 5 },
  ]);
  started.push(projector);
  return { projector, bus, entry: projector.entry('history') };
}

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool(database.config, { max: 8, name: 'test' });
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

beforeEach(async () => {
  await pool.query('drop schema if exists projector cascade');
  log = new FakeLog();
  add(500);
  generations = new FakeGenerations('history');
  started = [];
  one = await member([0]);
  other = await member([1]);
  await Promise.all([one.projector.start(), other.projector.start()]);
  // The one that came second waited for the first to make the view.
  await until(() => [one, other].every(({ entry }) => entry.projection.state === 'running'));
});

afterEach(async () => {
  await Promise.all(started.map((projector) => projector.stop()));
});

test('each keeps its partitions, and the lag is that of all', async () => {
  await until(isExact);
  for (const { entry } of [one, other]) {
    const { checkpoint } = await entry.projection.lag();
    const least = [0, 1].map((partition) => serving()?.checkpoints.get(partition)?.position ?? -1n);
    expect(least).toContain(checkpoint.position);
  }
});

test('a partition that moves under load loses nothing and counts nothing twice', async () => {
  await whileFilling(async () => {
    for (let round = 0; round < 10; round++) {
      const before = log.events.length;
      // For a while both have it, as when a process does not know yet that it has lost it.
      one.bus.assigned = [0, 1];
      await until(() => log.events.length > before + 200);
      other.bus.assigned = round % 2 === 0 ? [] : [1];
      one.bus.assigned = round % 2 === 0 ? [0, 1] : [0];
      await until(() => log.events.length > before + 400);
    }
  });
  await until(isExact);
});

test('a store that is away is told once by each projector, not at each try', async () => {
  await pool.query('alter schema projector rename to away');
  warnings.length = 0;
  const before = reports;
  await until(() => reports >= before + 8);
  expect(warnings.filter((text) => text === 'the projectors cannot agree').length).toBeLessThanOrEqual(4);
  expect(warnings).toContain('the projectors cannot agree');
  await pool.query('alter schema away rename to projector');
});

describe('a pause', () => {
  test('by one holds in both, and a resume by the other ends it', async () => {
    await until(isExact);
    await one.projector.pause(one.entry);
    await until(() => other.entry.projection.state === 'paused');
    const positions = () => [0, 1].map((partition) => serving()?.checkpoints.get(partition)?.position);
    const before = positions();
    add(50);
    await one.entry.projection.lag();
    expect(positions()).toEqual(before);
    expect(other.entry.status.state).toBe('paused');
    await other.projector.resume(other.entry);
    await until(isExact);
  });

  test('holds for a process that starts later', async () => {
    await one.projector.pause(one.entry);
    const third = await member([0, 1]);
    await third.projector.start();
    expect(third.entry.projection.state).toBe('paused');
  });
});

test('a failure in one is told by the other, and a resume by the other tries again', async () => {
  await until(isExact);
  add(3);
  generations.faults.unknown = log.events.at(-1)?.position;
  log.fill(1, 'other');
  await until(() => other.entry.projection.state === 'failed' || one.entry.projection.state === 'failed');
  const [failed, sound] = other.entry.projection.state === 'failed' ? [other, one] : [one, other];
  const known = () => sound.entry.agreed.failureElsewhere;
  await until(() => known() !== undefined && known() === failed.entry.projection.failure?.message);
  expect(sound.entry.status).toEqual({
    state: 'failed',
    failure: failed.entry.projection.failure?.message,
  });
  generations.faults.unknown = undefined;
  await sound.projector.resume(sound.entry);
  await until(isExact);
  await until(() => sound.entry.status.state === 'running');
});

describe('a rebuild', () => {
  test('by one while both go on loses nothing; both go on with the new generation', async () => {
    await until(isExact);
    await whileFilling(async () => {
      await one.projector.rebuild(one.entry, false);
      await until(() => one.entry.agreed.rebuild?.endTime !== undefined);
    });
    expect(one.entry.agreed.rebuild).toMatchObject({ phase: 'done', generation: 2, differentRows: 0 });
    expect(one.entry.agreed.rebuild?.comparedRows).toBeGreaterThan(500);
    await until(() => other.entry.projection.view?.generation === 2);
    await until(isExact);
    await until(() => other.entry.agreed.rebuild?.phase === 'done');
  });

  test('finds what differs in the partition of the other', async () => {
    await until(isExact);
    const position = log.events.findLast(({ event }) => event.ledgerId === 'other')?.position ?? 0n;
    serving()?.counts.delete(position);
    await one.projector.rebuild(one.entry, false);
    await until(() => one.entry.agreed.rebuild?.endTime !== undefined);
    expect(one.entry.agreed.rebuild).toMatchObject({ phase: 'failed', differentRows: 1 });
    expect(generations.serving).toBe(1);
  });

  test('is not begun while the other rebuilds', async () => {
    await until(isExact);
    let open = () => {};
    generations.faults.gate = new Promise((resolve) => (open = resolve));
    await one.projector.rebuild(one.entry, false);
    await expect(other.projector.rebuild(other.entry, false)).rejects.toThrow('a rebuild runs');
    open();
    await until(() => one.entry.agreed.rebuild?.endTime !== undefined);
  });

  test('whose process is gone reads as failed', async () => {
    const control = await openPostgresControl(pool, ['history']);
    const rebuild = { generation: 2, position: 7n, comparedRows: 0, differentRows: 0, startTime: 1n };
    await control.saveRebuild('history', { ...rebuild, phase: 'filling', endTime: undefined, failure: '' });
    const state = (await control.read()).get('history');
    expect(state?.rebuild).toMatchObject({ phase: 'failed', position: 7n, endTime: 1n });
  });
});

describe('what is lost', () => {
  test('of the bus comes from the log', async () => {
    await until(isExact);
    for (const { bus } of [one, other]) bus.assigned = [];
    add(900);
    for (const { bus } of [one, other]) bus.first.fill(700);
    one.bus.assigned = [0];
    other.bus.assigned = [1];
    add(900);
    await until(isExact);
  });

  test('of the store behind the checkpoint comes from the log', async () => {
    await until(isExact);
    const view = serving();
    // An older copy: data and checkpoint are those of an earlier time.
    const position = 100n;
    for (const each of view?.counts.keys() ?? []) if (each > position) view?.counts.delete(each);
    for (const partition of [0, 1]) {
      view?.checkpoints.set(partition, { ...log.point(position), partition, offset: 0n });
    }
    add(30);
    await until(isExact);
  });

  test('altogether is built again by one of them, and both go on', async () => {
    await until(isExact);
    generations.lose();
    add(30);
    await until(() => generations.serving !== undefined);
    await until(isExact);
    await until(() => [one, other].every(({ entry }) => entry.status.state === 'running'));
  });

  test('of a long log is not shown before it is built', async () => {
    await until(isExact);
    add(12_000);
    await until(isExact);
    const seen: bigint[] = [];
    generations.lose();
    add(1);
    await until(() => {
      if (generations.serving === undefined) return false;
      seen.push(serving()?.checkpoints.get(0)?.position ?? -1n);
      return isExact();
    });
    expect(seen[0]).toBeGreaterThan(12_000n);
  });
});
