import { expect, test } from '@jest/globals';
import { interruption_ms } from './report.js';
import { seeded, uuidOf } from './random.js';

test('an interruption is the longest time without an answer that touches its fault', () => {
  const fault = { name: 'kill', began_ms: 1_000, ended_ms: 2_000 };
  expect(interruption_ms([900, 990, 1_100, 1_900, 2_050], fault)).toBe(800);
  // It may begin shortly after the fault has ended.
  expect(interruption_ms([1_100, 1_900, 3_900, 9_000], fault)).toBe(5_100);
  // What comes long after is no matter of this fault.
  expect(interruption_ms([1_100, 1_900, 2_500, 4_100, 9_000], fault)).toBe(1_600);
});

test('a seed repeats what is chosen', () => {
  const [one, same, other] = [seeded(7), seeded(7), seeded(8)];
  const ids = Array.from({ length: 50 }, () => uuidOf(one));
  expect(Array.from({ length: 50 }, () => uuidOf(same))).toEqual(ids);
  expect(uuidOf(other)).not.toBe(ids[0]);
  expect(new Set(ids).size).toBe(50);
  for (const id of ids)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
