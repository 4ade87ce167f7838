import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { ClockGuard } from './clock-guard.js';

const SECOND_US = 1_000_000n;

/** The clocks of a process and of its database, set by the test. */
let process_us: bigint;
let steady_ms: number;
let answerOfDatabase: () => Promise<bigint>;
let guard: ClockGuard;

beforeEach(async () => {
  process_us = 1_700_000_000n * SECOND_US;
  steady_ms = 5_000;
  answerOfDatabase = () => Promise.resolve(1_700_000_000n * SECOND_US);
  guard = new ClockGuard(
    () => process_us,
    { now: () => answerOfDatabase() },
    pino({ level: 'silent' }),
    () => Number(process_us / 1_000n) - steady_ms,
  );
  await guard.start();
});

afterEach(() => {
  guard.stop();
});

/** Resolves when the answer of the database was taken in. */
const compared = () => new Promise((resolve) => setImmediate(resolve));

test('a clock that runs on is not off', () => {
  expect(guard.isOff).toBe(false);
  process_us += 60n * SECOND_US;
  steady_ms += 60_000;
  expect(guard.isOff).toBe(false);
});

test('a clock that is set is off at once, and until it is set back', async () => {
  process_us += 5n * SECOND_US;
  expect(guard.isOff).toBe(true);
  await compared();
  expect(guard.isOff).toBe(true);
  process_us -= 5n * SECOND_US;
  expect(guard.isOff).toBe(true);
  await compared();
  expect(guard.isOff).toBe(false);
});

test('after the machine has slept the clock is compared, and agrees', async () => {
  process_us += 3_600n * SECOND_US;
  answerOfDatabase = () => Promise.resolve(process_us);
  expect(guard.isOff).toBe(true);
  await compared();
  expect(guard.isOff).toBe(false);
});

test('a clock that cannot be compared after it was set stays off, and is not compared at each look', async () => {
  let looks = 0;
  answerOfDatabase = () => {
    looks += 1;
    return Promise.reject(new Error('the database is away'));
  };
  process_us += 5n * SECOND_US;
  expect(guard.isOff).toBe(true);
  await compared();
  expect(guard.isOff).toBe(true);
  await compared();
  expect(looks).toBe(1);
});
