/** ClosePeriod. */
import type { ClosedPeriod } from '../../../../gen/quittance/common/v1/period_pb.js';
import { closedPeriodOf } from '../../../../lib/log/periods.js';
import type { Answering, CommandMethod } from '../command-method.js';
import { commonOf, neededTimeOf, textOf } from '../request-parts.js';

export const closePeriod: CommandMethod<'closePeriod'> = {
  named: (value) => ({ case: 'closePeriod', value }),
  toCommand: (request) => ({
    type: 'ClosePeriod',
    ...commonOf(request),
    closedThrough: neededTimeOf(request.closedThrough, 'closed_through'),
    description: textOf(request.description, 'description'),
  }),
  toMovement: null,
  answer: (decided) => ({
    case: 'closePeriod',
    value: {
      $typeName: 'quittance.command.v1.ClosePeriodResponse',
      period: periodOf(decided),
      position: decided.receipt.position,
      consistencyToken: decided.receipt.consistencyToken,
      replayed: decided.receipt.replayed,
    },
  }),
};

function periodOf({ event, receipt, isAbbreviated }: Answering): ClosedPeriod {
  const period = closedPeriodOf(event);
  if (period === undefined) throw new Error('ClosePeriod comes to PeriodClosed');
  if (isAbbreviated) return { ...period, totals: [], description: '' };
  // What is only validated has no place in the log.
  return receipt.position === 0n ? { ...period, logHash: new Uint8Array(0) } : period;
}
