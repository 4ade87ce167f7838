/** What follows what: by a set clock, for every choice of a schedule. */
import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import {
  CreateScheduleRequestSchema,
  OnDecline,
  OnMissed,
} from '../../../gen/quittance/command/v1/schedule_service_pb.js';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { DeclineReason } from '../../../gen/quittance/common/v1/transaction_pb.js';
import { DAY, SECOND } from '../../../lib/base/time.js';
import { type Policy, policyOf } from './policy.js';
import {
  beginning,
  cancelled,
  due,
  type More,
  nextAttemptOf,
  nextTimesOf,
  paused,
  resumed,
  settled,
} from './progress.js';
import type { Progress, Settlement } from './schedule.js';

const HOUR = 3_600n * SECOND;
const FIRST = 1_800_000_000n * SECOND;
/** Daily. */
const at = (index: number) => FIRST + BigInt(index) * DAY;
const daily = (count: number) => Array.from({ length: count }, (_, index) => at(index));

const noMore: More = () => ({ times: [], hasMore: false });
const policy = (choices: Parameters<typeof create<typeof CreateScheduleRequestSchema>>[1] = {}): Policy =>
  policyOf(create(CreateScheduleRequestSchema, choices));
const recording = policy();
const retrying = policy({
  onDecline: OnDecline.RETRY,
  retryIntervalSeconds: 3_600,
  retryPeriodSeconds: 10_800,
});

const begun = (progress: Progress, now: bigint, by = recording, more = noMore) =>
  due(progress, by, now, more);
const noFunds: Settlement = { outcome: 'declined', reason: DeclineReason.INSUFFICIENT_FUNDS };
const after = (progress: Progress, outcome: Settlement, now: bigint, by = recording, more = noMore) =>
  settled(begun(progress, now, by, more).progress, by, outcome, now, more);

describe('a time', () => {
  test('falls due when it is there, and not before', () => {
    const start = beginning(daily(2), false);
    expect(begun(start, at(0) - 1n).progress).toEqual(start);
    expect(begun(start, at(0)).progress).toEqual({ ...start, isBegun: true });
  });

  test('that was paid is followed by the next one, and the last one by the end', () => {
    const second = after(beginning(daily(2), false), { outcome: 'posted' }, at(0));
    expect(second).toMatchObject({ state: 'active', occurrence: at(1), wake: at(1), isBegun: false });
    expect(after(second, { outcome: 'posted' }, at(1))).toMatchObject({
      state: 'ended',
      occurrence: undefined,
      wake: undefined,
      counts: { posted: 2, declined: 0, failed: 0, skipped: 0 },
    });
  });

  test('of a long rule is followed by all the others, worked out as they are needed', () => {
    const all = daily(250);
    const more: More = (last) => {
      const times = all.filter((time) => time > last).slice(0, 30);
      return { times, hasMore: times.at(-1) !== all.at(-1) };
    };
    let progress = beginning(all.slice(0, 100), true);
    for (const time of all) {
      expect(progress.occurrence).toBe(time);
      expect(nextTimesOf(progress)).toEqual(all.filter((each) => each >= time).slice(0, 10));
      progress = after(progress, { outcome: 'posted' }, time, recording, more);
    }
    expect(progress).toMatchObject({ state: 'ended', counts: { posted: 250 } });
  });
});

describe('a decline', () => {
  test('is counted, and the next time comes', () => {
    expect(after(beginning(daily(2), false), noFunds, at(0))).toMatchObject({
      state: 'active',
      occurrence: at(1),
      counts: { declined: 1 },
    });
  });

  test('pauses the schedule where that was chosen, and ends it where nothing is left', () => {
    const pausing = policy({ onDecline: OnDecline.PAUSE });
    expect(after(beginning(daily(2), false), noFunds, at(0), pausing)).toMatchObject({
      state: 'paused',
      pauseReason: 'declined: INSUFFICIENT_FUNDS',
      wake: undefined,
      occurrence: at(1),
    });
    expect(after(beginning(daily(1), false), noFunds, at(0), pausing)).toMatchObject({ state: 'ended' });
  });

  test('is tried again after each interval until the period is over, then it is counted once', () => {
    let progress = beginning(daily(2), false);
    for (const hours of [0n, 1n, 2n, 3n]) {
      // The runner comes a little late each time, and attempts keep their distance all the same.
      const now = at(0) + hours * HOUR + SECOND;
      if (hours > 0n) expect(nextAttemptOf(progress)).toBe(at(0) + hours * HOUR);
      progress = after(progress, noFunds, now, retrying);
    }
    expect(progress).toMatchObject({ occurrence: at(1), attempt: 1, counts: { declined: 1 } });
  });

  test('that is followed by a payment is counted as one', () => {
    const second = after(beginning(daily(2), false), noFunds, at(0), retrying);
    expect(second).toMatchObject({ attempt: 2, occurrence: at(0), counts: { declined: 0 } });
    expect(nextTimesOf(second)).toEqual([at(1)]);
    expect(after(second, { outcome: 'posted' }, at(0) + HOUR, retrying)).toMatchObject({
      occurrence: at(1),
      counts: { posted: 1, declined: 0 },
    });
  });

  test('is not tried again beyond the next time', () => {
    const long = policy({
      onDecline: OnDecline.RETRY,
      retryIntervalSeconds: 50_000,
      retryPeriodSeconds: 500_000,
    });
    const second = after(beginning(daily(2), false), noFunds, at(0), long);
    expect(nextAttemptOf(second)).toBe(at(0) + 50_000n * SECOND);
    expect(after(second, noFunds, at(0) + 50_000n * SECOND, long)).toMatchObject({
      occurrence: at(1),
      attempt: 1,
      counts: { declined: 1 },
    });
    // The server was down until the next time had come.
    expect(begun(second, at(1), long).progress).toMatchObject({
      occurrence: at(1),
      attempt: 1,
      isBegun: true,
      counts: { declined: 1 },
    });
  });

  test('of a closed account is final', () => {
    const closed: Settlement = { outcome: 'declined', reason: DeclineReason.ACCOUNT_CLOSED };
    expect(after(beginning(daily(2), false), closed, at(0), retrying)).toMatchObject({
      occurrence: at(1),
      attempt: 1,
      counts: { declined: 1 },
    });
  });
});

test('an error pauses the schedule, and ends it where nothing is left', () => {
  const refused: Settlement = { outcome: 'failed', reason: ErrorReason.ACCOUNT_NOT_FOUND };
  expect(after(beginning(daily(2), false), refused, at(0))).toMatchObject({
    state: 'paused',
    pauseReason: 'refused: ACCOUNT_NOT_FOUND',
    counts: { failed: 1 },
  });
  expect(after(beginning(daily(1), false), refused, at(0))).toMatchObject({ state: 'ended' });
});

describe('while the server was down for three times of a daily schedule', () => {
  const back = at(3) - HOUR;
  const start = beginning(daily(5), false);
  /** The times that are paid until nothing is due. */
  function paidBy(by: Policy, now = back): { paid: bigint[]; skipped: number } {
    const paid: bigint[] = [];
    let progress = start;
    for (;;) {
      ({ progress } = due(progress, by, now, noMore));
      if (!progress.isBegun || progress.occurrence === undefined) break;
      paid.push(progress.occurrence);
      progress = settled(progress, by, { outcome: 'posted' }, now, noMore);
    }
    return { paid, skipped: progress.counts.skipped };
  }

  test('MAKE_EACH pays each, in order', () => {
    expect(paidBy(recording)).toEqual({ paid: [at(0), at(1), at(2)], skipped: 0 });
  });

  test('MAKE_LAST pays the last one', () => {
    const last = policy({ onMissed: OnMissed.MAKE_LAST });
    expect(paidBy(last)).toEqual({ paid: [at(2)], skipped: 2 });
    expect(due(start, last, back, noMore).skipped).toEqual({ first: at(0), last: at(1), count: 2 });
  });

  test('MAKE_LAST pays the last one that was missed, and the one that was not', () => {
    const last = policy({ onMissed: OnMissed.MAKE_LAST });
    expect(paidBy(last, at(2) + SECOND)).toEqual({ paid: [at(1), at(2)], skipped: 1 });
  });

  test('SKIP pays none, and one that is not late', () => {
    const skip = policy({ onMissed: OnMissed.SKIP });
    expect(paidBy(skip)).toEqual({ paid: [], skipped: 3 });
    expect(paidBy(skip, at(2) + HOUR)).toEqual({ paid: [at(2)], skipped: 2 });
  });

  test('one whose payment may have been sent is not skipped', () => {
    const skip = policy({ onMissed: OnMissed.SKIP });
    const { progress } = due(start, skip, at(0), noMore);
    expect(due(progress, skip, back, noMore)).toEqual({ progress, skipped: undefined });
  });

  test('thousands of times are passed over in rounds', () => {
    const skip = policy({ onMissed: OnMissed.SKIP });
    let progress = beginning(daily(1_201), false);
    const counts: number[] = [];
    while (!progress.isBegun) {
      const step = due(progress, skip, at(1_200), noMore);
      counts.push(step.skipped?.count ?? 0);
      ({ progress } = step);
    }
    expect(counts).toEqual([500, 500, 200]);
    expect(progress).toMatchObject({ occurrence: at(1_200), counts: { skipped: 1_200 } });
  });
});

describe('a pause', () => {
  test('passes over what fell due meanwhile', () => {
    const stopped = paused(beginning(daily(4), false), 'holidays', noMore);
    expect(stopped).toMatchObject({ state: 'paused', pauseReason: 'holidays', wake: undefined });
    expect(begun(stopped, at(1)).progress).toEqual(stopped);
    const { progress, skipped } = resumed(stopped, at(1), noMore);
    expect(progress).toMatchObject({ state: 'active', pauseReason: '', occurrence: at(2), wake: at(2) });
    expect(skipped).toEqual({ first: at(0), last: at(1), count: 2 });
    expect(resumed(stopped, at(9), noMore).progress).toMatchObject({
      state: 'ended',
      counts: { skipped: 4 },
    });
  });

  test('of a schedule that is paused sets the reason anew', () => {
    const stopped = paused(beginning(daily(1), false), 'one', noMore);
    expect(paused(stopped, 'two', noMore)).toEqual({ ...stopped, pauseReason: 'two' });
  });

  test('gives up a payment that waits to be tried again', () => {
    const second = after(beginning(daily(2), false), noFunds, at(0), retrying);
    const stopped = paused(second, 'enough', noMore);
    expect(stopped).toMatchObject({
      state: 'paused',
      occurrence: at(1),
      attempt: 1,
      counts: { declined: 1 },
    });
  });

  test('lets the payment under way come to its end', () => {
    const { progress } = begun(beginning(daily(2), false), at(0));
    const stopped = paused(progress, 'stop', noMore);
    expect(stopped).toMatchObject({ isBegun: true, wake: at(0) });
    expect(settled(stopped, recording, { outcome: 'posted' }, at(0), noMore)).toMatchObject({
      state: 'paused',
      pauseReason: 'stop',
      occurrence: at(1),
      wake: undefined,
      counts: { posted: 1 },
    });
  });
});

describe('a cancellation', () => {
  test('leaves nothing', () => {
    expect(cancelled(beginning(daily(4), false))).toMatchObject({
      state: 'cancelled',
      occurrence: undefined,
      wake: undefined,
      upcoming: [],
    });
  });

  test('lets the payment under way come to its end', () => {
    const { progress } = begun(beginning(daily(2), false), at(0));
    const over = cancelled(progress);
    expect(over).toMatchObject({ state: 'cancelled', isBegun: true, wake: at(0) });
    expect(settled(over, retrying, noFunds, at(0), noMore)).toMatchObject({
      state: 'cancelled',
      occurrence: undefined,
      wake: undefined,
      counts: { declined: 1 },
    });
  });
});
