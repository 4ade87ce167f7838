import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { LogTail } from '../../../lib/log/log-tail.js';
import { logBus } from '../../../lib/log/postgres-bus.js';
import { CallError } from '../../../lib/rpc/errors.js';
import { START, FakeLog } from '../../../test/fake-log.js';
import { soloControl } from '../control/solo-control.js';
import { Projector } from '../projector.js';
import type { ProjectorEntry } from '../projector-entry.js';
import { FakeGenerations, type FakeView } from '../../../test/fake-view.js';
import { watchAbortListeners } from '../../../test/abort-listeners.js';
import { until } from '../../../test/until.js';

let log: FakeLog;
let generations: FakeGenerations;
let projector: Projector;
let entry: ProjectorEntry;

const logger = { info: () => {}, warn: () => {}, error: () => {} };
const build = (keepReplaced_ms = 60_000) => {
  const bus = logBus(new LogTail(log, log.wakeups));
  const reportLost = () => Promise.resolve();
  const parts = {
    log,
    logger,
    reportLost,
    clock: () => START,
    offsetAt: (at: bigint) => at,
    keepReplaced_ms,
  };
  projector = new Projector({ ...parts, control: soloControl() }, [
    { id: 'history', generations, bus, pauses_ms: [1], backoff_ms: () => 5 },
  ]);
  entry = projector.entry('history');
};
const view = (generation: number): FakeView => {
  const found = generations.all.get(generation);
  if (found === undefined) throw new Error(`there is no generation ${String(generation)}`);
  return found;
};
const position = () => view(generations.serving ?? 0).checkpoints.get(0)?.position ?? -1n;
const ended = () => entry.agreed.rebuild?.endTime !== undefined;
const end = () => BigInt(log.events.length - 1);
const isExact = (generation: number) =>
  log.events.every((each) => view(generation).counts.get(each.position) === 1);

beforeEach(async () => {
  log = new FakeLog();
  log.fill(3_300);
  generations = new FakeGenerations('history');
  build();
  await projector.start();
  await until(() => position() === end());
});

afterEach(() => projector.stop());

test('what an interrupted rebuild left behind is dropped at the next start', async () => {
  await projector.stop();
  await generations.create();
  build();
  await projector.start();
  expect([...generations.all.keys()]).toEqual([1]);
});

describe('a rebuild', () => {
  test('more than ten within a minute leave no listener too many behind', async () => {
    const listeners = watchAbortListeners();
    for (let round = 0; round < 12; round++) {
      await projector.rebuild(entry, false);
      await until(ended);
    }
    listeners.stop();
    expect(generations.serving).toBe(13);
    expect(listeners.mostTooMany).toBe(0);
  });

  test('fills, compares, switches; the projection goes on with the new generation', async () => {
    await projector.rebuild(entry, false);
    await until(ended);
    expect(entry.agreed.rebuild).toMatchObject({
      phase: 'done',
      generation: 2,
      position: 3_300n,
      failure: '',
      comparedRows: 3_301,
      differentRows: 0,
    });
    expect(generations.serving).toBe(2);
    log.fill(10);
    await until(() => position() === end());
    expect(isExact(2)).toBe(true);
    expect(view(1).checkpoints.get(0)?.position).toBe(3_300n);
  });

  test('under load loses nothing, and stands behind the old generation at no time', async () => {
    const filling = setInterval(() => {
      log.fill(10);
    }, 1);
    const before = position();
    await until(() => position() > before);
    let last = -1n;
    const backwards: bigint[] = [];
    const watching = setInterval(() => {
      if (position() < last) backwards.push(position());
      last = position();
    }, 0);
    await projector.rebuild(entry, false);
    await until(ended);
    clearInterval(filling);
    await until(() => position() === end());
    clearInterval(watching);
    expect(entry.agreed.rebuild).toMatchObject({ phase: 'done', differentRows: 0 });
    expect(isExact(2)).toBe(true);
    expect(backwards).toEqual([]);
  });

  test('that another process outruns at every round calls nothing complete that it has not filled', async () => {
    const old = view(1);
    const checkpoint = old.checkpoint.bind(old);
    old.checkpoint = async (partition) => {
      log.fill(1);
      const { position: at } = await checkpoint(partition);
      const events = log.events.slice(Number(at) + 1);
      const watermark = await log.head();
      await old.apply({ partition, events, offset: watermark.position, watermark });
      return checkpoint(partition);
    };
    await projector.rebuild(entry, false);
    await until(ended);
    old.checkpoint = checkpoint;
    expect(entry.agreed.rebuild).toMatchObject({ phase: 'done', differentRows: 0 });
    log.fill(10);
    await until(() => position() === end());
    expect(isExact(2)).toBe(true);
  });

  test('that finds a difference leaves the old generation serving and says so', async () => {
    const key = 'event:00000042';
    view(1).rewritten.set(key, { key, position: 42n, content: 'wrong' });
    await projector.rebuild(entry, false);
    await until(ended);
    expect(entry.agreed.rebuild).toMatchObject({ phase: 'failed', differentRows: 1, comparedRows: 3_301 });
    expect(entry.agreed.rebuild?.failure).toContain('accept_differences');
    expect([...generations.all.keys()]).toEqual([1]);
    expect(generations.serving).toBe(1);
  });

  test('finds a row that is missing, and one too many', async () => {
    view(1).counts.delete(7n);
    view(1).counts.set(-1n, 1);
    await projector.rebuild(entry, false);
    await until(ended);
    expect(entry.agreed.rebuild).toMatchObject({ phase: 'failed', differentRows: 2 });
  });

  test('finds a difference in a row that changes all the time', async () => {
    const key = 'event:00000042';
    // The position of the row is always later than where the comparison stands, until everything stands
    // still.
    const hot = { key, content: 'wrong', position: 10n ** 9n };
    view(1).rewritten.set(key, hot);
    await projector.rebuild(entry, false);
    await until(ended);
    expect(entry.agreed.rebuild).toMatchObject({ phase: 'failed', differentRows: 1 });
  });

  test('with accept_differences switches all the same', async () => {
    const key = 'event:00000042';
    view(1).rewritten.set(key, { key, position: 42n, content: 'wrong' });
    await projector.rebuild(entry, true);
    await until(ended);
    expect(entry.agreed.rebuild).toMatchObject({ phase: 'done', differentRows: 1 });
    expect(generations.serving).toBe(2);
  });

  test('is not begun while another runs', async () => {
    await projector.rebuild(entry, false);
    let reason: ErrorReason | undefined;
    try {
      await projector.rebuild(entry, false);
    } catch (error) {
      if (error instanceof CallError) reason = error.reason;
    }
    expect(reason).toBe(ErrorReason.PROJECTION_STATE);
    await until(ended);
  });

  test('drops the replaced generation after a while', async () => {
    await projector.stop();
    build(20);
    await projector.start();
    await projector.rebuild(entry, false);
    await until(ended);
    expect([...generations.all.keys()]).toEqual([1, 2]);
    await until(() => !generations.all.has(1));
  });

  test('that fails half-way leaves the old generation serving, and another can begin', async () => {
    let open = () => {};
    generations.faults.gate = new Promise((resolve) => (open = resolve));
    await projector.rebuild(entry, false);
    await until(() => generations.all.has(2));
    view(2).gone = true;
    open();
    await until(ended);
    expect(entry.agreed.rebuild).toMatchObject({
      phase: 'failed',
      failure: 'a store failed; the server log has more',
    });
    expect(generations.serving).toBe(1);
    await projector.rebuild(entry, false);
    await until(() => entry.agreed.rebuild?.phase === 'done');
    expect(generations.serving).toBe(3);
  });

  test('that a stop interrupts leaves nothing behind', async () => {
    let open = () => {};
    generations.faults.gate = new Promise((resolve) => (open = resolve));
    await projector.rebuild(entry, false);
    await until(() => generations.all.has(2));
    const stopping = projector.stop();
    open();
    await stopping;
    expect(entry.agreed.rebuild?.phase).toBe('failed');
    expect([...generations.all.keys()]).toEqual([1]);
  });

  test('of a paused projection brings the new generation to where the old one stands', async () => {
    await entry.projection.pause();
    log.fill(100);
    await projector.rebuild(entry, false);
    await until(ended);
    expect(entry.agreed.rebuild).toMatchObject({ phase: 'done', position: 3_300n });
    expect(position()).toBe(3_300n);
    entry.projection.resume();
    await until(() => position() === end());
    expect(isExact(2)).toBe(true);
  });

  test('frees a view from a history that the log has lost', async () => {
    await entry.projection.pause();
    log.restoreTo(3_000n);
    log.fill(500);
    entry.projection.resume();
    await until(() => entry.projection.failure?.kind === 'history_lost');
    await projector.rebuild(entry, true);
    await until(ended);
    await until(() => position() === end() && entry.projection.state === 'running');
    expect(isExact(2)).toBe(true);
  });
});
