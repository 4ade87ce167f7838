/**
 * What is closed of a ledger, from the log: the last event of one stream says it, so that it is as of the same position as the rest of
 * an answer, whichever view that is from.
 */
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import type { ClosedPeriod } from '../../../gen/quittance/common/v1/period_pb.js';
import { timestampOf } from '../../../lib/base/time.js';
import { closedPeriodOf, closedThroughAfter, PERIODS_STREAM } from '../../../lib/log/periods.js';
import type { QueryContext } from '../context.js';

export interface Closed {
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
  const [last] = await log.page({
    after: -1n,
    through: position,
    limit: 1,
    ledgerId,
    streamId: PERIODS_STREAM,
    isDescending: true,
  });
  const closedThrough = last === undefined ? null : (closedThroughAfter(last.event) ?? null);
  return {
    closedThrough: closedThrough === null ? undefined : timestampOf(closedThrough),
    closedPeriod: last === undefined ? undefined : closedPeriodOf(last.event),
  };
}
