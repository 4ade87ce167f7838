/** The answer of a process that does not have the lease: nothing was changed, and another process decides. */
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { CallError, fail } from '../../../lib/rpc/errors.js';

/** Why a command was not decided here. */
class LeaseElsewhere extends Error {
  override readonly name = 'LeaseElsewhere';
}

const RETRY_MS = 100;

export function notHolder(): CallError {
  return fail(ErrorReason.NOT_SERVING, 'this process does not decide commands now; send it again', {
    cause: new LeaseElsewhere('the lease is not ours'),
    retryAfter_ms: RETRY_MS,
  });
}

export function isNotHolder(error: unknown): boolean {
  return error instanceof CallError && error.cause instanceof LeaseElsewhere;
}
