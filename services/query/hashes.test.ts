import { expect, test } from '@jest/globals';
import { isSameHash, isUnknownHash, UNKNOWN_HASH } from './hashes.js';

const whole = new Uint8Array(32).map((_, index) => index + 1);

test('a hash is the same whole and cut as a token has it, and not with another byte or of another length', () => {
  expect(isSameHash(whole, whole)).toBe(true);
  expect(isSameHash(whole.subarray(0, 8), whole)).toBe(true);
  expect(isSameHash(whole.subarray(1, 9), whole)).toBe(false);
  expect(isSameHash(whole, whole.subarray(0, 8))).toBe(false);
});

test('an unknown hash is known as such, and is the hash of no event', () => {
  expect(isUnknownHash(UNKNOWN_HASH)).toBe(true);
  expect(isUnknownHash(whole)).toBe(false);
  expect(isSameHash(UNKNOWN_HASH, whole)).toBe(false);
});
