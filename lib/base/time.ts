/** UTC microseconds (bigint) inside, google.protobuf.Timestamp at the doors. Nothing is ever rounded. */
import type { Timestamp } from '@bufbuild/protobuf/wkt';

/** Microseconds since 1970 in UTC. */
export type Micros = bigint;

/** The clock of everything that decides; tests bring their own. */
export type Clock = () => Micros;

export const SECOND: Micros = 1_000_000n;
export const DAY: Micros = 86_400n * SECOND;

/** The wall clock. `performance` gives what Date.now() rounds away. */
export const systemClock: Clock = () =>
  BigInt(Math.floor((performance.timeOrigin + performance.now()) * 1000));

/** @throws RangeError if the timestamp is finer than a microsecond; the contracts refuse such input before. */
export function microsOf(timestamp: Timestamp): Micros {
  if (timestamp.nanos % 1000 !== 0) throw new RangeError('finer than a microsecond');
  return timestamp.seconds * SECOND + BigInt(timestamp.nanos / 1000);
}

export function timestampOf(micros: Micros): Timestamp {
  const seconds = micros >= 0n ? micros / SECOND : (micros - SECOND + 1n) / SECOND;
  const nanos = Number(micros - seconds * SECOND) * 1000;
  return { $typeName: 'google.protobuf.Timestamp', seconds, nanos };
}
