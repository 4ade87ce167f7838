/** How a schedule goes on: what falls due, what was missed, and what follows the outcome of a payment. Pure: the time is given. */
import { OnDecline, OnMissed } from '../../../gen/quittance/command/v1/schedule_service_pb.js';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { DeclineReason } from '../../../gen/quittance/common/v1/transaction_pb.js';
import type { Micros } from '../../../lib/base/time.js';
import type { Policy } from './policy.js';
import type { Counts, Progress, Settlement, Skipped } from './schedule.js';

/** The first times of a rule after another one. */
export type More = (after: Micros) => { readonly times: readonly Micros[]; readonly hasMore: boolean };

/** A schedule that has moved on, and what it passed over. */
export interface Step {
  readonly progress: Progress;
  readonly skipped: Skipped | undefined;
}

/** An answer shows at most so many times that come next. */
export const SHOWN_MAX = 10;
/** Times that are passed over at once, at most; the runner comes back at once. */
const PASSED_MAX = 500;

const NO_COUNTS: Counts = { posted: 0, declined: 0, failed: 0, skipped: 0 };

/** A new schedule. */
export function beginning(times: readonly Micros[], hasMore: boolean): Progress {
  const [occurrence, ...upcoming] = times;
  return {
    state: 'active',
    pauseReason: '',
    occurrence,
    attempt: 1,
    isBegun: false,
    wake: occurrence,
    upcoming,
    hasMore,
    counts: NO_COUNTS,
  };
}

/** The times that come next. A payment that is under way or tried again has had its time. */
export function nextTimesOf({ occurrence, attempt, isBegun, upcoming }: Progress): readonly Micros[] {
  const isAhead = occurrence !== undefined && attempt === 1 && !isBegun;
  return (isAhead ? [occurrence, ...upcoming] : upcoming).slice(0, SHOWN_MAX);
}

/** When a payment that was declined is tried again; undefined if none waits for that. */
export function nextAttemptOf({ attempt, isBegun, wake }: Progress): Micros | undefined {
  return attempt > 1 && !isBegun ? wake : undefined;
}

/** What is due of an active schedule: it comes back as begun, unless nothing is left to be made now. */
export function due(before: Progress, policy: Policy, now: Micros, more: More): Step {
  if (before.isBegun || before.state !== 'active') return { progress: before, skipped: undefined };
  const current = isRetryOver(before, policy, now) ? advanced(counted(before, 'declined'), more) : before;
  const { progress, skipped } = withoutMissed(current, policy, now, more);
  // What was passed over as far as it is at once: the rest is looked at in the next round.
  const isDue = progress.wake !== undefined && progress.wake <= now && (skipped?.count ?? 0) < PASSED_MAX;
  return { progress: isDue ? { ...progress, isBegun: true } : progress, skipped };
}

/** What follows the outcome of the attempt that was begun. */
export function settled(
  before: Progress,
  policy: Policy,
  settlement: Settlement,
  now: Micros,
  more: More,
): Progress {
  switch (settlement.outcome) {
    case 'posted':
      return advanced(counted(before, 'posted'), more);
    case 'failed': {
      const after = advanced(counted(before, 'failed'), more);
      return stopped(after, `refused: ${ErrorReason[settlement.reason]}`);
    }
    case 'declined': {
      const again = nextTry(before, policy, settlement.reason, now);
      if (again !== undefined) return { ...before, attempt: before.attempt + 1, isBegun: false, wake: again };
      const after = advanced(counted(before, 'declined'), more);
      if (policy.onDecline !== OnDecline.PAUSE) return after;
      return stopped(after, `declined: ${DeclineReason[settlement.reason]}`);
    }
    default:
      return settlement satisfies never;
  }
}

/** The schedule paused; of one that is paused, the reason is set anew. A payment that waits to be tried again is given up. */
export function paused(before: Progress, reason: string, more: More): Progress {
  const current = nextAttemptOf(before) === undefined ? before : advanced(counted(before, 'declined'), more);
  return stopped({ ...current, state: current.state === 'paused' ? 'active' : current.state }, reason);
}

/** The schedule active, with the first time that is still to come. */
export function resumed(before: Progress, now: Micros, more: More): Step {
  const active: Progress = { ...before, state: 'active', pauseReason: '' };
  if (before.isBegun) return { progress: active, skipped: undefined };
  const { progress, skipped } = passedOver(active, more, ({ occurrence }) => occurrence <= now);
  return { progress: { ...progress, wake: progress.occurrence }, skipped };
}

/** The schedule cancelled. What is under way is still settled. */
export function cancelled(before: Progress): Progress {
  const current = nextAttemptOf(before) === undefined ? before : counted(before, 'declined');
  const over: Progress = { ...current, state: 'cancelled', pauseReason: '', upcoming: [], hasMore: false };
  return before.isBegun ? over : { ...over, occurrence: undefined, attempt: 1, wake: undefined };
}

function counted(progress: Progress, which: keyof Counts): Progress {
  const { counts } = progress;
  return { ...progress, counts: { ...counts, [which]: counts[which] + 1 } };
}

/** At the time after the one at hand, or at the end. */
function advanced(before: Progress, more: More): Progress {
  const { state, occurrence: last } = before;
  let { upcoming, hasMore } = before;
  const known = upcoming.at(-1) ?? last;
  if (hasMore && upcoming.length <= SHOWN_MAX && known !== undefined) {
    const found = more(known);
    upcoming = [...upcoming, ...found.times];
    hasMore = found.hasMore;
  }
  const [occurrence, ...rest] = upcoming;
  const next = { ...before, occurrence, attempt: 1, isBegun: false, upcoming: rest, hasMore };
  if (occurrence !== undefined) return { ...next, wake: state === 'active' ? occurrence : undefined };
  return { ...next, state: state === 'cancelled' ? state : 'ended', pauseReason: '', wake: undefined };
}

/** Paused, if it is active. What is under way goes on. */
function stopped(progress: Progress, pauseReason: string): Progress {
  if (progress.state !== 'active') return progress;
  return { ...progress, state: 'paused', pauseReason, wake: progress.isBegun ? progress.wake : undefined };
}

/** When the attempt at hand is tried again; undefined: not at all. Attempts keep their distance from the time of the schedule. */
function nextTry(
  { state, occurrence, upcoming }: Progress,
  { onDecline, retryInterval, retryPeriod }: Policy,
  reason: DeclineReason,
  now: Micros,
): Micros | undefined {
  if (state !== 'active' || occurrence === undefined) return undefined;
  // A closed account stays closed.
  if (onDecline !== OnDecline.RETRY || reason === DeclineReason.ACCOUNT_CLOSED) return undefined;
  const since = now < occurrence ? 0n : now - occurrence;
  const next = occurrence + (since / retryInterval + 1n) * retryInterval;
  const [following] = upcoming;
  const isInTime = next <= occurrence + retryPeriod && (following === undefined || next < following);
  return isInTime ? next : undefined;
}

/** Whether a payment that waits to be tried again has waited too long: the next one is due, or the server was down. */
function isRetryOver(progress: Progress, { retryPeriod, lateAfter }: Policy, now: Micros): boolean {
  const { occurrence, upcoming } = progress;
  if (nextAttemptOf(progress) === undefined || occurrence === undefined) return false;
  const [following] = upcoming;
  return now > occurrence + retryPeriod + lateAfter || (following !== undefined && following <= now);
}

function withoutMissed(before: Progress, { onMissed, lateAfter }: Policy, now: Micros, more: More): Step {
  const isLate = (time: Micros | undefined) => time !== undefined && time + lateAfter < now;
  // What was tried before was not missed.
  if (before.attempt > 1 || onMissed === OnMissed.MAKE_EACH) return { progress: before, skipped: undefined };
  const isLast = onMissed === OnMissed.MAKE_LAST;
  return passedOver(
    before,
    more,
    ({ occurrence, following, count }) => count < PASSED_MAX && isLate(isLast ? following : occurrence),
  );
}

/** Passes over times as long as they are to be. */
function passedOver(
  before: Progress,
  more: More,
  isPassed: (at: {
    readonly occurrence: Micros;
    readonly following: Micros | undefined;
    /** How many were passed over. */
    readonly count: number;
  }) => boolean,
): Step {
  let progress = before;
  let skipped: Skipped | undefined;
  for (let { occurrence } = before; occurrence !== undefined; { occurrence } = progress) {
    const count = skipped?.count ?? 0;
    if (!isPassed({ occurrence, following: progress.upcoming[0], count })) break;
    skipped = { first: skipped?.first ?? occurrence, last: occurrence, count: count + 1 };
    progress = advanced(counted(progress, 'skipped'), more);
  }
  return { progress, skipped };
}
