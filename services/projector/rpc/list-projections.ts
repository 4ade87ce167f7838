/** ProjectionService/ListProjections: all of them, with how far behind each is. */
import type { ProjectionService } from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import type { ProjectionOperations } from '../operations.js';

/** The method. */
export function listProjections(
  operations: ProjectionOperations,
): MethodFunction<(typeof ProjectionService)['method']['listProjections']> {
  return async () => ({ projections: [...(await operations.list())] });
}
