/**
 * IANA time zones by Intl: the offset at an instant, and the instant of a local time. Seconds since 1970
 * throughout.
 */
import { LRUCache } from 'lru-cache';

/**
 * A time zone. A local time is given as the seconds that UTC would count to the same reading of the clock.
 */
export interface Zone {
  /** Local time less UTC, in seconds. */
  offsetAt(instant: number): number;
  /** When the clock first shows a local time; if it skips that, when it has skipped it. */
  instantOf(local: number): number;
}

const UTC: Zone = { offsetAt: () => 0, instantOf: (local) => local };

const DAY = 86_400;
/** Names differ in case too, so they are bounded, as callers may send anything. */
const zones = new LRUCache<string, Zone>({ max: 200 });

/** The zone of a name; undefined if there is none. Bare offsets such as `+01:00` are no zones. */
export function zoneNamed(name: string): Zone | undefined {
  if (name === 'UTC') return UTC;
  const known = zones.get(name);
  if (known !== undefined) return known;
  const clock = clockOf(name);
  if (clock === undefined) return undefined;
  const zone = zoneOf(clock);
  zones.set(name, zone);
  return zone;
}

/** What the zone's clock shows at an instant, as local seconds. */
type WallClock = (instant: number) => number;

function zoneOf(clock: WallClock): Zone {
  const offsetAt = (instant: number) => clock(instant) - instant;
  const instantOf = (local: number): number => {
    // No zone is more than a day off UTC, and none moves its clock twice within days.
    const before = offsetAt(local - DAY);
    const after = offsetAt(local + DAY);
    // The greater offset gives the earlier instant: of a time that the clock shows twice, the first.
    for (const offset of [Math.max(before, after), Math.min(before, after)]) {
      if (offsetAt(local - offset) === offset) return local - offset;
    }
    // Shown never: the clock jumps over it, somewhere between the two candidates.
    let shownBefore = local - Math.max(before, after);
    let shownAfter = local - Math.min(before, after);
    while (shownAfter - shownBefore > 1) {
      const middle = Math.floor((shownBefore + shownAfter) / 2);
      if (clock(middle) < local) shownBefore = middle;
      else shownAfter = middle;
    }
    return shownAfter;
  };
  return { offsetAt, instantOf };
}

const SHOWN = /^(\d+)\/(\d+)\/(\d+) (\w+), (\d+):(\d+):(\d+)$/;

function clockOf(timeZone: string): WallClock | undefined {
  if (!/^[A-Za-z]/.test(timeZone)) return undefined;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  return (instant) => {
    // `format` and a pattern take a third of the time of `formatToParts`.
    const shown = SHOWN.exec(format.format(instant * 1000));
    if (shown === null) throw new Error('Intl writes times otherwise than expected');
    const [month = 0, day = 0, year = 0] = shown.slice(1, 4).map(Number);
    const [hour = 0, minute = 0, second = 0] = shown.slice(5).map(Number);
    const date = new Date(0);
    date.setUTCFullYear(shown[4] === 'BC' ? 1 - year : year, month - 1, day);
    return date.setUTCHours(hour, minute, second) / 1000;
  };
}
