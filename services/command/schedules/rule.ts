/**
 * The times of a recurrence rule of RFC 5545 on the clocks of a zone. The library walks the rule in UTC, as if that were the local
 * time, and in short spans: a rule can be as hostile as it likes, its search is bounded, and commands are decided between two spans.
 */
import { setImmediate } from 'node:timers/promises';
import { RRuleTemporal } from 'rrule-temporal';
import { SECOND, type Micros } from '../../../lib/base/time.js';
import { type Zone, zoneNamed } from '../../../lib/base/zone.js';
import { LocalClock } from './local-clock.js';
import { type Frequency, type ParsedRule, parseRule } from './parse-rule.js';

/** A rule as a caller gives it. */
export interface Rule {
  /** `FREQ=MONTHLY;COUNT=12` */
  readonly text: string;
  readonly timeZone: string;
  /** In whole seconds. */
  readonly start: Micros;
}

export type RuleFault = 'INVALID' | 'ENDLESS' | 'EMPTY' | 'TOO_FREQUENT' | 'TOO_LONG' | 'UNKNOWN_ZONE';

/** Why a rule is refused. */
export interface RuleRefusal {
  readonly fault: RuleFault;
  readonly description: string;
}

/** Times of a rule at most. */
export const OCCURRENCES_MAX = 10_000;
const DAY_S = 86_400;
/** Times of a rule are at least so far apart, seconds. */
const GAP_MIN_S = 60;
/** All times lie within 50 years of the start. */
const HORIZON_S = 50 * 366 * DAY_S;
/** The library walks so many periods of the frequency at a time. */
const SPAN_PERIODS = 64;
/** A search is given up after so many periods in a row without a time: of days, 54 years. */
const EMPTY_PERIODS_MAX = 20_000;

const PERIODS_S: Readonly<Record<Frequency, number>> = {
  MINUTELY: 60,
  HOURLY: 3_600,
  DAILY: DAY_S,
  WEEKLY: 7 * DAY_S,
  MONTHLY: 31 * DAY_S,
  YEARLY: 366 * DAY_S,
};

/** A rule that was read, in its zone. */
interface ReadRule {
  readonly parsed: ParsedRule;
  readonly zone: Zone;
  /** On the clock of the zone, as seconds that UTC would count to the same reading. All local times are given so. */
  readonly start: number;
}

/** All times of a rule in order; or why it is refused. */
export async function timesOf(rule: Rule): Promise<readonly Micros[] | RuleRefusal> {
  const read = readRule(rule);
  if ('fault' in read) return read;
  const { count } = read.parsed;
  if (count !== undefined && count > OCCURRENCES_MAX) return tooLong();
  const locals: number[] = [];
  let previous = -Infinity;
  for (const span of spansOf(read, read.start)) {
    if ('fault' in span) return locals.length === 0 ? emptyRule() : span;
    for (const local of span) {
      if (locals.length === count) break;
      if (local - previous < GAP_MIN_S) return tooFrequent();
      if (locals.length === OCCURRENCES_MAX) return tooLong();
      locals.push(local);
      previous = local;
    }
    if (locals.length === count) break;
    await setImmediate();
  }
  const instants = instantsOf(read, locals);
  return instants.length === 0 ? emptyRule() : instants;
}

/** The first times after another one, in order, at most `limit`. Undefined if the rule is refused by now: its zone is not known. */
export function timesAfter(rule: Rule, after: Micros, limit: number): readonly Micros[] | undefined {
  const read = readRule(rule);
  if ('fault' in read) return undefined;
  const after_s = Number(after / SECOND);
  const found: Micros[] = [];
  for (const span of spansOf(read, after_s + read.zone.offsetAt(after_s))) {
    if ('fault' in span) break;
    found.push(...instantsOf(read, span).filter((time) => time > after && time !== found.at(-1)));
    if (found.length >= limit) break;
  }
  return found.slice(0, limit);
}

/** Whether a rule was not refused. */
export function isTimes(times: readonly Micros[] | RuleRefusal): times is readonly Micros[] {
  return Array.isArray(times);
}

function readRule({ text, timeZone, start }: Rule): ReadRule | RuleRefusal {
  const zone = zoneNamed(timeZone);
  if (zone === undefined)
    return { fault: 'UNKNOWN_ZONE', description: `${timeZone} is no time zone of IANA` };
  const parsed = parseRule(text);
  if ('fault' in parsed) return parsed;
  const start_s = Number(start / SECOND);
  return { parsed, zone, start: start_s + zone.offsetAt(start_s) };
}

/** The local times of a rule from one on, up to its UNTIL; last a refusal, if they lie too far apart. */
function* spansOf(
  { parsed, zone, start }: ReadRule,
  from: number,
): Generator<readonly number[] | RuleRefusal, undefined> {
  const until = untilOf(parsed, zone);
  const horizon = start + HORIZON_S;
  const end = Math.min(until ?? horizon, horizon);
  const length = PERIODS_S[parsed.frequency] * parsed.interval * SPAN_PERIODS;
  const rule = new RRuleTemporal({
    rruleString: `DTSTART:${stampOf(start)}\nRRULE:${parsed.text}`,
    cache: false,
  });
  let emptyPeriods = 0;
  for (let at = Math.max(from, start); at <= end && emptyPeriods <= EMPTY_PERIODS_MAX; at += length) {
    const last = Math.min(at + length - 1, end);
    const found = rule.between(new Date(at * 1000), new Date(last * 1000), true);
    emptyPeriods = found.length === 0 ? emptyPeriods + SPAN_PERIODS : 0;
    yield found.map(({ epochMilliseconds }) => epochMilliseconds / 1000);
  }
  if (until === undefined || until > horizon || emptyPeriods > EMPTY_PERIODS_MAX) yield tooLong();
}

/** The end by UNTIL on the clock of the zone; a day more where it is given in UTC, since the clock may be set back before it. */
function untilOf({ until }: ParsedRule, zone: Zone): number | undefined {
  if (until === undefined) return undefined;
  return until.isUtc ? until.seconds + zone.offsetAt(until.seconds) + DAY_S : until.seconds;
}

/** The moments of local times, without those after UNTIL; two that come to the same moment are one. */
function instantsOf({ parsed: { until }, zone, start }: ReadRule, locals: readonly number[]): Micros[] {
  const clock = new LocalClock(zone);
  const last = until?.isUtc === true ? until.seconds : Infinity;
  const first = clock.instantOf(start);
  return locals
    .map((local) => clock.instantOf(local))
    .filter((instant, index, all) => instant >= first && instant <= last && instant !== all[index - 1])
    .map((instant) => BigInt(instant) * SECOND);
}

/** `20261128T101500Z` */
function stampOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/[-:]|\.\d+/g, '');
}

function tooLong(): RuleRefusal {
  const description = `has more than ${String(OCCURRENCES_MAX)} times, or they lie too far apart: all must come within 50 years`;
  return { fault: 'TOO_LONG', description };
}

function emptyRule(): RuleRefusal {
  return { fault: 'EMPTY', description: 'has no time' };
}

function tooFrequent(): RuleRefusal {
  return { fault: 'TOO_FREQUENT', description: 'has times that are less than a minute apart' };
}
