/** What the state of an account says of its limits, and how stores keep it. */
import { create } from '@bufbuild/protobuf';
import {
  type AccountLimits as ApiLimits,
  AccountLimitsSchema as ApiLimitsSchema,
  LimitPeriod,
  type LimitUse,
} from '../../gen/quittance/common/v1/account_pb.js';
import { type AccountLimits, AccountLimitsSchema } from '../../gen/quittance/event/v1/event_pb.js';
import { decodeMessage, encodeMessage } from '../base/codec/binary.js';
import { timestampOf } from '../base/time.js';

/** Limits as they were set. */
export function limitsOf({ debit, balance, timeZone, windows }: AccountLimits): ApiLimits {
  const limits = create(ApiLimitsSchema, { debit, balance, timeZone });
  for (const { period, amount, count } of windows) {
    const limit = { $typeName: 'quittance.common.v1.DebitLimit' as const, amount, count };
    if (period === LimitPeriod.DAY) limits.day = limit;
    else if (period === LimitPeriod.WEEK) limits.week = limit;
    else if (period === LimitPeriod.MONTH) limits.month = limit;
  }
  return limits;
}

/** What is used of them. */
export function limitUsesOf({ windows }: AccountLimits): LimitUse[] {
  return windows.map(({ period, amount, count, usedAmount, usedCount, startMicros, endMicros }) => {
    const use: LimitUse = {
      $typeName: 'quittance.common.v1.LimitUse',
      period,
      usedAmount,
      usedCount,
      amount,
      count,
    };
    if (endMicros === 0n) return use;
    use.startTime = timestampOf(startMicros);
    use.endTime = timestampOf(endMicros);
    return use;
  });
}

/** As a store keeps them in a column of bytes; undefined where an account has none. */
export function limitsBytes(limits: AccountLimits | undefined): Uint8Array | undefined {
  return limits === undefined ? undefined : encodeMessage(AccountLimitsSchema, limits);
}

/** What such a column says; undefined for null. */
export function limitsIn(bytes: Uint8Array | null): AccountLimits | undefined {
  return bytes === null ? undefined : decodeMessage(AccountLimitsSchema, bytes);
}

/** All that they say, as canonical text; null where an account has none. */
export function limitsText(limits: AccountLimits | undefined): string | null {
  if (limits === undefined) return null;
  const { debit, balance, timeZone, windows } = limits;
  return JSON.stringify([
    ...[debit, balance].map(String),
    timeZone,
    windows.map(({ period, amount, count, startMicros, endMicros, usedAmount, usedCount }) => [
      period,
      ...[amount, count, startMicros, endMicros, usedAmount, usedCount].map(String),
    ]),
  ]);
}
