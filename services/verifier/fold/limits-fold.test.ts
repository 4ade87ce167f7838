import { describe, expect, test } from '@jest/globals';
import { create } from '@bufbuild/protobuf';
import {
  AccountLimitsSchema as RequestedLimitsSchema,
  LimitPeriod,
} from '../../../gen/quittance/common/v1/account_pb.js';
import { AccountLimitsSchema } from '../../../gen/quittance/event/v1/event_pb.js';
import { limitsText as textOfStores } from '../../../lib/log/limits-of.js';
import { type Debit, type LimitsFacts, limitsSet, limitsText, limitsUsed } from './limits-fold.js';

const MOST = 2n ** 63n - 1n;

function used(limits: LimitsFacts, debit: Omit<Debit, 'accountId'>) {
  const findings: string[] = [];
  const after = limitsUsed(limits, { accountId: 'card', ...debit }, (entity, expected, actual) =>
    findings.push(`${entity}: ${expected}, not ${actual}`),
  );
  return { after, findings };
}

const daily = limitsSet(create(RequestedLimitsSchema, { day: { amount: 100n } }), undefined);
if (daily === undefined) throw new Error('a limit of each day is a limit');
const [none] = daily.windows;
if (none === undefined) throw new Error('a limit of each day has a window');
const today = { ...none, startMicros: 1_000n, endMicros: 2_000n };

describe('the fold of limits', () => {
  test('takes the bounds of a period from the event that begins it, and the sums from the debits', () => {
    const carried = { ...daily, windows: [{ ...today, usedAmount: 999n, usedCount: 7n }] };
    const { after, findings } = used(daily, { amount: 30n, time: 1_500n, carried });
    expect(findings).toEqual([]);
    expect(after.windows).toEqual([{ ...today, usedAmount: 30n, usedCount: 1n }]);
    const more = used(after, { amount: 5n, time: 1_999n, carried: undefined });
    expect(more.after.windows).toEqual([{ ...today, usedAmount: 35n, usedCount: 2n }]);
  });

  test('finds a period that does not hold its debit', () => {
    const carried = { ...daily, windows: [today] };
    for (const time of [999n, 2_000n])
      expect(used(daily, { amount: 1n, time, carried }).findings).toEqual([
        `card: a DAY that holds ${String(time)}, not one from 1000 to 2000`,
      ]);
  });

  test('begins another period once one has ended', () => {
    const full = { ...daily, windows: [{ ...today, usedAmount: 90n, usedCount: 9n }] };
    const next = { ...today, startMicros: 2_000n, endMicros: 3_000n };
    const { after } = used(full, { amount: 1n, time: 2_000n, carried: { ...daily, windows: [next] } });
    expect(after.windows).toEqual([{ ...next, usedAmount: 1n, usedCount: 1n }]);
  });

  test('sums up to the end of int64', () => {
    const full = { ...daily, windows: [{ ...today, usedAmount: MOST - 1n }] };
    expect(used(full, { amount: 5n, time: 1_500n, carried: undefined }).after.windows[0]?.usedAmount).toBe(
      MOST,
    );
  });

  test('keeps what is used of a period that keeps a limit', () => {
    const before = { ...daily, windows: [{ ...today, usedAmount: 40n, usedCount: 4n }] };
    const set = limitsSet(
      create(RequestedLimitsSchema, { day: { count: 9n }, month: { count: 2n } }),
      before,
    );
    expect(set?.windows).toEqual([
      { ...today, amount: 0n, count: 9n, usedAmount: 40n, usedCount: 4n },
      { ...none, period: LimitPeriod.MONTH, amount: 0n, count: 2n },
    ]);
    expect(limitsSet(create(RequestedLimitsSchema), before)).toBeUndefined();
    expect(limitsSet(undefined, before)).toBeUndefined();
  });

  test('writes them as the rows of the views have them', () => {
    const facts = {
      debit: 5n,
      balance: 0n,
      timeZone: 'Asia/Tokyo',
      windows: [today, { ...today, usedCount: 3n }],
    };
    expect(limitsText(facts)).toBe(textOfStores(create(AccountLimitsSchema, facts)));
    expect(limitsText(undefined)).toBe(textOfStores(undefined));
  });
});
