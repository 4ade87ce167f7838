import { create } from '@bufbuild/protobuf';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type Consistency, ConsistencySchema } from '../../../gen/quittance/common/v1/consistency_pb.js';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { hexOf } from '../../../lib/base/bytes.js';
import type { Span, SpanPoint } from '../../../lib/observe/tracing.js';
import { CallError, fail } from '../../../lib/rpc/errors.js';
import { decodeConsistencyToken, encodeConsistencyToken } from '../../../lib/rpc/tokens.js';
import { FakeGenerations } from '../../../test/fake-view.js';
import { until } from '../../../test/until.js';
import { asOf, Freshness } from '../consistency.js';
import { readView } from '../context.js';
import { servingView } from '../serving-view.js';
import { FakeLog } from '../../../test/fake-log.js';

let log: FakeLog;
let generations: FakeGenerations;
let freshness: Freshness;

const call = (within_ms = 5_000) => ({
  deadline_ms: Date.now() + within_ms,
  signal: new AbortController().signal,
});
const consistency = (requirement: Consistency['requirement']) => ({
  consistency: create(ConsistencySchema, { requirement }),
});
const atLeast = (position: bigint, change: object = {}) =>
  consistency({
    case: 'atLeastAsFresh',
    value: encodeConsistencyToken({ ...log.point(position), logId: log.id, shard: 0, ...change }),
  });
const fully = consistency({ case: 'fullyConsistent', value: true });

/** Applies the log to the serving generation up to a position. */
async function applyTo(position: bigint): Promise<void> {
  const view = await generations.current();
  const watermark = log.point(position);
  const events = log.events.slice(0, Number(position) + 1);
  await view.apply({ partition: 0, events, offset: position, watermark });
}

async function refusal(work: Promise<unknown>): Promise<CallError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof CallError) return error;
  throw new Error('expected a CallError', { cause: error });
}

beforeEach(async () => {
  log = new FakeLog();
  log.fill(10);
  generations = new FakeGenerations('history');
  await generations.migrate();
  freshness = new Freshness(log);
});

test('a traced wait is linked to the commit that it is for, if that is recorded', async () => {
  const traceId = new Uint8Array(16).fill(5);
  const linked: SpanPoint[] = [];
  const point = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), isSampled: true };
  const span: Span = {
    point,
    set: () => undefined,
    link: (commit) => linked.push(commit),
    failed: () => undefined,
    end: () => undefined,
  };
  freshness = new Freshness(log, { tracer: { start: () => span, close: () => Promise.resolve() } });
  await applyTo(10n);
  for (const traceSampled of [false, true]) {
    const { position, hash } = log.append({ ledgerId: 'main', traceId, traceSampled });
    const reads = log.reads.at;
    const reading = freshness.reach(servingView(generations), 0, atLeast(position), {
      ...call(),
      span: point,
    });
    // For the check of the token, and for the link.
    await until(() => log.reads.at === reads + 2);
    await applyTo(position);
    await reading;
    const commit = { traceId: '05'.repeat(16), spanId: hexOf(hash.subarray(0, 8)), isSampled: true };
    expect(linked).toEqual(traceSampled ? [commit] : []);
  }
});

describe('a read that asks for nothing', () => {
  test('touches neither log nor view', async () => {
    const getter = servingView(generations);
    await freshness.reach(getter, 0, { consistency: undefined }, call());
    await freshness.reach(getter, 0, consistency({ case: 'minimizeLatency', value: true }), call());
    expect([generations.pointerReads, log.reads.head, log.reads.at]).toEqual([0, 0, 0]);
  });
});

describe('a read with a token', () => {
  test('waits until its view has got there', async () => {
    await applyTo(3n);
    const getter = servingView(generations);
    let reached = false;
    const reading = freshness.reach(getter, 0, atLeast(7n), call()).then(() => (reached = true));
    const view = await generations.current();
    await until(() => view.polls > 3);
    expect(reached).toBe(false);
    await applyTo(7n);
    await reading;
  });

  test('does not ask a view again that is known to be there', async () => {
    await applyTo(9n);
    const getter = servingView(generations);
    await freshness.reach(getter, 0, atLeast(9n), call());
    const view = await generations.current();
    const { polls } = view;
    await freshness.reach(getter, 0, atLeast(5n), call());
    expect(view.polls).toBe(polls);
  });

  test('looks the hash of one token up in the log once', async () => {
    await applyTo(9n);
    const getter = servingView(generations);
    for (let index = 0; index < 5; index++) await freshness.reach(getter, 0, atLeast(5n), call());
    expect(log.reads.at).toBe(1);
  });

  test('of another log, shard, or beyond the end is an invalid token', async () => {
    const getter = servingView(generations);
    for (const change of [{ logId: new Uint8Array(16) }, { shard: 1 }, { position: 500n }]) {
      const { reason } = await refusal(freshness.reach(getter, 0, atLeast(5n, change), call()));
      expect(reason).toBe(ErrorReason.INVALID_CONSISTENCY_TOKEN);
    }
  });

  test('of a history that the log has lost fails with HISTORY_LOST', async () => {
    const getter = servingView(generations);
    const [kept, changed, beyond] = [atLeast(4n), atLeast(6n), atLeast(10n)];
    log.restoreTo(5n);
    await applyTo(6n);
    await freshness.reach(getter, 0, kept, call());
    for (const lost of [changed, beyond]) {
      const { reason } = await refusal(freshness.reach(getter, 0, lost, call()));
      expect(reason).toBe(ErrorReason.HISTORY_LOST);
    }
  });

  test('of a new epoch is not answered by a view that went farther in the old one', async () => {
    await applyTo(10n);
    const getter = servingView(generations);
    log.restoreTo(5n);
    const { reason } = await refusal(freshness.reach(getter, 0, atLeast(6n), call(100)));
    expect(reason).toBe(ErrorReason.READ_MODEL_BEHIND);
  });
});

describe('a read of a view that holds what the log has lost', () => {
  const answer = (position: bigint, epoch = 0) =>
    asOf({ freshness, log }, { ...log.point(position), epoch, position });

  test('is refused from when the end of the log is known, also with a token of what is kept', async () => {
    await applyTo(10n);
    const kept = atLeast(4n);
    log.restoreTo(5n);
    await freshness.head();
    const getter = servingView(generations);
    // The view is beyond what the token stands for, and the log has that.
    await freshness.reach(getter, 0, kept, call());
    const view = await generations.current();
    const { reason } = await refusal(asOf({ freshness, log }, await view.checkpoint(0)));
    expect(reason).toBe(ErrorReason.NOT_SERVING);
  });

  test('is refused before the new epoch begins, and answered when the view is built again', async () => {
    const lost = { ...log.point(10n) };
    await freshness.head();
    log.events.length = 6;
    await freshness.head();
    expect((await refusal(asOf({ freshness, log }, lost))).reason).toBe(ErrorReason.NOT_SERVING);
    await answer(5n);
    log.epoch = 1;
    log.fill(1);
    await freshness.head();
    expect((await refusal(asOf({ freshness, log }, lost))).reason).toBe(ErrorReason.NOT_SERVING);
    // What both histories share is no loss, also where the view has heard of no new epoch.
    await answer(5n);
    await answer(6n, 1);
  });

  test('looks at the end of the log without waiting for it, also while the log is away', async () => {
    log.away = new Error('the log is away');
    await answer(10n);
    await until(() => log.reads.head === 1);
  });
});

describe('a fully consistent read', () => {
  test('waits for the end of the log at its arrival, not for a later one', async () => {
    const getter = servingView(generations);
    await applyTo(2n);
    const reading = freshness.reach(getter, 0, fully, call());
    await until(() => log.reads.head === 1);
    log.fill(5);
    await applyTo(10n);
    await reading;
  });

  test('shares one read of the end with all that arrive together, and joins none that began before', async () => {
    await applyTo(10n);
    const getter = servingView(generations);
    let open = () => {};
    log.headGate = new Promise((resolve) => (open = resolve));
    const early = Array.from({ length: 50 }, () => freshness.reach(getter, 0, fully, call()));
    await until(() => log.reads.head === 1);
    const late = Array.from({ length: 50 }, () => freshness.reach(getter, 0, fully, call()));
    open();
    await Promise.all([...early, ...late]);
    expect(log.reads.head).toBe(2);
  });
});

describe('a read at a position', () => {
  test('waits for it, and is refused beyond the end of the log', async () => {
    await applyTo(10n);
    const getter = servingView(generations);
    await freshness.reach(getter, 0, { position: 10n }, call());
    const { reason } = await refusal(freshness.reach(getter, 0, { position: 11n }, call()));
    expect(reason).toBe(ErrorReason.POSITION_OUT_OF_RANGE);
  });
});

describe('waiting', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  test('ends 50 ms before the deadline with READ_MODEL_BEHIND, where the view is, and when to retry', async () => {
    await applyTo(3n);
    const getter = servingView(generations);
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] });
    freshness = new Freshness(log);
    const deadline_ms = Date.now() + 5_000;
    const { signal } = new AbortController();
    let ended_ms: number | undefined;
    const reading = refusal(freshness.reach(getter, 0, atLeast(7n), { deadline_ms, signal })).finally(() => {
      ended_ms = Date.now();
    });
    await jest.advanceTimersByTimeAsync(6_000);
    expect(ended_ms).toBe(deadline_ms - 50);
    const error = await reading;
    expect(error.reason).toBe(ErrorReason.READ_MODEL_BEHIND);
    expect(error.retryAfter_ms).toBeGreaterThan(0);
    expect(error.details.metadata).toEqual({ view: 'history', position: '3', required: '7' });
  });

  test('asks for one checkpoint at a time, however many wait, and for none when nobody does', async () => {
    await applyTo(3n);
    const getter = servingView(generations);
    const view = await generations.current();
    const began_ms = performance.now();
    const reads = Array.from({ length: 200 }, () => freshness.reach(getter, 0, atLeast(7n), call()));
    await until(() => view.polls >= 5);
    await applyTo(7n);
    await Promise.all(reads);
    expect(view.polls).toBeLessThanOrEqual(2 + (performance.now() - began_ms) / 3);
    const { polls } = view;
    await new Promise((resolve) => setTimeout(resolve, 15));
    expect(view.polls).toBe(polls);
  });

  test('ends with the call', async () => {
    const getter = servingView(generations);
    const controller = new AbortController();
    const reading = freshness.reach(getter, 0, atLeast(7n), {
      deadline_ms: undefined,
      signal: controller.signal,
    });
    const view = await generations.current();
    await until(() => view.polls > 1);
    controller.abort(fail(ErrorReason.CANCELLED, 'the caller left'));
    expect((await refusal(reading)).reason).toBe(ErrorReason.CANCELLED);
  });

  test('goes on with the generation that a rebuild put in place', async () => {
    await applyTo(3n);
    const getter = servingView(generations);
    const reading = freshness.reach(getter, 0, atLeast(7n), call());
    const old = await generations.current();
    await until(() => old.polls > 1);
    const fresh = await generations.create();
    await generations.switchTo(fresh.generation);
    await applyTo(7n);
    await generations.drop(old.generation);
    await reading;
  });

  test('fails at once when the store of the view fails', async () => {
    const getter = servingView(generations);
    await getter();
    generations.faults.away = new Error('connection refused');
    await expect(freshness.reach(getter, 0, atLeast(7n), call())).rejects.toThrow('connection refused');
  });
});

describe('the serving view', () => {
  test('is read again, once, when the generation was dropped under a read', async () => {
    const getter = servingView(generations);
    const old = await getter();
    const fresh = await generations.create();
    await generations.switchTo(fresh.generation);
    await generations.drop(old.generation);
    const seen = await readView(getter, async (view) => {
      await view.checkpoint(0);
      return view.generation;
    });
    expect(seen).toBe(fresh.generation);
  });

  test('is remembered, and asked for again in the background after half a second', async () => {
    let now_ms = 0;
    const getter = servingView(generations, () => now_ms);
    await Promise.all([getter(), getter(), getter()]);
    expect(generations.pointerReads).toBe(1);
    const fresh = await generations.create();
    await generations.switchTo(fresh.generation);
    now_ms = 501;
    expect((await getter()).generation).toBe(1);
    await until(() => generations.pointerReads === 2);
    expect((await getter()).generation).toBe(fresh.generation);
  });

  test('that the projector has not made yet is NOT_SERVING, and is found once it has', async () => {
    const late = new FakeGenerations('history');
    const getter = servingView(late);
    expect((await refusal(getter())).reason).toBe(ErrorReason.NOT_SERVING);
    await late.migrate();
    expect((await getter()).generation).toBe(1);
  });

  test('is asked for first after an idle time', async () => {
    let now_ms = 0;
    const getter = servingView(generations, () => now_ms);
    await getter();
    const fresh = await generations.create();
    await generations.switchTo(fresh.generation);
    now_ms = 60_000;
    expect((await getter()).generation).toBe(fresh.generation);
  });
});

test('an answer says what it is as of, with a token for later reads', async () => {
  const answer = await asOf({ freshness, log }, log.point(4n), { final: true });
  expect(answer.position).toBe(4n);
  expect(answer.final).toBe(true);
  expect(answer.time?.seconds).toBe(1_767_225_600n);
  expect(decodeConsistencyToken(answer.consistencyToken).position).toBe(4n);
});
