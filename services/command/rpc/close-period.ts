/** ClosePeriod: the trial balance is worked out first, then the command takes the way of all unary commands. */
import type { LedgerCommandService } from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import { neededTimeOf } from './request-parts.js';
import type { LedgerContext } from './submit.js';
import { unary } from './unary.js';

type Method = MethodFunction<(typeof LedgerCommandService)['method']['closePeriod']>;

export function closePeriod(context: LedgerContext): Method {
  const decide = unary(context, 'closePeriod');
  const { executor, closingBalances } = context;
  return async (request, call) => {
    const { ledgerId } = request;
    const through = neededTimeOf(request.closedThrough, 'closed_through');
    // What is answered without a trial balance: by another process, as an error, or as a replay.
    if (!executor.isServing || !closingBalances.isWanted(ledgerId, through)) return decide(request, call);
    return closingBalances.during(ledgerId, through, call, () => decide(request, call));
  };
}
