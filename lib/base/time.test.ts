import { expect, test } from '@jest/globals';
import { wallClock } from './time.js';

/** A machine whose clocks are set by the test, milliseconds. */
function machine() {
  const times = { wall_ms: 1_700_000_000_000, steady_ms: 5_000 };
  const clock = wallClock(
    () => Math.floor(times.wall_ms),
    () => times.steady_ms,
  );
  const run = (elapsed_ms: number) => {
    times.wall_ms += elapsed_ms;
    times.steady_ms += elapsed_ms;
  };
  return { times, clock, run };
}

test('the wall clock has the microseconds that the clock of the machine rounds away', () => {
  const { clock, run } = machine();
  const began = clock();
  run(0.25);
  expect(clock() - began).toBe(250n);
  run(1_000);
  expect(clock() - began).toBe(1_000_250n);
});

test('the wall clock follows when the machine has slept, and when its clock is set back', () => {
  const { clock, run, times } = machine();
  const began = clock();
  // The steady clock stands still while the machine sleeps.
  times.wall_ms += 3_600_000;
  run(10);
  expect(clock() - began).toBe(3_600_010_000n);
  times.wall_ms -= 60_000;
  run(10);
  expect(clock() - began).toBe(3_540_020_000n);
});
