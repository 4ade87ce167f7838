/** The times of rules: on the clocks of a zone, at the ends of months, and in bounded work for every rule. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isTimes, OCCURRENCES_MAX, type Rule, type RuleFault, timesAfter, timesOf } from './rule.js';

const START = '2026-12-01T08:00:00Z';

function ruleOf(text: string, timeZone = 'UTC', start = START): Rule {
  return { text, timeZone, start: BigInt(Date.parse(start)) * 1000n };
}

/** The times of a rule that is not refused, in ISO 8601. */
async function times(text: string, timeZone?: string, start?: string): Promise<string[]> {
  const found = await timesOf(ruleOf(text, timeZone, start));
  if (!isTimes(found)) throw new Error(`refused: ${found.fault}: ${found.description}`);
  return found.map((time) => new Date(Number(time / 1000n)).toISOString().replace('.000', ''));
}

async function faultOf(text: string, timeZone?: string): Promise<RuleFault | undefined> {
  const found = await timesOf(ruleOf(text, timeZone));
  return isTimes(found) ? undefined : found.fault;
}

describe('a rule follows the clocks of its zone', () => {
  test.each([
    // The offset of Berlin changes on 28 March 2027 and 31 October 2027.
    [
      'Europe/Berlin',
      '2027-03-26T08:00:00Z',
      ['2027-03-26T08:00:00Z', '2027-03-27T08:00:00Z', '2027-03-28T07:00:00Z'],
    ],
    [
      'Europe/Berlin',
      '2027-10-29T07:00:00Z',
      ['2027-10-29T07:00:00Z', '2027-10-30T07:00:00Z', '2027-10-31T08:00:00Z'],
    ],
    // That of New York on 14 March 2027 and 7 November 2027.
    [
      'America/New_York',
      '2027-03-12T14:00:00Z',
      ['2027-03-12T14:00:00Z', '2027-03-13T14:00:00Z', '2027-03-14T13:00:00Z'],
    ],
    [
      'America/New_York',
      '2027-11-05T13:00:00Z',
      ['2027-11-05T13:00:00Z', '2027-11-06T13:00:00Z', '2027-11-07T14:00:00Z'],
    ],
  ])('in %s, daily from %s on', async (zone, start, expected) => {
    expect(await times('FREQ=DAILY;COUNT=3', zone, start)).toEqual(expected);
  });

  test('a local time that the clocks skip is the moment after the skip', async () => {
    expect(await times('FREQ=DAILY;COUNT=3', 'Europe/Berlin', '2027-03-27T01:30:00Z')).toEqual([
      '2027-03-27T01:30:00Z',
      '2027-03-28T01:00:00Z',
      '2027-03-29T00:30:00Z',
    ]);
  });

  test('of a local time that the clocks show twice, the first counts', async () => {
    expect(await times('FREQ=DAILY;COUNT=3', 'America/New_York', '2027-11-06T05:30:00Z')).toEqual([
      '2027-11-06T05:30:00Z',
      '2027-11-07T05:30:00Z',
      '2027-11-08T06:30:00Z',
    ]);
  });

  test('hours that come to the same moment are one, and none of the repeated hour comes twice', async () => {
    expect(await times('FREQ=HOURLY;COUNT=4', 'Europe/Berlin', '2027-03-28T00:00:00Z')).toEqual([
      '2027-03-28T00:00:00Z',
      '2027-03-28T01:00:00Z',
      '2027-03-28T02:00:00Z',
    ]);
    expect(await times('FREQ=HOURLY;COUNT=3', 'Europe/Berlin', '2027-10-30T23:00:00Z')).toEqual([
      '2027-10-30T23:00:00Z',
      '2027-10-31T00:00:00Z',
      '2027-10-31T02:00:00Z',
    ]);
  });
});

describe('a rule ends', () => {
  test.each([
    [
      'months without the day are left out',
      'FREQ=MONTHLY;BYMONTHDAY=31;COUNT=4',
      ['2026-12-31', '2027-01-31', '2027-03-31', '2027-05-31'],
    ],
    [
      'the last day of each month',
      'FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3',
      ['2026-12-31', '2027-01-31', '2027-02-28'],
    ],
    ['29 February', 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;COUNT=2', ['2028-02-29', '2032-02-29']],
    [
      'the last working day',
      'FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=2',
      ['2026-12-31', '2027-01-29'],
    ],
    [
      'every other Friday',
      'FREQ=WEEKLY;INTERVAL=2;BYDAY=FR;COUNT=3',
      ['2026-12-04', '2026-12-18', '2027-01-01'],
    ],
    ['until a day, which counts', 'FREQ=DAILY;UNTIL=20261203', ['2026-12-01', '2026-12-02', '2026-12-03']],
    ['until a moment, which counts', 'FREQ=DAILY;UNTIL=20261202T080000Z', ['2026-12-01', '2026-12-02']],
    ['before a moment', 'FREQ=DAILY;UNTIL=20261202T075959Z', ['2026-12-01']],
    ['until a local time', 'FREQ=DAILY;UNTIL=20261202T080000', ['2026-12-01', '2026-12-02']],
    ['in small letters', 'freq=daily;count=1', ['2026-12-01']],
    ['a start that the rule does not name is no time', 'FREQ=MONTHLY;BYMONTHDAY=15;COUNT=1', ['2026-12-15']],
  ])('%s', async (_, text, days) => {
    expect(await times(text)).toEqual(days.map((day) => `${day}T08:00:00Z`));
  });

  test('an UNTIL in UTC is a moment, also where the clock is set back', async () => {
    // 00:30Z and 01:30Z are both 02:30 in Berlin; the rule is at the first.
    const start = '2027-10-31T00:30:00Z';
    expect(await times('FREQ=DAILY;UNTIL=20271031T010000Z', 'Europe/Berlin', start)).toEqual([start]);
    expect(await times('FREQ=DAILY;UNTIL=20271101T012959Z', 'Europe/Berlin', start)).toEqual([start]);
    expect(await times('FREQ=DAILY;UNTIL=20271101T013000Z', 'Europe/Berlin', start)).toHaveLength(2);
  });

  test('as many times as there may be, at the shortest distance', async () => {
    const all = await times(`FREQ=MINUTELY;COUNT=${String(OCCURRENCES_MAX)}`);
    expect(all).toHaveLength(OCCURRENCES_MAX);
    expect(new Set(all).size).toBe(OCCURRENCES_MAX);
    expect(await times(`FREQ=DAILY;COUNT=${String(OCCURRENCES_MAX)}`, 'Europe/Berlin')).toHaveLength(
      OCCURRENCES_MAX,
    );
  });
});

describe('a rule is refused', () => {
  test.each<[RuleFault, string]>([
    ['INVALID', 'every month'],
    ['INVALID', ''],
    ['INVALID', 'FREQ=DAILY;COUNT=1;'],
    ['INVALID', 'COUNT=3'],
    ['INVALID', 'FREQ=FORTNIGHTLY;COUNT=3'],
    ['INVALID', 'FREQ=DAILY;COUNT=0'],
    ['INVALID', 'FREQ=DAILY;COUNT=-1'],
    ['INVALID', 'FREQ=DAILY;INTERVAL=0;COUNT=1'],
    ['INVALID', 'FREQ=DAILY;COUNT=1;COUNT=2'],
    ['INVALID', 'FREQ=DAILY;COUNT=1;UNTIL=20270101'],
    ['INVALID', 'FREQ=DAILY;UNTIL=20270230'],
    ['INVALID', 'FREQ=DAILY;UNTIL=tomorrow'],
    ['INVALID', 'FREQ=YEARLY;BYMONTH=13;COUNT=1'],
    ['INVALID', 'FREQ=MONTHLY;BYMONTHDAY=0;COUNT=1'],
    ['INVALID', 'FREQ=MONTHLY;BYMONTHDAY=32;COUNT=1'],
    ['INVALID', 'FREQ=DAILY;BYDAY=1MO;COUNT=1'],
    ['INVALID', 'FREQ=WEEKLY;BYMONTHDAY=1;COUNT=1'],
    ['INVALID', 'FREQ=DAILY;BYSETPOS=1;COUNT=1'],
    ['INVALID', 'FREQ=DAILY;COUNT=1;RSCALE=CHINESE'],
    ['INVALID', 'FREQ=DAILY;COUNT=1\nRDATE:20270101T000000Z'],
    ['INVALID', 'RRULE:FREQ=DAILY;COUNT=1'],
    ['ENDLESS', 'FREQ=DAILY'],
    ['ENDLESS', 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30'],
    ['EMPTY', 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=1'],
    ['EMPTY', 'FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30;COUNT=1'],
    ['EMPTY', 'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=1'],
    ['EMPTY', 'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;BYHOUR=0,6,12,18;BYMINUTE=0,15,30,45;COUNT=1'],
    ['EMPTY', 'FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30;COUNT=1'],
    ['EMPTY', 'FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30;COUNT=1'],
    ['EMPTY', 'FREQ=MINUTELY;INTERVAL=1440;BYHOUR=5;COUNT=1'],
    ['EMPTY', 'FREQ=YEARLY;BYYEARDAY=366;BYMONTH=1;COUNT=1'],
    ['EMPTY', 'FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6;COUNT=1'],
    ['EMPTY', 'FREQ=MONTHLY;BYDAY=MO;BYSETPOS=9;COUNT=1'],
    ['EMPTY', 'FREQ=DAILY;UNTIL=20261130'],
    ['EMPTY', 'FREQ=MONTHLY;BYMONTHDAY=15;UNTIL=20261214'],
    ['TOO_FREQUENT', 'FREQ=SECONDLY;COUNT=2'],
    ['TOO_FREQUENT', 'FREQ=MINUTELY;BYSECOND=0,30;COUNT=2'],
    ['TOO_FREQUENT', 'FREQ=DAILY;BYSECOND=0,59;COUNT=2'],
    ['TOO_LONG', 'FREQ=DAILY;COUNT=10001'],
    ['TOO_LONG', 'FREQ=MINUTELY;COUNT=999999999'],
    ['TOO_LONG', 'FREQ=MINUTELY;UNTIL=99991231T235959Z'],
    ['TOO_LONG', 'FREQ=YEARLY;COUNT=52'],
    ['TOO_LONG', 'FREQ=YEARLY;UNTIL=20900101'],
    ['TOO_LONG', 'FREQ=YEARLY;INTERVAL=9000;COUNT=2'],
  ])('%s: %j', async (fault, text) => {
    expect(await faultOf(text)).toBe(fault);
  });

  test.each(['', 'Europe/Atlantis', '+01:00', 'Mars'])('for the zone %j', async (zone) => {
    expect(await faultOf('FREQ=DAILY;COUNT=1', zone)).toBe('UNKNOWN_ZONE');
  });

  test('or has times in order and without doubles, and after each the same ones follow, whichever parts it has', async () => {
    const list = (least: number, most: number) =>
      fc
        .uniqueArray(fc.integer({ min: least, max: most }), { minLength: 1, maxLength: 3 })
        .map((all) => all.join(','));
    const part = fc.oneof(
      list(1, 12).map((all) => `BYMONTH=${all}`),
      list(-31, 31).map((all) => `BYMONTHDAY=${all}`),
      list(0, 23).map((all) => `BYHOUR=${all}`),
      list(0, 59).map((all) => `BYMINUTE=${all}`),
      list(-366, 366).map((all) => `BYYEARDAY=${all}`),
      fc.constantFrom('BYDAY=MO', 'BYDAY=-1FR,2TU', 'BYSETPOS=-1', 'BYWEEKNO=53', 'INTERVAL=7', 'WKST=SU'),
    );
    const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York');
    const rule = fc.tuple(
      fc.constantFrom('MINUTELY', 'HOURLY', 'DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'),
      fc.array(part, { maxLength: 3 }),
      fc.constantFrom('COUNT=5', 'COUNT=40', 'UNTIL=20280101T000000Z'),
    );
    await fc.assert(
      fc.asyncProperty(rule, zone, async ([frequency, parts, end], timeZone) => {
        const given = ruleOf([`FREQ=${frequency}`, ...parts, end].join(';'), timeZone);
        const found = await timesOf(given);
        if (!isTimes(found)) return;
        expect(found.length).toBeGreaterThan(0);
        for (const [index, time] of found.entries()) {
          expect(time).toBeGreaterThan(found[index - 1] ?? 0n);
        }
        const middle = Math.floor(found.length / 2);
        const after = found[middle] ?? 0n;
        const rest = found.slice(middle + 1, middle + 31);
        expect(timesAfter(given, after, rest.length)).toEqual(rest);
      }),
      { numRuns: 25 },
    );
  });
});
