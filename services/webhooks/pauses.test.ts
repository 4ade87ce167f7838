import { expect, test } from '@jest/globals';
import { askedPause_ms, pauseAfter_ms, pauseAfterLook_ms } from './pauses.js';

test('pauses double from a second to an hour, each a tenth more or less', () => {
  const middle = [1, 2, 3, 12, 13, 100, 100_000].map((attempts) => pauseAfter_ms(attempts, 0.5));
  expect(middle).toEqual([1_000, 2_000, 4_000, 2_048_000, 3_600_000, 3_600_000, 3_600_000]);
  expect([pauseAfter_ms(1, 0), pauseAfter_ms(13, 0.75)]).toEqual([900, 3_780_000]);
});

test('a receiver may ask for an hour at most', () => {
  expect([0, 5_000, 86_400_000].map(askedPause_ms)).toEqual([0, 5_000, 3_600_000]);
});

test('looks take a twentieth of the time, and one that took long does not keep the next one away', () => {
  expect([0, 0.5, 2, 20, 5_000].map(pauseAfterLook_ms)).toEqual([20, 20, 40, 400, 2_000]);
});
