/** The limits of an account, as they are typed. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { InvalidArgumentError } from 'commander';
import type { AccountLimitsSchema } from '../../../gen/quittance/common/v1/account_pb.js';
import { UsageError } from '../../../lib/process/command-line.js';
import { readAmount } from '../amounts.js';
import { grouped, repeated, text } from '../flags.js';
import { currencyIn } from '../money.js';
import type { Session } from '../session.js';

const AMOUNTS = ['debit', 'balance', 'day', 'week', 'month'] as const;
const COUNTS = ['day-count', 'week-count', 'month-count'] as const;
const PERIODS = ['day', 'week', 'month'] as const;

type LimitName = (typeof AMOUNTS)[number] | (typeof COUNTS)[number];

/** A limit as it was typed; `none` stands for no limits at all. */
type TypedLimit = 'none' | { readonly name: LimitName; readonly value: string };

/** What sets limits: all of an account together. */
export const LIMIT_FLAGS = grouped('Limits', {
  limit: {
    ...repeated(
      'limit',
      'what it allows at most: debit, balance, day, week or month with an amount (day=500.00), day-count, week-count or month-count with a number; or none',
      readLimit,
    ),
    choices: ['none', ...[...AMOUNTS, ...COUNTS].map((name) => `${name}=`)],
  },
  limitZone: text('zone', 'where days, weeks and months begin, such as Europe/Prague (default UTC)'),
});

function readLimit(typed: string): TypedLimit {
  if (typed === 'none') return 'none';
  const at = typed.indexOf('=');
  const name = [...AMOUNTS, ...COUNTS].find((known) => known === typed.slice(0, Math.max(at, 0)));
  const value = typed.slice(at + 1);
  if (name === undefined || value === '')
    throw new InvalidArgumentError(
      `It is LIMIT=VALUE, or none; LIMIT is one of ${[...AMOUNTS, ...COUNTS].join(', ')}.`,
    );
  if (COUNTS.some((known) => known === name) && !/^[1-9]\d{0,8}$/.test(value))
    throw new InvalidArgumentError('It is a whole number above 0.');
  return { name, value };
}

/**
 * The limits as the contract has them, of an account that is kept in a currency; undefined if none is typed.
 * @throws UsageError
 */
export async function limitsOf(
  session: Session,
  typed: readonly TypedLimit[] | undefined,
  timeZone: string | undefined,
  currency: string,
): Promise<MessageInitShape<typeof AccountLimitsSchema> | undefined> {
  if (typed === undefined) {
    if (timeZone !== undefined) throw new UsageError('--limit-zone is for the limits that --limit sets');
    return undefined;
  }
  const values = new Map<LimitName, bigint>();
  for (const limit of typed) {
    if (limit === 'none') {
      if (typed.length > 1) throw new UsageError('--limit none stands alone');
      continue;
    }
    const { name, value } = limit;
    const isCount = COUNTS.some((known) => known === name);
    values.set(name, isCount ? BigInt(value) : await minorUnitsOf(session, value, currency));
  }
  const periods = PERIODS.flatMap((period) => {
    const amount = values.get(period) ?? 0n;
    const count = values.get(`${period}-count`) ?? 0n;
    return amount === 0n && count === 0n ? [] : [[period, { amount, count }] as const];
  });
  return {
    debit: values.get('debit') ?? 0n,
    balance: values.get('balance') ?? 0n,
    timeZone: timeZone ?? '',
    ...Object.fromEntries(periods),
  };
}

/** The message carries minor units only: a limit in the digits of another currency would be another limit. */
async function minorUnitsOf(session: Session, typed: string, currency: string): Promise<bigint> {
  const amount = await readAmount(session, typed, currencyIn(typed) ?? currency);
  if (amount.currency === currency) return amount.minorUnits;
  throw new UsageError(`the account is kept in ${currency}, not in ${amount.currency}`);
}
