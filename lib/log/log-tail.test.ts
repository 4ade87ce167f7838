import { beforeEach, describe, expect, test } from '@jest/globals';
import { FakeLog } from '../../test/fake-log.js';
import { until } from '../../test/until.js';
import { LogTail, PAGE_EVENTS, type TailPlace, TAIL_LIMITS } from './log-tail.js';
import { packFlush } from './packed-flush.js';
import type { RecordedEvent } from './recorded-event.js';
import { Wakeups } from './wakeups.js';

let log: FakeLog;
/** Of the tail alone: what the log appends is no hint. */
let wakeups: Wakeups;
let tail: LogTail;
const never = new AbortController().signal;

/** Commits events and hands them over. */
function commit(count: number): void {
  const before = log.events.length;
  log.fill(count);
  tail.handOver(packFlush(log.events.slice(before)));
}

/** Reads until the end of the log; gives all that came. */
async function readOn(place: TailPlace): Promise<RecordedEvent[]> {
  const found: RecordedEvent[] = [];
  while (place.position < BigInt(log.events.length - 1)) found.push(...(await place.next(never)));
  return found;
}

const positions = (events: readonly RecordedEvent[]) => events.map(({ position }) => Number(position));
const span = (from: number, through: number) =>
  Array.from({ length: through - from + 1 }, (_, index) => from + index);

beforeEach(() => {
  log = new FakeLog();
  wakeups = new Wakeups();
  tail = new LogTail(log, wakeups);
});

describe('events that were handed over', () => {
  test('come to every reader without a look into the log, decoded once', async () => {
    const places = [tail.enter(0n), tail.enter(0n), tail.enter(0n)];
    // Each has looked whether the log has more, and has found nothing.
    const firsts = places.map((place) => place.next(never));
    await until(() => log.reads.page === 1);
    commit(3);
    const [one = [], two = [], three = []] = await Promise.all(firsts);
    commit(4);
    const more = await Promise.all(places.map((place) => place.next(never)));
    expect(positions(one)).toEqual(span(1, 3));
    expect(more.map(positions)).toEqual([span(4, 7), span(4, 7), span(4, 7)]);
    for (const [index, record] of one.entries()) {
      expect(two[index]).toBe(record);
      expect(three[index]).toBe(record);
    }
    expect(log.reads.page).toBe(1);
  });

  test('are dropped when every reader has them', async () => {
    const [quick, slow] = [tail.enter(0n), tail.enter(0n)];
    commit(10);
    await readOn(quick);
    expect(tail.heldEvents).toBe(10);
    await readOn(slow);
    expect(tail.heldEvents).toBe(0);
  });

  test('are not kept for a reader that has left, nor without any reader', async () => {
    const [quick, slow] = [tail.enter(0n), tail.enter(0n)];
    commit(10);
    await readOn(quick);
    await slow.leave();
    expect(tail.heldEvents).toBe(0);
    await quick.leave();
    commit(10);
    expect(tail.heldEvents).toBe(0);
  });

  test('come in order when they are handed over after they were read in the log', async () => {
    const place = tail.enter(0n);
    log.fill(6);
    const first = await place.next(never);
    // The same flush, and one that the page of the log had cut in two.
    tail.handOver(packFlush(log.events.slice(1)));
    log.fill(3);
    tail.handOver(packFlush(log.events.slice(5)));
    expect([...positions(first), ...positions(await readOn(place))]).toEqual(span(1, 9));
  });
});

describe('the log is read', () => {
  test('for what lies between the place and what was handed over', async () => {
    const place = tail.enter(0n);
    await Promise.all([place.next(never), until(() => log.reads.page === 1).then(() => commit(2))]);
    // A commit of another process, of which nothing is said.
    log.fill(5);
    commit(2);
    expect(positions(await readOn(place))).toEqual(span(3, 9));
  });

  test('at a hint that it has grown', async () => {
    const place = tail.enter(0n);
    const next = place.next(never);
    await until(() => log.reads.page === 1);
    log.fill(2);
    wakeups.wake();
    expect(positions(await next)).toEqual([1, 2]);
  });

  test('without any hint after a while', async () => {
    const place = tail.enter(0n);
    const next = place.next(never);
    await until(() => log.reads.page === 1);
    log.fill(2);
    expect(positions(await next)).toEqual([1, 2]);
  });

  test('once for readers that are at the same place', async () => {
    log.fill(3 * PAGE_EVENTS);
    const places = [tail.enter(-1n), tail.enter(-1n), tail.enter(-1n)];
    const found = await Promise.all(places.map(readOn));
    for (const events of found) expect(positions(events)).toEqual(span(0, 3 * PAGE_EVENTS));
    expect(log.reads.page).toBe(4);
  });

  test('and its errors reach the reader', async () => {
    log.away = new Error('the log is away');
    await expect(tail.enter(0n).next(never)).rejects.toThrow('the log is away');
  });
});

describe('a reader that falls behind', () => {
  test.each([
    ['events', { ...TAIL_LIMITS, events: 100 }],
    ['bytes', { ...TAIL_LIMITS, size_bytes: 100 * 100 }],
  ])('beyond the limit of %s goes on from the log, and nothing more is held for it', async (_, limits) => {
    tail = new LogTail(log, wakeups, limits);
    const [quick, slow] = [tail.enter(0n), tail.enter(0n)];
    for (let round = 0; round < 50; round += 1) {
      commit(10);
      expect(positions(await readOn(quick))).toEqual(span(round * 10 + 1, round * 10 + 10));
      expect(tail.heldEvents).toBeLessThanOrEqual(110);
    }
    expect(tail.heldEvents).toBeGreaterThan(0);
    expect(positions(await readOn(slow))).toEqual(span(1, 500));
  });

  test('gets events that were decoded before it decoded again, if too many would stay in memory', async () => {
    tail = new LogTail(log, wakeups, { ...TAIL_LIMITS, decodedEvents: 20 });
    const [quick, slow] = [tail.enter(0n), tail.enter(0n)];
    const first: RecordedEvent[] = [];
    for (let round = 0; round < 5; round += 1) {
      commit(10);
      first.push(...(await readOn(quick)));
    }
    const second = await readOn(slow);
    expect(positions(second)).toEqual(span(1, 50));
    expect(second[0]).not.toBe(first[0]);
    expect(second[0]?.event).toEqual(first[0]?.event);
    expect(log.reads.page).toBe(0);
  });

  test('does not hold back what the others get', async () => {
    const [quick, slow] = [tail.enter(-1n), tail.enter(-1n)];
    log.fill(2_500);
    const early = await slow.next(never);
    expect(positions(await readOn(quick))).toEqual(span(0, 2_500));
    commit(10);
    expect(positions(await quick.next(never))).toEqual(span(2_501, 2_510));
    expect([...positions(early), ...positions(await readOn(slow))]).toEqual(span(0, 2_510));
  });
});

test('a wait ends with its signal, and gives nothing', async () => {
  const stop = new AbortController();
  const place = tail.enter(0n);
  const next = place.next(stop.signal);
  await until(() => log.reads.page === 1);
  stop.abort();
  expect(await next).toEqual([]);
  await place.leave();
});
