import { expect, test } from '@jest/globals';
import { RecentNumbers } from './recent-numbers.js';

test('what was asked for lately is kept, and never more than asked for', () => {
  const numbers = new RecentNumbers(10);
  for (let number = 0; number < 100; number += 1) {
    numbers.set(`n${String(number)}`, number);
    expect(numbers.get('n0')).toBe(0);
  }
  const kept = Array.from({ length: 100 }, (_, number) => numbers.get(`n${String(99 - number)}`));
  expect(kept.slice(0, 4)).toEqual([99, 98, 97, 96]);
  const found = kept.filter((number) => number !== undefined);
  expect(found.length).toBeLessThanOrEqual(10);
});

test('a number that is set again is the last one, wherever the first one stands', () => {
  const numbers = new RecentNumbers(4);
  for (const number of [1, 2, 3, 4]) numbers.set(`n${String(number)}`, number);
  numbers.set('n1', 10);
  expect(numbers.get('n1')).toBe(10);
  numbers.clear();
  expect(numbers.get('n1')).toBeUndefined();
});
