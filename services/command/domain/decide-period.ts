/** Periods of a ledger: closed up to a time, and reopened. */
import type { ClosePeriod, ReopenPeriod } from './command.js';
import { type Decision, happened, type LedgerReader, refusal, refuse } from './decision.js';

const AT = { field: 'closed_through' };

/** Closes further than before, and states the trial balance. A period that is not over could still be posted to by right. */
export function decideClosePeriod(command: ClosePeriod, ledger: LedgerReader, now: bigint): Decision {
  const { ledgerId, closedThrough, description } = command;
  if (closedThrough > now) {
    return refuse(refusal('PERIOD_IN_FUTURE', 'The period to close ends in the future.', AT));
  }
  const before = ledger.closedThrough();
  if (before !== null && closedThrough <= before) {
    const message = `Ledger ${ledgerId} is closed so far already.`;
    const at = { ...AT, resourceId: ledgerId, closedThrough: before };
    return refuse(refusal('PERIOD_ALREADY_CLOSED', message, at));
  }
  const totals = ledger.trialBalance(closedThrough);
  return happened({ type: 'PeriodClosed', ledgerId, closedThrough, totals, description });
}

/** Reopens what is closed after a time, or all of it. */
export function decideReopenPeriod(command: ReopenPeriod, ledger: LedgerReader): Decision {
  const { ledgerId, keepClosedThrough: closedThrough, reason } = command;
  const before = ledger.closedThrough();
  if (before === null || (closedThrough !== null && closedThrough >= before)) {
    const message = `Nothing of ledger ${ledgerId} is closed that would be reopened.`;
    const at = { field: 'keep_closed_through', resourceId: ledgerId };
    return refuse(refusal('PERIOD_NOT_CLOSED', message, at));
  }
  return happened({ type: 'PeriodReopened', ledgerId, closedThrough, reason });
}
