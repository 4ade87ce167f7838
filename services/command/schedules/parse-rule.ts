/** Reads a recurrence rule of RFC 5545 as far as the library has to be trusted with it: known parts, in range, each once. */
import type { RuleRefusal } from './rule.js';

const FREQUENCIES = ['MINUTELY', 'HOURLY', 'DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'] as const;
export type Frequency = (typeof FREQUENCIES)[number];

/** A rule that was read. */
export interface ParsedRule {
  /** Its parts without COUNT and UNTIL, in capitals. */
  readonly text: string;
  readonly frequency: Frequency;
  readonly interval: number;
  /** How many times it has; undefined where UNTIL ends the rule. */
  readonly count: number | undefined;
  /** The last second; undefined where COUNT ends the rule. */
  readonly until: Until | undefined;
}

/** UNTIL, as seconds since 1970 that UTC would count to the reading of the clock. */
export interface Until {
  readonly seconds: number;
  /** Whether it is given in UTC; else it is local time. */
  readonly isUtc: boolean;
}

/** One number of at least 1. */
const NUMBERS: ReadonlyMap<string, number> = new Map([
  ['INTERVAL', 10_000],
  ['COUNT', 1_000_000_000],
]);
/** Lists of numbers from a least one to a greatest; with a least one of -1 they count from the end too, and are not 0. */
const LISTS: ReadonlyMap<string, readonly [least: number, greatest: number]> = new Map([
  ['BYMONTH', [1, 12]],
  ['BYHOUR', [0, 23]],
  ['BYMINUTE', [0, 59]],
  ['BYSECOND', [0, 59]],
  ['BYMONTHDAY', [-1, 31]],
  ['BYYEARDAY', [-1, 366]],
  ['BYWEEKNO', [-1, 53]],
  ['BYSETPOS', [-1, 366]],
]);
const DAY = /^(?:[+-]?(\d{1,2}))?(?:MO|TU|WE|TH|FR|SA|SU)$/;
const WEEK_DAY = /^(?:MO|TU|WE|TH|FR|SA|SU)$/;
const UNTIL = /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?$/;
const WEEKS_MAX = 53;

/** The rule, or why it is none. */
export function parseRule(given: string): ParsedRule | RuleRefusal {
  const parts = new Map<string, string>();
  for (const part of given.toUpperCase().split(';')) {
    const [, name = '', value = ''] = /^([A-Z]+)=([A-Z0-9,+-]+)$/.exec(part) ?? [];
    if (name === '') return invalid(`${part === '' ? 'an empty part' : part} is not NAME=VALUE`);
    if (parts.has(name)) return invalid(`${name} is given twice`);
    parts.set(name, value);
  }
  const named = parts.get('FREQ');
  if (named === 'SECONDLY') {
    return { fault: 'TOO_FREQUENT', description: 'has times that are less than a minute apart' };
  }
  const frequency = FREQUENCIES.find((each) => each === named);
  if (frequency === undefined) return invalid(`FREQ must be one of ${FREQUENCIES.join(', ')}`);
  const fault = faultOf(frequency, parts);
  if (fault !== undefined) return fault;
  const end = parts.get('UNTIL');
  const until = end === undefined ? undefined : untilOf(end);
  if (until === null) return invalid('UNTIL is no time such as 20271231 or 20271231T235959Z');
  const count = parts.get('COUNT');
  parts.delete('COUNT');
  parts.delete('UNTIL');
  return {
    text: [...parts].map(([name, value]) => `${name}=${value}`).join(';'),
    frequency,
    interval: Number(parts.get('INTERVAL') ?? 1),
    count: count === undefined ? undefined : Number(count),
    until,
  };
}

function faultOf(frequency: Frequency, parts: ReadonlyMap<string, string>): RuleRefusal | undefined {
  for (const [name, value] of parts) {
    if (!isInRange(name, value)) return invalid(`${name}=${value} is not supported, or out of range`);
  }
  const misfit = misfitOf(frequency, parts);
  if (misfit !== undefined) return invalid(misfit);
  if (parts.has('COUNT') && parts.has('UNTIL')) return invalid('COUNT and UNTIL exclude each other');
  if (parts.has('COUNT') || parts.has('UNTIL')) return undefined;
  return { fault: 'ENDLESS', description: 'never ends: give COUNT or UNTIL' };
}

function isInRange(name: string, value: string): boolean {
  if (name === 'FREQ' || name === 'UNTIL') return true;
  if (name === 'WKST') return WEEK_DAY.test(value);
  const items = value.split(',');
  if (name === 'BYDAY') {
    return items.every((item) => {
      const match = DAY.exec(item);
      return match !== null && (match[1] === undefined || isBetween(Number(match[1]), 1, WEEKS_MAX));
    });
  }
  const greatest = NUMBERS.get(name);
  if (greatest !== undefined) return /^\d{1,9}$/.test(value) && isBetween(Number(value), 1, greatest);
  const range = LISTS.get(name);
  if (range === undefined) return false;
  const [least, most] = range;
  if (least >= 0)
    return items.every((item) => /^\d{1,2}$/.test(item) && isBetween(Number(item), least, most));
  return items.every((item) => /^[+-]?\d{1,3}$/.test(item) && isBetween(Math.abs(Number(item)), 1, most));
}

/** What RFC 5545 does not allow together, section 3.3.10. */
function misfitOf(frequency: Frequency, parts: ReadonlyMap<string, string>): string | undefined {
  const days = parts.get('BYDAY');
  const hasNumberedDays = days !== undefined && /\d/.test(days);
  if (hasNumberedDays && ((frequency !== 'MONTHLY' && frequency !== 'YEARLY') || parts.has('BYWEEKNO'))) {
    return 'BYDAY takes numbers only with MONTHLY, and with YEARLY without BYWEEKNO';
  }
  if (parts.has('BYMONTHDAY') && frequency === 'WEEKLY') return 'BYMONTHDAY is not for WEEKLY';
  if (parts.has('BYYEARDAY') && ['DAILY', 'WEEKLY', 'MONTHLY'].includes(frequency)) {
    return 'BYYEARDAY is not for DAILY, WEEKLY and MONTHLY';
  }
  if (parts.has('BYWEEKNO') && frequency !== 'YEARLY') return 'BYWEEKNO is for YEARLY alone';
  const hasOther = [...parts.keys()].some((name) => name.startsWith('BY') && name !== 'BYSETPOS');
  if (parts.has('BYSETPOS') && !hasOther) return 'BYSETPOS needs another BY part';
  return undefined;
}

/** Null if it is no time. */
function untilOf(text: string): Until | null {
  const match = UNTIL.exec(text);
  if (match === null) return null;
  const [year = 0, month = 0, day = 0] = match.slice(1, 4).map(Number);
  const isDate = match[4] === undefined;
  const [hour = 0, minute = 0, second = 0] = isDate ? [23, 59, 59] : match.slice(4, 7).map(Number);
  const time_ms = Date.UTC(year, month - 1, day, hour, minute, second);
  const spelled = new Date(time_ms).toISOString().replace(/[-:]|\.\d+Z/g, '');
  const expected = isDate ? `${text}T235959` : text.replace('Z', '');
  return spelled === expected ? { seconds: time_ms / 1000, isUtc: match[7] === 'Z' } : null;
}

function isBetween(value: number, least: number, greatest: number): boolean {
  return value >= least && value <= greatest;
}

function invalid(description: string): RuleRefusal {
  return { fault: 'INVALID', description };
}
