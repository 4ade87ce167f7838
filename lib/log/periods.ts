/** What events say of the periods of a ledger. */
import type { ClosedPeriod } from '../../gen/quittance/common/v1/period_pb.js';
import type * as log from '../../gen/quittance/event/v1/event_pb.js';
import { codeOf, knownExponent } from '../base/currency.js';
import { timestampOf } from '../base/time.js';

/** The stream of all periods of a ledger: its last event says what is closed. No account has such an id. */
export const PERIODS_STREAM = '@periods';

/**
 * What an event left closed of its ledger: what is dated at or before it, UTC microseconds; null: nothing. Undefined: the event
 * says nothing of that.
 */
export function closedThroughAfter({ payload }: log.Event): bigint | null | undefined {
  switch (payload.case) {
    case 'ledgerCreatedV2':
      return null;
    case 'periodClosed':
      return payload.value.closedThroughMicros;
    case 'periodReopened':
      return payload.value.closedThroughMicros ?? null;
    default:
      return undefined;
  }
}

/** The period that an event closed; undefined if it closed none. */
export function closedPeriodOf(event: log.Event): ClosedPeriod | undefined {
  const { payload, ledgerId, position, previousHash, recordedTimeMicros } = event;
  if (payload.case !== 'periodClosed') return undefined;
  const { closedThroughMicros, totals, totalCount, totalsHash, description } = payload.value;
  return {
    $typeName: 'quittance.common.v1.ClosedPeriod',
    ledgerId,
    closedThrough: timestampOf(closedThroughMicros),
    closeTime: timestampOf(recordedTimeMicros),
    position,
    logHash: previousHash,
    totals: totals.map(({ currency, accountType, debits, credits }) => ({
      $typeName: 'quittance.common.v1.PeriodTotal',
      currency: codeOf(currency),
      exponent: knownExponent(currency),
      accountType,
      debits,
      credits,
    })),
    totalCount,
    totalsHash,
    description,
  };
}
