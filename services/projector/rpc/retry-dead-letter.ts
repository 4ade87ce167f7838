/** ProjectionService/RetryDeadLetter: applies dead letters once the cause is gone. */
import type {
  ProjectionService,
  RetryDeadLetterRequest,
} from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import type { DeadLetterTarget } from '../dead-letters/choose.js';
import type { ProjectionOperations } from '../operations.js';
import { deadLetterMessage } from './dead-letter-message.js';

/** The method. */
export function retryDeadLetter(
  operations: ProjectionOperations,
): MethodFunction<(typeof ProjectionService)['method']['retryDeadLetter']> {
  return async (request) => {
    const { projectionId, expectedCount, validateOnly } = request;
    const target = targetOf(request);
    const retried = await operations.retry({ projectionId, target, expectedCount, validateOnly });
    const { matched, applied, firstFailed, projection } = retried;
    const answer = { matchedCount: BigInt(matched), appliedCount: BigInt(applied), projection };
    return firstFailed === undefined ? answer : { ...answer, firstFailed: deadLetterMessage(firstFailed) };
  };
}

function targetOf({ target }: RetryDeadLetterRequest): DeadLetterTarget {
  switch (target.case) {
    case 'position':
      return { kind: 'position', position: target.value };
    case 'stream':
      return { kind: 'stream', ledgerId: target.value.ledgerId, streamId: target.value.streamId };
    case 'all':
      return { kind: 'all' };
    case undefined:
      throw new Error('the contract requires a target');
  }
}
