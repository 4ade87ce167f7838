/**
 * Days, weeks and months of an IANA time zone. Days have 23 or 25 hours where the clock changes. What the zone's clock shows comes
 * from Intl: Node carries the whole tz database for it.
 */
import { SECOND } from './time.js';
import { type Zone, zoneNamed } from './zone.js';

/** Seconds since 1970: a period begins and ends at a whole second. */
export type Seconds = number;

const DAY: Seconds = 86_400;

/** A day, a week from Monday on, or a month. */
export type CalendarPeriod = 'DAY' | 'WEEK' | 'MONTH';

/** From `start` on, before `end`; UTC microseconds. */
export interface TimeSpan {
  readonly start: bigint;
  readonly end: bigint;
}

/** Maps the local midnight of a day to another one; both as if the local clock were UTC. */
type OfMidnight = (midnight: Seconds) => Seconds;

/** Of each kind of period, the midnight that it begins with, and the one that the next period begins with. */
const PERIODS: Readonly<Record<CalendarPeriod, { readonly first: OfMidnight; readonly next: OfMidnight }>> = {
  DAY: { first: (midnight) => midnight, next: nextDay },
  WEEK: { first: lastMonday, next: nextMonday },
  MONTH: { first: firstOfMonth, next: nextMonth },
};

/**
 * The period of a time zone that a time (UTC microseconds) falls in. A zone that is empty, or that this version of Node does not
 * know, is UTC: names are checked where they come in, and a later version may have dropped one.
 */
export function periodAt(period: CalendarPeriod, timeZone: string, time: bigint): TimeSpan {
  const zone = zoneNamed(timeZone === '' ? 'UTC' : timeZone) ?? zoneNamed('UTC');
  if (zone === undefined) throw new Error('UTC is a time zone');
  const { first, next } = PERIODS[period];
  const at = floorSeconds(time);
  const shown = at + zone.offsetAt(at);
  const start = Math.min(zone.instantOf(first(shown - modulo(shown, DAY))), at);
  return { start: BigInt(start) * SECOND, end: BigInt(nextStart(zone, at, next)) * SECOND };
}

/** When the first day after an instant begins that `later` maps a local midnight to. */
export function nextStart(zone: Zone, at: Seconds, later: OfMidnight): Seconds {
  const shown = at + zone.offsetAt(at);
  let midnight = later(shown - modulo(shown, DAY));
  let bound = zone.instantOf(midnight);
  // A zone that crossed the date line left a day out (Samoa, 2011): it begins where the next one does.
  while (bound <= at) {
    midnight = later(midnight);
    bound = zone.instantOf(midnight);
  }
  return bound;
}

/** The midnight after one. */
export function nextDay(midnight: Seconds): Seconds {
  return midnight + DAY;
}

/** The midnight with which the week after that of a midnight begins. */
export function nextMonday(midnight: Seconds): Seconds {
  return lastMonday(midnight) + 7 * DAY;
}

/** The midnight with which the month after that of a midnight begins. */
export function nextMonth(midnight: Seconds): Seconds {
  const date = new Date(midnight * 1000);
  date.setUTCMonth(date.getUTCMonth() + 1, 1);
  return date.getTime() / 1000;
}

function lastMonday(midnight: Seconds): Seconds {
  // The first of January 1970 was a Thursday.
  return midnight - modulo(midnight / DAY + 3, 7) * DAY;
}

function firstOfMonth(midnight: Seconds): Seconds {
  const date = new Date(midnight * 1000);
  date.setUTCDate(1);
  return date.getTime() / 1000;
}

/** The last whole second at or before a time of UTC microseconds. */
export function floorSeconds(micros: bigint): Seconds {
  const seconds = micros / SECOND;
  return Number(micros < 0n && micros % SECOND !== 0n ? seconds - 1n : seconds);
}

/** The remainder, which is never negative. */
export function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
