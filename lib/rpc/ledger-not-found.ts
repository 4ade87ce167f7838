/** The error for a ledger that is not there: one text for all who say so, so that it never tells two cases apart. */
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import { type CallError, fail } from './errors.js';

/** No such ledger, or none that the caller may see. The domain has the same text. */
export function ledgerNotFound(ledgerId: string): CallError {
  return fail(ErrorReason.LEDGER_NOT_FOUND, `There is no ledger ${ledgerId}.`, {
    resource: { type: 'ledger', name: ledgerId },
  });
}
