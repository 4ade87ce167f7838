/** The events of periods to event.v1. */
import { hash } from 'node:crypto';
import { AccountType } from '../../../gen/quittance/common/v1/account_pb.js';
import type * as log from '../../../gen/quittance/event/v1/event_pb.js';
import type { PeriodClosed, PeriodReopened } from '../domain/event.js';

/** Rows of a trial balance in an event: 70 KiB, or 200 currencies in accounts of every type. */
const ROWS_MAX = 1_000;

export function periodClosed({ closedThrough, totals, description }: PeriodClosed): log.PeriodClosed {
  const lines = totals.map(
    ({ currency, type, debits, credits }) =>
      `${currency} ${String(AccountType[type])} ${String(debits)} ${String(credits)}\n`,
  );
  return {
    $typeName: 'quittance.event.v1.PeriodClosed',
    closedThroughMicros: closedThrough,
    totals: totals.slice(0, ROWS_MAX).map(({ currency, type, debits, credits }) => ({
      $typeName: 'quittance.event.v1.PeriodTotal',
      currency,
      accountType: AccountType[type],
      debits: String(debits),
      credits: String(credits),
    })),
    totalCount: totals.length,
    totalsHash: hash('sha256', lines.join(''), 'buffer'),
    description,
  };
}

export function periodReopened({ closedThrough, reason }: PeriodReopened): log.PeriodReopened {
  const reopened: log.PeriodReopened = { $typeName: 'quittance.event.v1.PeriodReopened', reason };
  if (closedThrough !== null) reopened.closedThroughMicros = closedThrough;
  return reopened;
}
