/**
 * The limits of an account, and what is used of them. A period's bounds are asked of a calendar once, when a debit begins the
 * period, and kept in the state after it: what was decided is never judged again.
 */
import { INT64_MAX } from './limits.js';

export type LimitPeriod = 'DAY' | 'WEEK' | 'MONTH';
/** The limit that declined a transaction. */
export type LimitKind = 'DEBIT' | 'BALANCE' | `${LimitPeriod}_AMOUNT` | `${LimitPeriod}_COUNT`;

/** From `start` on, before `end`; UTC microseconds. */
export interface Period {
  readonly start: bigint;
  readonly end: bigint;
}

/** Says in which period of a time zone a time (UTC microseconds) falls. */
export type Calendar = (period: LimitPeriod, timeZone: string, time: bigint) => Period;

/** What is asked for of one kind of period. */
export interface DebitLimit {
  readonly period: LimitPeriod;
  /** What the sum of the debits may come to; 0n: no limit. */
  readonly amount: bigint;
  /** What their number may come to; 0n: no limit. */
  readonly count: bigint;
}

/** Limits as OpenAccount and UpdateAccount ask for them. */
export interface RequestedLimits {
  /** The largest amount of one debit; 0n: no limit. */
  readonly debit: bigint;
  /** The largest `posted` that a credit may leave; 0n: no limit. */
  readonly balance: bigint;
  /** An IANA name; empty: UTC. */
  readonly timeZone: string;
  /** At most one of each period, in the order day, week, month. */
  readonly windows: readonly DebitLimit[];
}

/** The limit of a kind of period, with the debits in the period of the last one. */
export interface DebitWindow extends DebitLimit, Period {
  /** The sum of the debits; INT64_MAX also stands for more. Bounds and sums are 0n before the first. */
  readonly usedAmount: bigint;
  readonly usedCount: bigint;
}

/** Part of the state of an account that has limits. */
export interface AccountLimits extends RequestedLimits {
  readonly windows: readonly DebitWindow[];
}

const UNUSED = { start: 0n, end: 0n, usedAmount: 0n, usedCount: 0n };

/** The limits after they were set; null if none is. A period that keeps a limit keeps what is used, to its end. */
export function limitsAfter(
  { debit, balance, timeZone, windows }: RequestedLimits,
  before: AccountLimits | null,
): AccountLimits | null {
  if (debit === 0n && balance === 0n && windows.length === 0) return null;
  const known = new Map((before?.windows ?? []).map((window) => [window.period, window]));
  return {
    debit,
    balance,
    timeZone,
    windows: windows.map(({ period, amount, count }) => {
      const { start, end, usedAmount, usedCount } = known.get(period) ?? UNUSED;
      return { period, amount, count, start, end, usedAmount, usedCount };
    }),
  };
}

/** The limits after a debit at a time. */
export function afterDebit(
  limits: AccountLimits,
  debit: bigint,
  now: bigint,
  calendar: Calendar,
): AccountLimits {
  const { debit: largest, balance, timeZone } = limits;
  const windows = limits.windows.map((window): DebitWindow => {
    const { period, amount, count } = window;
    if (now < window.end) {
      const { start, end, usedAmount, usedCount } = window;
      return {
        period,
        amount,
        count,
        start,
        end,
        usedAmount: sum(usedAmount, debit),
        usedCount: usedCount + 1n,
      };
    }
    const { start, end } = calendar(period, timeZone, now);
    return { period, amount, count, start, end, usedAmount: debit, usedCount: 1n };
  });
  return { debit: largest, balance, timeZone, windows };
}

/** The first limit that a debit exceeds, given the limits after it. */
export function exceededByDebit({ debit: largest, windows }: AccountLimits, debit: bigint): LimitKind | null {
  if (largest !== 0n && debit > largest) return 'DEBIT';
  for (const { period, amount, count, usedAmount, usedCount } of windows) {
    if (amount !== 0n && usedAmount > amount) return `${period}_AMOUNT`;
    if (count !== 0n && usedCount > count) return `${period}_COUNT`;
  }
  return null;
}

/** What is held and given back may be counted again and again: the sum stops at the end of int64. */
function sum(used: bigint, debit: bigint): bigint {
  return used > INT64_MAX - debit ? INT64_MAX : used + debit;
}
