import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type CalendarPeriod, periodAt } from './calendar.js';

const micros = (iso: string) => BigInt(Date.parse(iso)) * 1000n;

/** Start and end of a period, in UTC. */
function bounds(period: CalendarPeriod, timeZone: string, iso: string): string[] {
  const { start, end } = periodAt(period, timeZone, micros(iso));
  return [start, end].map((bound) =>
    new Date(Number(bound / 1000n)).toISOString().replace(/:00\.000Z$/, 'Z'),
  );
}

describe('a period', () => {
  test('begins at midnight of its time zone, UTC by default', () => {
    expect(bounds('DAY', '', '2026-03-05T23:59:59.999Z')).toEqual(['2026-03-05T00:00Z', '2026-03-06T00:00Z']);
    expect(bounds('DAY', 'Asia/Tokyo', '2026-03-05T15:00:00Z')).toEqual([
      '2026-03-05T15:00Z',
      '2026-03-06T15:00Z',
    ]);
  });

  test('has 23 or 25 hours where the clock of the zone changes', () => {
    expect(bounds('DAY', 'Europe/Prague', '2026-03-29T12:00:00Z')).toEqual([
      '2026-03-28T23:00Z',
      '2026-03-29T22:00Z',
    ]);
    expect(bounds('DAY', 'Europe/Prague', '2026-10-25T12:00:00Z')).toEqual([
      '2026-10-24T22:00Z',
      '2026-10-25T23:00Z',
    ]);
  });

  test('is a week from Monday on', () => {
    for (const day of ['2026-11-23T00:00:00Z', '2026-11-28T12:00:00Z', '2026-11-29T23:59:59Z'])
      expect(bounds('WEEK', 'UTC', day)).toEqual(['2026-11-23T00:00Z', '2026-11-30T00:00Z']);
  });

  test('is a month with the days that it has', () => {
    expect(bounds('MONTH', 'America/New_York', '2028-02-29T12:00:00Z')).toEqual([
      '2028-02-01T05:00Z',
      '2028-03-01T05:00Z',
    ]);
    expect(bounds('MONTH', 'America/New_York', '2026-03-31T12:00:00Z')).toEqual([
      '2026-03-01T05:00Z',
      '2026-04-01T04:00Z',
    ]);
  });

  test('leaves out the day that a zone left out', () => {
    // Samoa went over the date line at the end of 2011: there was no 30 December.
    expect(bounds('DAY', 'Pacific/Apia', '2011-12-30T09:59:59Z')[1]).toBe('2011-12-30T10:00Z');
    expect(bounds('DAY', 'Pacific/Apia', '2011-12-30T10:00:00Z')).toEqual([
      '2011-12-30T10:00Z',
      '2011-12-31T10:00Z',
    ]);
  });

  test('of a zone that is not known is one of UTC', () => {
    expect(bounds('DAY', 'Mars/Olympus', '2026-03-05T12:00:00Z')).toEqual(
      bounds('DAY', 'UTC', '2026-03-05T12:00:00Z'),
    );
  });

  test('holds its time, and the next one begins where it ends', () => {
    const periods = fc.constantFrom<CalendarPeriod>('DAY', 'WEEK', 'MONTH');
    const zones = fc.constantFrom(
      '',
      'Europe/Prague',
      'America/St_Johns',
      'Asia/Kathmandu',
      'Pacific/Auckland',
    );
    const times = fc.bigInt(micros('2015-01-01T00:00:00Z'), micros('2040-01-01T00:00:00Z'));
    fc.assert(
      fc.property(periods, zones, times, (period, zone, time) => {
        const { start, end } = periodAt(period, zone, time);
        expect(start <= time && time < end).toBe(true);
        expect(periodAt(period, zone, start)).toEqual({ start, end });
        expect(periodAt(period, zone, end - 1n)).toEqual({ start, end });
        expect(periodAt(period, zone, end).start).toBe(end);
      }),
      { seed: 20260101, numRuns: 300 },
    );
  });
});
