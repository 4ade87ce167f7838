import { expect, test } from '@jest/globals';
import { timestampOf } from '../../lib/base/time.js';
import { briefOf, isoOf, readAt, readWhen } from './when.js';

const NOW = 1_795_000_000_123_456n;

test.each([
  ['now', NOW],
  ['-2h', NOW - 7_200_000_000n],
  ['+24h', NOW + 86_400_000_000n],
  ['-7d', NOW - 604_800_000_000n],
  ['-1w', NOW - 604_800_000_000n],
  ['1970-01-02', 86_400_000_000n],
  ['1970-01-01T00:01Z', 60_000_000n],
  ['1970-01-01T01:00:00.000001+01:00', 1n],
  ['1970-01-01T00:00:01.5Z', 1_500_000n],
])('%s is a time', (typed, micros) => {
  expect(readWhen(typed)(NOW)).toEqual(timestampOf(micros));
});

test.each([
  '',
  '2h',
  '-2',
  '-2y',
  '2026-02-31',
  '2026-13-01',
  '2026-01-01T10:00',
  '2026-01-01T25:00Z',
  '1.1.2026',
  '2026-01-01T10:00:00.1234567Z',
])('%j is none', (typed) => {
  expect(() => readWhen(typed)).toThrow('It is a time such as');
});

test('--at is a position, a recorded time or an effective time', () => {
  expect(readAt('18231')).toEqual({ axis: 'position', position: 18_231n });
  expect(readAt('-2h')).toMatchObject({ axis: 'recorded' });
  expect(readAt('effective:2026-10-31')).toMatchObject({ axis: 'effective' });
});

test('a time is shown to the microsecond, or to the second', () => {
  expect(isoOf(timestampOf(1_500_001n))).toBe('1970-01-01T00:00:01.500001Z');
  expect(briefOf(timestampOf(1_500_001n))).toBe('1970-01-01T00:00:01Z');
  // A date would be rounded up to the next second.
  expect(isoOf(timestampOf(1_999_999n))).toBe('1970-01-01T00:00:01.999999Z');
  expect(briefOf(timestampOf(1_999_999n))).toBe('1970-01-01T00:00:01Z');
  expect(isoOf(undefined)).toBe('');
});
