/** UTC microseconds (bigint) inside, google.protobuf.Timestamp at the doors. Nothing is ever rounded. */
import type { Duration, Timestamp } from '@bufbuild/protobuf/wkt';

/** Microseconds since 1970 in UTC. */
export type Micros = bigint;

/** The clock of everything that decides; tests bring their own. */
export type Clock = () => Micros;

export const SECOND: Micros = 1_000_000n;
export const DAY: Micros = 86_400n * SECOND;

/** A step of the machine's clock that is followed, milliseconds. What is smaller is rounding. */
const STEP_MS = 50;

/**
 * The wall clock. It runs with the steady clock, which gives what Date.now() rounds away. Where the two part, since the machine's
 * clock was set or the machine has slept, it follows the machine's.
 */
export function wallClock(machine_ms: () => number, steady_ms: () => number): Clock {
  let offset_ms = machine_ms() - steady_ms();
  return () => {
    const [now_ms, elapsed_ms] = [machine_ms(), steady_ms()];
    if (Math.abs(now_ms - elapsed_ms - offset_ms) > STEP_MS) offset_ms = now_ms - elapsed_ms;
    return BigInt(Math.floor((elapsed_ms + offset_ms) * 1000));
  };
}

/** The wall clock of this machine. */
export const systemClock: Clock = wallClock(
  () => Date.now(),
  () => performance.now(),
);

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

/** Of zero or more microseconds. */
export function durationOf(micros: Micros): Duration {
  const nanos = Number(micros % SECOND) * 1000;
  return { $typeName: 'google.protobuf.Duration', seconds: micros / SECOND, nanos };
}
