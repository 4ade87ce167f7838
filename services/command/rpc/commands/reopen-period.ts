/** ReopenPeriod. */
import type { ReopenPeriodResponse } from '../../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { timestampOf } from '../../../../lib/base/time.js';
import { closedThroughAfter } from '../../../../lib/log/periods.js';
import type { CommandMethod } from '../command-method.js';
import { commonOf, textOf, timeOf } from '../request-parts.js';

export const reopenPeriod: CommandMethod<'reopenPeriod'> = {
  named: (value) => ({ case: 'reopenPeriod', value }),
  toCommand: (request) => ({
    type: 'ReopenPeriod',
    ...commonOf(request),
    keepClosedThrough: timeOf(request.keepClosedThrough, 'keep_closed_through'),
    reason: textOf(request.reason, 'reason'),
  }),
  toMovement: null,
  answer: ({ event, receipt }) => {
    const { position, consistencyToken, replayed } = receipt;
    const value: ReopenPeriodResponse = {
      $typeName: 'quittance.command.v1.ReopenPeriodResponse',
      position,
      consistencyToken,
      replayed,
    };
    const closedThrough = closedThroughAfter(event) ?? null;
    if (closedThrough !== null) value.closedThrough = timestampOf(closedThrough);
    return { case: 'reopenPeriod', value };
  },
};
