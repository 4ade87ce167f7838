/** The limits of an account, as a request has them and as the domain takes them. */
import type { AccountLimits, DebitLimit } from '../../../gen/quittance/common/v1/account_pb.js';
import { zoneNamed } from '../../../lib/base/zone.js';
import type { LimitPeriod, RequestedLimits } from '../domain/account-limits.js';
import { invalidField } from './request-parts.js';

const NO_LIMITS: RequestedLimits = { debit: 0n, balance: 0n, timeZone: '', windows: [] };

/** @throws CallError INVALID_FIELD for a period without a limit, and for a time zone that is unknown or of no use */
export function limitsOf(limits: AccountLimits | undefined): RequestedLimits {
  if (limits === undefined) return NO_LIMITS;
  const { debit, balance, timeZone, day, week, month } = limits;
  const windows = [...windowOf('DAY', day), ...windowOf('WEEK', week), ...windowOf('MONTH', month)];
  if (timeZone !== '' && windows.length === 0)
    throw invalidField('limits.time_zone', 'is for limits of days, weeks and months');
  if (timeZone !== '' && zoneNamed(timeZone) === undefined)
    throw invalidField('limits.time_zone', 'is not an IANA time zone that this server knows');
  return { debit, balance, timeZone, windows };
}

function windowOf(period: LimitPeriod, limit: DebitLimit | undefined): RequestedLimits['windows'] {
  if (limit === undefined) return [];
  const { amount, count } = limit;
  if (amount === 0n && count === 0n)
    throw invalidField(`limits.${period.toLowerCase()}`, 'names neither an amount nor a count; leave it out');
  return [{ period, amount, count }];
}
