import { describe, expect, test } from '@jest/globals';
import { create } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { BucketsSchema, Interval } from '../../../gen/quittance/query/v1/report_query_service_pb.js';
import { CallError } from '../../../lib/rpc/errors.js';
import { timestampOf } from '../../../lib/base/time.js';
import { bucketBounds } from '../rpc/buckets.js';
import { zoneNamed } from '../../../lib/base/zone.js';

const micros = (iso: string) => BigInt(Date.parse(iso)) * 1000n;

function bounds(start: string, end: string, interval: Interval, timeZone = ''): string[] {
  const startTime = timestampOf(micros(start));
  const endTime = timestampOf(micros(end));
  return bucketBounds(create(BucketsSchema, { startTime, endTime, interval, timeZone })).map((bound) =>
    new Date(Number(bound / 1000n)).toISOString().replace(/:00\.000Z$/, 'Z'),
  );
}

function hoursBetween(times: readonly string[]): number[] {
  return times.slice(1).map((time, index) => (Date.parse(time) - Date.parse(times[index] ?? '')) / 3_600_000);
}

describe('buckets', () => {
  test('are days of UTC by default, the first and the last cut by the range', () => {
    expect(bounds('2026-01-01T18:30:00Z', '2026-01-03T06:00:00Z', Interval.UNSPECIFIED)).toEqual([
      '2026-01-01T18:30Z',
      '2026-01-02T00:00Z',
      '2026-01-03T00:00Z',
      '2026-01-03T06:00Z',
    ]);
  });

  test('have days of 23 and 25 hours where the clock changes', () => {
    const spring = bounds(
      '2026-03-28T00:00:00+01:00',
      '2026-03-31T00:00:00+02:00',
      Interval.DAY,
      'Europe/Prague',
    );
    expect(hoursBetween(spring)).toEqual([24, 23, 24]);
    const autumn = bounds(
      '2026-10-24T00:00:00+02:00',
      '2026-10-27T00:00:00+01:00',
      Interval.DAY,
      'Europe/Prague',
    );
    expect(hoursBetween(autumn)).toEqual([24, 25, 24]);
  });

  test('have as many hours as the day lasted', () => {
    const day = (start: string, end: string) => bounds(start, end, Interval.HOUR, 'Europe/Prague').length - 1;
    expect(day('2026-03-29T00:00:00+01:00', '2026-03-30T00:00:00+02:00')).toBe(23);
    expect(day('2026-10-25T00:00:00+02:00', '2026-10-26T00:00:00+01:00')).toBe(25);
  });

  test('of hours begin at full hours of zones half an hour off UTC', () => {
    const kolkata = bounds('2026-01-01T00:00:00Z', '2026-01-01T02:00:00Z', Interval.HOUR, 'Asia/Kolkata');
    expect(kolkata).toEqual([
      '2026-01-01T00:00Z',
      '2026-01-01T00:30Z',
      '2026-01-01T01:30Z',
      '2026-01-01T02:00Z',
    ]);
  });

  test('of weeks begin on Monday, of months on the first', () => {
    expect(bounds('2026-01-01T00:00:00Z', '2026-01-20T00:00:00Z', Interval.WEEK)).toEqual([
      '2026-01-01T00:00Z',
      '2026-01-05T00:00Z',
      '2026-01-12T00:00Z',
      '2026-01-19T00:00Z',
      '2026-01-20T00:00Z',
    ]);
    const months = bounds('2023-12-31T12:00:00Z', '2024-04-01T00:00:00Z', Interval.MONTH, 'America/New_York');
    expect(months).toEqual([
      '2023-12-31T12:00Z',
      '2024-01-01T05:00Z',
      '2024-02-01T05:00Z',
      '2024-03-01T05:00Z',
      '2024-04-01T00:00Z',
    ]);
  });

  test('begin where the clock resumes if midnight was skipped', () => {
    // Beirut went from 23:59:59 to 01:00 on the 31st of March 2024; Samoa had no 30th of December 2011.
    const beirut = bounds(
      '2024-03-30T00:00:00+02:00',
      '2024-04-02T00:00:00+03:00',
      Interval.DAY,
      'Asia/Beirut',
    );
    expect(hoursBetween(beirut)).toEqual([24, 23, 24]);
    const apia = bounds(
      '2011-12-29T00:00:00-10:00',
      '2012-01-01T00:00:00+14:00',
      Interval.DAY,
      'Pacific/Apia',
    );
    expect(hoursBetween(apia)).toEqual([24, 24]);
  });

  test('ascend, join without gap, and have lengths of their interval in any zone at any time', () => {
    const zones = ['UTC', 'Europe/Prague', 'America/St_Johns', 'Australia/Lord_Howe', 'Asia/Kathmandu'];
    zones.push('America/Havana', 'Africa/Casablanca', 'Pacific/Apia', 'Africa/Monrovia', 'Antarctica/Troll');
    const arbitrary = fc.record({
      timeZone: fc.constantFrom(...zones),
      start: fc.bigInt(0n, 2_000_000_000_000_000n),
      length: fc.bigInt(1n, 86_400_000_000n * 20n),
      interval: fc.constantFrom(Interval.HOUR, Interval.DAY, Interval.WEEK, Interval.MONTH),
    });
    fc.assert(
      fc.property(arbitrary, ({ timeZone, start, length, interval }) => {
        const [startTime, endTime] = [timestampOf(start), timestampOf(start + length)];
        const found = bucketBounds(create(BucketsSchema, { startTime, endTime, interval, timeZone }));
        expect([found[0], found.at(-1)]).toEqual([start, start + length]);
        const longest = {
          [Interval.HOUR]: 1,
          [Interval.DAY]: 26,
          [Interval.WEEK]: 170,
          [Interval.MONTH]: 746,
        }[interval];
        for (const [index, bound] of found.slice(1).entries()) {
          const width = bound - (found[index] ?? bound);
          expect(width).toBeGreaterThan(0n);
          expect(width).toBeLessThanOrEqual(BigInt(longest) * 3_600_000_000n);
        }
        if (interval !== Interval.HOUR)
          for (const bound of found.slice(1, -1)) expectMidnight(bound, timeZone);
      }),
      { numRuns: 300, seed: 5 },
    );
  });

  test('are 1,000 at most, and no more', () => {
    const start = '2026-01-01T00:30:00Z';
    expect(bounds(start, '2026-02-11T16:00:00Z', Interval.HOUR)).toHaveLength(1_001);
    expect(problem(start, '2026-02-11T16:00:00.001Z', 'UTC')).toEqual(['buckets']);
    expect(problem('1970-01-01T00:00:00Z', '9999-01-01T00:00:00Z', 'Europe/Prague')).toEqual(['buckets']);
  });

  test('are refused for an unknown zone, and where the end is not after the start', () => {
    for (const zone of ['Europe/Atlantis', '+01:00', 'Europe/Prague; drop', ' ', '..']) {
      expect(problem('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z', zone)).toEqual(['buckets.time_zone']);
    }
    expect(problem('2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', '')).toEqual(['buckets.end_time']);
    expect(problem('2026-01-02T00:00:00Z', '2026-01-01T00:00:00Z', '')).toEqual(['buckets.end_time']);
  });
});

/**
 * A bound within the range is the first moment of a local day: a second before, the clock showed another
 * date.
 */
function expectMidnight(bound: bigint, timeZone: string): void {
  const date = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' });
  const at = Number(bound / 1000n);
  expect(date.format(at)).not.toBe(date.format(at - 1000));
}

function problem(start: string, end: string, timeZone: string): string[] {
  try {
    bounds(start, end, Interval.HOUR, timeZone);
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    expect(error.reason).toBe(ErrorReason.INVALID_FIELD);
    return (error.details.fields ?? []).map(({ field }) => field);
  }
  return [];
}

test('a zone gives the first of two instants that show the same time', () => {
  const prague = zoneNamed('Europe/Prague');
  const local = Date.parse('2026-10-25T02:30:00Z') / 1000;
  expect(prague?.instantOf(local)).toBe(Date.parse('2026-10-25T02:30:00+02:00') / 1000);
});
