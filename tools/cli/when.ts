/** Times as people write them: `2026-11-27T10:00Z`, `2026-10-31`, `-2h`, `+24h`, `now`. */
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { InvalidArgumentError } from 'commander';
import { type Micros, microsOf, SECOND, timestampOf } from '../../lib/base/time.js';

const UNITS: Readonly<Record<string, Micros>> = {
  s: SECOND,
  m: 60n * SECOND,
  h: 3_600n * SECOND,
  d: 86_400n * SECOND,
  w: 604_800n * SECOND,
};

const ISO = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?(Z|[+-]\d{2}:\d{2}))?$/;

/** A time, not yet read against the clock: a flag is read before the command runs. */
export type When = (now: Micros) => Timestamp;

/** A point in time or in the log, as `--at` names it. */
export type At =
  | { readonly axis: 'position'; readonly position: bigint }
  | { readonly axis: 'recorded' | 'effective'; readonly when: When };

/** Reads a time. @throws InvalidArgumentError */
export function readWhen(typed: string): When {
  if (typed === 'now') return timestampOf;
  const [, sign, digits = '', unit = ''] = /^([+-])(\d{1,6})([smhdw])$/.exec(typed) ?? [];
  const unit_us = UNITS[unit];
  if (unit_us !== undefined) {
    const offset = BigInt(digits) * unit_us;
    return (now) => timestampOf(sign === '-' ? now - offset : now + offset);
  }
  const micros = isoMicros(typed);
  if (micros !== undefined) return () => timestampOf(micros);
  throw new InvalidArgumentError('It is a time such as 2026-11-27T10:00Z, 2026-10-31 (UTC), -2h or +24h.');
}

/** Reads `--at`: a position, a recorded time, or `effective:` and a time. @throws InvalidArgumentError */
export function readAt(typed: string): At {
  if (/^\d{1,18}$/.test(typed)) return { axis: 'position', position: BigInt(typed) };
  const [, effective] = /^effective:(.*)$/.exec(typed) ?? [];
  if (effective !== undefined) return { axis: 'effective', when: readWhen(effective) };
  return { axis: 'recorded', when: readWhen(typed) };
}

/** undefined for what is no ISO time or names a day that does not exist. */
function isoMicros(typed: string): Micros | undefined {
  const [, date = '', minutes = '00:00', seconds = '00', fraction = '', zone = 'Z'] = ISO.exec(typed) ?? [];
  if (date === '') return undefined;
  const whole_ms = Date.parse(`${date}T${minutes}:${seconds}${zone}`);
  const day = new Date(`${date}T00:00:00Z`);
  if (Number.isNaN(whole_ms) || Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== date)
    return undefined;
  return BigInt(whole_ms) * 1_000n + BigInt(fraction.padEnd(6, '0'));
}

/** The whole time in UTC, to the microsecond; empty if there is none. */
export function isoOf(time: Timestamp | undefined): string {
  if (time === undefined) return '';
  const micros = microsOf(time);
  const rest = ((micros % SECOND) + SECOND) % SECOND;
  return `${secondOf(time)}.${String(rest).padStart(6, '0')}Z`;
}

/** The time to the second, as lists show it. */
export function briefOf(time: Timestamp | undefined): string {
  return time === undefined ? '' : `${secondOf(time)}Z`;
}

/** The second that the time lies in. Dates have milliseconds, and would be rounded up to the next one. */
function secondOf({ seconds }: Timestamp): string {
  return new Date(Number(seconds) * 1_000).toISOString().slice(0, 19);
}
