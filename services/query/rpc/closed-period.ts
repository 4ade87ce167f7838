/**
 * What is closed of ledgers, from the log: the last event of one stream says it, so that it is as of the same position as the rest of
 * an answer, whichever view that is from.
 */
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import type { ClosedPeriod } from '../../../gen/quittance/common/v1/period_pb.js';
import type { Ledger } from '../../../gen/quittance/common/v1/transaction_pb.js';
import { timestampOf } from '../../../lib/base/time.js';
import { closedPeriodOf, closedThroughAfter, PERIODS_STREAM } from '../../../lib/log/periods.js';
import type { RecordedEvent } from '../../../lib/log/recorded-event.js';
import type { QueryContext } from '../context.js';

interface Closed {
  /** Undefined: nothing is closed. */
  readonly closedThrough: Timestamp | undefined;
  /** Undefined if there was no close, and after a reopening. */
  readonly closedPeriod: ClosedPeriod | undefined;
}

/** What was closed at a position. */
export async function closedAt(
  { log }: Pick<QueryContext, 'log'>,
  ledgerId: string,
  position: bigint,
): Promise<Closed> {
  const [last] = await log.lastOfStream(PERIODS_STREAM, [ledgerId], position);
  return {
    closedThrough: last && closedThroughOf(last),
    closedPeriod: last && closedPeriodOf(last.event),
  };
}

/** Ledgers with what was closed of them at a position: one read of the log for all. */
export async function withClosedThrough(
  { log }: Pick<QueryContext, 'log'>,
  ledgers: readonly Ledger[],
  position: bigint,
): Promise<readonly Ledger[]> {
  if (ledgers.length === 0) return ledgers;
  const ids = ledgers.map(({ ledgerId }) => ledgerId);
  const found = await log.lastOfStream(PERIODS_STREAM, ids, position);
  const last = new Map(found.map((record) => [record.event.ledgerId, record]));
  return ledgers.map((ledger) => closedLedger(ledger, last.get(ledger.ledgerId)));
}

/** A ledger after the last event of its periods. */
function closedLedger(ledger: Ledger, last: RecordedEvent | undefined): Ledger {
  const closedThrough = last && closedThroughOf(last);
  return closedThrough === undefined ? ledger : { ...ledger, closedThrough };
}

function closedThroughOf({ event }: RecordedEvent): Timestamp | undefined {
  const closedThrough = closedThroughAfter(event) ?? null;
  return closedThrough === null ? undefined : timestampOf(closedThrough);
}
