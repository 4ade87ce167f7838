import { expect, test } from '@jest/globals';
import type { Finding } from './audit.js';
import { faultOf, interruption_ms, reportOf } from './report.js';
import { seeded, uuidOf } from './random.js';

test('an interruption is the longest time without an answer that touches its fault', () => {
  const fault = { began_ms: 1_000, ended_ms: 2_000 };
  expect(interruption_ms([900, 990, 1_100, 1_900, 2_050], fault)).toBe(800);
  // It may begin shortly after the fault has ended.
  expect(interruption_ms([1_100, 1_900, 3_900, 9_000], fault)).toBe(5_100);
  // What comes long after is no matter of this fault.
  expect(interruption_ms([1_100, 1_900, 2_500, 4_100, 9_000], fault)).toBe(1_600);
});

const fault = (name: string, began_ms: number, ended_ms: number, whole_ms: number | undefined) => ({
  name,
  began_ms,
  ended_ms,
  whole_ms,
});

const FAULTS = [
  fault('kill -9', 1_000, 2_000, 300),
  fault('a full disk', 5_000, 6_000, 4_000),
  fault('kill -9', 9_000, 9_500, undefined),
];

const lostAt = (at_ms: number | undefined): Finding => ({ kind: 'lost', text: 'r1 is lost', at_ms });

test('what was lost is laid to the fault during which its command was answered, or the next one', () => {
  expect(faultOf(lostAt(1_500), FAULTS)).toBe(FAULTS[0]);
  expect(faultOf(lostAt(2_001), FAULTS)).toBe(FAULTS[1]);
  expect(faultOf(lostAt(9_900), FAULTS)).toBe(FAULTS[2]);
  expect(faultOf(lostAt(undefined), FAULTS)).toBeUndefined();
});

test('the table has a row for each hazard', () => {
  const verdict = {
    findings: [lostAt(5_500)],
    acknowledged: 3,
    open: 0,
    refused: 0,
    resolved: 1,
    reads: 2,
    events: 9,
  };
  const notes = { answered_ms: [900, 1_100, 1_900, 5_500, 9_600], readsWithout: 0 };
  const text = reportOf({ verdict, notes, injected: FAULTS, whole_ms: 100 });
  expect(text).toContain('| kill -9 | 2 | 3 | 0 | 0 | 3.6 s | not seen |');
  expect(text).toContain('| a full disk | 1 | 1 | 1 | 0 | 4.1 s | 4.0 s |');
  expect(text).toContain('lost: r1 is lost');
  expect(text).toMatch(/torture: 5 passed, 1 failed$/);
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
