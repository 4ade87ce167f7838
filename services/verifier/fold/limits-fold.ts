/** The limits of an account as the fold has them, with what its debits use of them. */
import {
  type AccountLimits as RequestedLimits,
  LimitPeriod,
} from '../../../gen/quittance/common/v1/account_pb.js';
import type { Complain } from './transaction-fold.js';

/** The debits of one period. */
export interface WindowFacts {
  readonly period: LimitPeriod;
  readonly amount: bigint;
  readonly count: bigint;
  readonly startMicros: bigint;
  readonly endMicros: bigint;
  readonly usedAmount: bigint;
  readonly usedCount: bigint;
}

export interface LimitsFacts {
  readonly debit: bigint;
  readonly balance: bigint;
  readonly timeZone: string;
  readonly windows: readonly WindowFacts[];
}

/** A debit of an account that has limits. */
export interface Debit {
  readonly accountId: string;
  readonly amount: bigint;
  /** UTC microseconds. */
  readonly time: bigint;
  /** What the event carries of the account's limits after it. */
  readonly carried: LimitsFacts | undefined;
}

const MOST = 2n ** 63n - 1n;

/** The limits that a request sets in place of others; undefined for none. */
export function limitsSet(
  requested: RequestedLimits | undefined,
  before: LimitsFacts | undefined,
): LimitsFacts | undefined {
  if (requested === undefined) return undefined;
  const { debit, balance, timeZone, day, week, month } = requested;
  const windows: WindowFacts[] = [];
  for (const [period, limit] of [
    [LimitPeriod.DAY, day],
    [LimitPeriod.WEEK, week],
    [LimitPeriod.MONTH, month],
  ] as const) {
    if (limit === undefined) continue;
    const { amount, count } = limit;
    const known = before?.windows.find((window) => window.period === period);
    windows.push({
      period,
      amount,
      count,
      startMicros: known?.startMicros ?? 0n,
      endMicros: known?.endMicros ?? 0n,
      usedAmount: known?.usedAmount ?? 0n,
      usedCount: known?.usedCount ?? 0n,
    });
  }
  const isNone = debit === 0n && balance === 0n && windows.length === 0;
  return isNone ? undefined : { debit, balance, timeZone, windows };
}

/**
 * The limits after a debit. Where it begins a period, the event alone says when that begins and ends: time zones may have other
 * rules today. It must hold the debit.
 */
export function limitsUsed(limits: LimitsFacts, debit: Debit, complain: Complain): LimitsFacts {
  const { amount, time, carried, accountId } = debit;
  const windows = limits.windows.map((window): WindowFacts => {
    if (time < window.endMicros) {
      const used = window.usedAmount + amount;
      return { ...window, usedAmount: used > MOST ? MOST : used, usedCount: window.usedCount + 1n };
    }
    const begun = carried?.windows.find(({ period }) => period === window.period);
    const { startMicros, endMicros } = begun ?? window;
    if (startMicros > time || endMicros <= time) {
      const name = LimitPeriod[window.period];
      complain(accountId, `a ${name} that holds ${time}`, `one from ${startMicros} to ${endMicros}`);
    }
    return { ...window, startMicros, endMicros, usedAmount: amount, usedCount: 1n };
  });
  return { ...limits, windows };
}

/** As the rows of all views have them. */
export function limitsText(limits: LimitsFacts | undefined): string | null {
  if (limits === undefined) return null;
  const windows = limits.windows.map(
    ({ period, amount, count, startMicros, endMicros, usedAmount, usedCount }) =>
      `[${String(period)},"${amount}","${count}","${startMicros}","${endMicros}","${usedAmount}","${usedCount}"]`,
  );
  return `["${limits.debit}","${limits.balance}",${JSON.stringify(limits.timeZone)},[${windows.join(',')}]]`;
}
