import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { LogTail } from '../../../lib/log/log-tail.js';
import { logBus } from '../../../lib/log/postgres-bus.js';
import type { EventBus } from '../../../lib/log/bus.js';
import { FakeLog } from '../../../test/fake-log.js';
import { Projection, type ProjectionDeps, type RunState } from '../projection.js';
import { FakeGenerations, type FakeView } from '../../../test/fake-view.js';
import { until } from '../../../test/until.js';

let log: FakeLog;
let generations: FakeGenerations;
let states: RunState[];
let projection: Projection;

const logger = { info: () => {}, warn: () => {}, error: () => {} };
const build = (change: Partial<ProjectionDeps> = {}) =>
  new Projection({
    id: 'history',
    generations,
    bus: logBus(new LogTail(log, log.wakeups)),
    log,
    logger,
    pauses_ms: [1, 1],
    onState: (state) => states.push(state),
    backoff_ms: () => 5,
    ...change,
  });
const serving = (): FakeView => {
  const view = generations.all.get(generations.serving ?? 0);
  if (view === undefined) throw new Error('no view serves');
  return view;
};
const position = () => generations.all.get(generations.serving ?? 0)?.checkpoints.get(0)?.position ?? -1n;
/** Whether every event up to the end of the log was applied exactly once. */
const isExact = () => log.events.every((each) => serving().counts.get(each.position) === 1);

beforeEach(() => {
  log = new FakeLog();
  log.fill(20);
  generations = new FakeGenerations('history');
  states = [];
  projection = build();
});

afterEach(async () => {
  Object.assign(generations.faults, { gate: undefined });
  await projection.stop();
});

describe('a projection', () => {
  test('creates its view, applies the log and follows it', async () => {
    await projection.start();
    await until(() => position() === 20n);
    log.fill(2_500);
    await until(() => position() === 2_520n);
    expect(isExact()).toBe(true);
    expect(projection.state).toBe('running');
  });

  test('goes on where the view is, not where it was itself', async () => {
    await projection.start();
    await until(() => position() === 20n);
    await projection.stop();
    log.fill(5);
    projection = build();
    await projection.start();
    await until(() => position() === 25n);
    expect(isExact()).toBe(true);
  });

  test('knows exactly how far it is behind', async () => {
    let open = () => {};
    await projection.start();
    await until(() => position() === 20n);
    expect(await projection.lag()).toMatchObject({ events: 0n, time: 0n });
    generations.faults.gate = new Promise((resolve) => (open = resolve));
    log.fill(3);
    const { checkpoint, head, events, time } = await projection.lag();
    expect([checkpoint.position, head.position, events]).toEqual([20n, 23n, 3n]);
    // The fake log's now is an hour after its start; the oldest event waiting is the one at position 21.
    expect(time).toBe(3_600_000_000n - 21_000n);
    open();
  });
});

describe('when the store fails', () => {
  test('mid-batch, the batch is applied again and every event counts once', async () => {
    let crashes = 2;
    generations.faults.midway = () => {
      if (crashes-- > 0) throw new Error('terminating connection');
    };
    await projection.start();
    await until(() => position() === 20n);
    expect(isExact()).toBe(true);
    expect(states).toEqual([]);
  });

  test('for longer, it is FAILED without a word of the driver, and recovers by itself', async () => {
    await projection.start();
    await until(() => position() === 20n);
    generations.faults.away = new Error('connect ECONNREFUSED 10.0.0.7:5432');
    log.fill(5);
    await until(() => projection.state === 'failed');
    expect(projection.failure).toMatchObject({ kind: 'store' });
    expect(projection.failure?.message).not.toContain('ECONNREFUSED');
    expect((await projection.lag()).events).toBe(5n);
    generations.faults.away = undefined;
    await until(() => position() === 25n && projection.state === 'running');
    expect(isExact()).toBe(true);
    expect(states).toEqual(['failed', 'running']);
  });

  test('at its start, it begins as soon as the store is there', async () => {
    generations.faults.away = new Error('connection refused');
    await projection.start();
    await until(() => projection.state === 'failed');
    generations.faults.away = undefined;
    await until(() => position() === 20n);
    expect(projection.state).toBe('running');
  });
});

test('when the log cannot be read, it is FAILED and recovers by itself', async () => {
  await projection.start();
  await until(() => position() === 20n);
  log.away = new Error('connection refused');
  log.fill(1);
  await until(() => projection.failure?.kind === 'bus');
  log.away = undefined;
  await until(() => position() === 21n);
  expect(projection.state).toBe('running');
});

describe('an event', () => {
  test('that the program does not know stops it just before, until somebody resumes it', async () => {
    generations.faults.unknown = 12n;
    await projection.start();
    await until(() => projection.state === 'failed');
    expect(position()).toBe(11n);
    expect(projection.failure).toMatchObject({ kind: 'unknown_event', position: 12n });
    expect((await projection.lag()).events).toBe(9n);
    const { polls } = serving();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(serving().polls).toBe(polls);
    generations.faults.unknown = undefined;
    projection.resume();
    await until(() => position() === 20n);
    expect(isExact()).toBe(true);
  });

  test('that cannot be applied is parked with all that comes after it in its ledger, and others go on', async () => {
    generations.faults.unapplicable = { position: 12n, error: new RangeError('unknown currency XXX') };
    log.fill(5, 'other');
    await projection.start();
    await until(() => position() === 25n);
    expect(projection).toMatchObject({ state: 'running', hasParked: true });
    expect(await projection.deadLetters()).toBe(9);
    expect([...serving().letters.keys()]).toEqual([12n, 13n, 14n, 15n, 16n, 17n, 18n, 19n, 20n]);
    expect(serving().letters.get(12n)).toMatchObject({ behind: undefined, tries: 3 });
    expect(serving().letters.get(13n)).toMatchObject({ behind: 12n, tries: 0 });
    expect(log.events.filter((each) => serving().counts.get(each.position) !== 1)).toHaveLength(9);
    // What comes later waits too, also in a process that has just begun.
    await projection.stop();
    projection = build();
    log.fill(1);
    log.fill(1, 'other');
    await projection.start();
    await until(() => position() === 27n);
    expect([...serving().letters.keys()].at(-1)).toBe(26n);
    generations.faults.unapplicable = undefined;
    for (const letter of serving().letters.values()) await projection.retryLetter(letter);
    expect(isExact()).toBe(true);
    expect(await projection.deadLetters()).toBe(0);
    log.fill(1);
    await until(() => position() === 28n);
    expect(isExact()).toBe(true);
    expect(projection.hasParked).toBe(false);
  });

  test('of no ledger that cannot be applied stops it, and is tried again by itself', async () => {
    generations.faults.unapplicable = { position: 0n, error: new RangeError('no such log') };
    await projection.start();
    await until(() => projection.state === 'failed');
    expect(projection.failure).toMatchObject({ kind: 'event', position: 0n });
    generations.faults.unapplicable = undefined;
    await until(() => position() === 20n);
    expect(isExact()).toBe(true);
    expect(projection.state).toBe('running');
  });

  test('more than may be parked stop it, until some of them are applied', async () => {
    projection = build({ mostDeadLetters: 3 });
    generations.faults.unapplicable = { position: 18n, error: new RangeError('unknown currency XXX') };
    await projection.start();
    await until(() => position() === 20n);
    log.fill(1);
    await until(() => projection.state === 'failed');
    expect(projection.failure).toMatchObject({ kind: 'too_many_parked', position: 21n });
    expect(position()).toBe(20n);
    expect([...serving().letters.keys()]).toEqual([18n, 19n, 20n]);
    generations.faults.unapplicable = undefined;
    for (const letter of serving().letters.values()) await projection.retryLetter(letter);
    await until(() => position() === 21n && projection.state === 'running');
    expect(isExact()).toBe(true);
  });

  test('that the program does not know is not parked, though it would have to wait', async () => {
    generations.faults.unapplicable = { position: 12n, error: new RangeError('unknown currency XXX') };
    await projection.start();
    await until(() => position() === 20n);
    log.append({ ledgerId: 'main', ignorable: true });
    log.append({ ledgerId: 'main' });
    await until(() => projection.state === 'failed');
    expect(projection.failure).toMatchObject({ kind: 'unknown_event', position: 22n });
    expect(position()).toBe(21n);
    expect(serving().letters.has(21n)).toBe(false);
  });

  test('that stops one projection does not stop the others', async () => {
    const others = new FakeGenerations('history');
    const other = build({ generations: others, onState: () => {} });
    generations.faults.unknown = 12n;
    await Promise.all([projection.start(), other.start()]);
    await until(() => projection.state === 'failed');
    log.fill(5);
    await until(() => others.all.get(1)?.checkpoints.get(0)?.position === 25n);
    await other.stop();
  });
});

test('events delivered twice are counted once', async () => {
  const twice: EventBus = {
    ...logBus(new LogTail(log, log.wakeups)),
    consume: (handler, signal) =>
      logBus(new LogTail(log, log.wakeups)).consume(
        {
          offsetOf: async (partition) => (await handler.offsetOf(partition)) - 3n,
          handle: async (batch) => {
            await handler.handle(batch);
            await handler.handle(batch);
          },
        },
        signal,
      ),
  };
  projection = build({ bus: twice });
  await projection.start();
  await until(() => position() === 20n);
  projection.resume();
  log.fill(10);
  await until(() => position() === 30n);
  expect(isExact()).toBe(true);
});

test('a failure for another kind of reason is a new state: the view of a lost history has to be rebuilt', async () => {
  await projection.start();
  await until(() => position() === 20n);
  generations.faults.away = new Error('connection refused');
  log.fill(1);
  await until(() => projection.failure?.kind === 'store');
  log.restoreTo(10n);
  generations.faults.away = undefined;
  await until(() => projection.failure?.kind === 'history_lost');
  expect(states).toEqual(['failed', 'failed']);
});

describe('a pause', () => {
  test('under load ends the batch under way, applies nothing more, and what came meanwhile after it', async () => {
    await projection.start();
    const filling = setInterval(() => {
      log.fill(20);
    }, 1);
    await until(() => position() > 100n);
    await projection.pause();
    const at = position();
    await until(() => BigInt(log.events.length) > at + 200n);
    expect(position()).toBe(at);
    expect(projection.state).toBe('paused');
    projection.resume();
    await until(() => position() > at + 200n);
    clearInterval(filling);
    await until(() => position() === BigInt(log.events.length - 1));
    expect(isExact()).toBe(true);
    expect(states).toEqual(['paused', 'running']);
  });

  test('while the last batch fails holds, and the failure is not shown once it is resumed', async () => {
    await projection.start();
    await until(() => position() === 20n);
    let open = () => {};
    generations.faults.gate = new Promise((resolve) => (open = resolve));
    generations.faults.unknown = 21n;
    log.fill(1);
    const pausing = projection.pause();
    open();
    await pausing;
    expect([projection.state, projection.failure]).toEqual(['paused', undefined]);
    generations.faults.unknown = undefined;
    projection.resume();
    expect([projection.state, projection.failure]).toEqual(['running', undefined]);
    await until(() => position() === 21n);
    expect(states).toEqual(['paused', 'running']);
  });

  test('before the start lets nothing begin, and the start does not wait for the store', async () => {
    await projection.pause();
    await projection.start();
    expect([projection.state, projection.view]).toEqual(['paused', undefined]);
    projection.resume();
    await until(() => position() === 20n);
  });

  test('of a failed projection holds', async () => {
    generations.faults.away = new Error('connection refused');
    await projection.start();
    await until(() => projection.state === 'failed');
    await projection.pause();
    generations.faults.away = undefined;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(projection.state).toBe('paused');
    projection.resume();
    await until(() => position() === 20n);
  });
});

test('a log that is restored while it is followed stops the projection before it applies another history', async () => {
  await projection.start();
  await until(() => position() === 20n);
  await projection.pause();
  log.restoreTo(10n);
  log.fill(30);
  const followed = logBus(new LogTail(log, log.wakeups));
  // As if the bus had not noticed: its next page begins right after the view's position.
  const consume: EventBus['consume'] = (handler, signal) =>
    followed.consume(
      { handle: (batch) => handler.handle(batch), offsetOf: () => Promise.resolve(20n) },
      signal,
    );
  await projection.stop();
  projection = build({ bus: { ...followed, consume } });
  await projection.start();
  await until(() => projection.state === 'failed');
  expect(projection.failure).toMatchObject({ kind: 'history_lost', position: 20n });
  expect(position()).toBe(20n);
});

test('a view of a history that the log has lost is not added to', async () => {
  await projection.start();
  await until(() => position() === 20n);
  await projection.stop();
  log.restoreTo(10n);
  log.fill(30);
  projection = build();
  await projection.start();
  await until(() => projection.state === 'failed');
  expect(projection.failure).toMatchObject({ kind: 'history_lost', position: 20n });
  expect(position()).toBe(20n);
});
