/** Values as proto3 JSON has them; undefined where it leaves a field out. */
import { SECOND } from '../../../lib/base/time.js';

/** An int64; zero is left out. */
export function int64(value: bigint): string | undefined {
  return value === 0n ? undefined : String(value);
}

/** A string, number or bool; what is empty, zero or false is left out. */
export function plain<T extends string | number | boolean>(value: T): T | undefined {
  return value === '' || value === 0 || value === false ? undefined : value;
}

/** A repeated field. */
export function list<T>(values: readonly T[]): readonly T[] | undefined {
  return values.length === 0 ? undefined : values;
}

/** An enum value by its full name. */
export function enumName(prefix: string, name: string | undefined): string | undefined {
  return name === undefined || name === 'UNSPECIFIED' ? undefined : `${prefix}_${name}`;
}

/** A map, sorted by key. */
export function map(pairs: Readonly<Record<string, string>>): Record<string, string> | undefined {
  const keys = Object.keys(pairs);
  if (keys.length === 0) return undefined;
  return Object.fromEntries(keys.sort().map((key) => [key, pairs[key] ?? '']));
}

/** The second that was last made a text, since most times are close to the one before. */
let known = { second: 0n, text: '1970-01-01T00:00:00' };

/** A Timestamp of UTC microseconds: 0, 3 or 6 digits of a second, as many as are needed. */
export function timestamp(micros: bigint): string {
  const second = micros / SECOND;
  if (second !== known.second) {
    known = { second, text: new Date(Number(second * 1000n)).toISOString().slice(0, 19) };
  }
  const fraction = String(micros % SECOND).padStart(6, '0');
  if (fraction === '000000') return `${known.text}Z`;
  return fraction.endsWith('000') ? `${known.text}.${fraction.slice(0, 3)}Z` : `${known.text}.${fraction}Z`;
}
