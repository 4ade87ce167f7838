/** ProjectionService/GetProjection: one of them. */
import type { ProjectionService } from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import type { ProjectionOperations } from '../operations.js';

/** The method. */
export function getProjection(
  operations: ProjectionOperations,
): MethodFunction<(typeof ProjectionService)['method']['getProjection']> {
  return async ({ projectionId }) => ({
    projection: await operations.run({ operation: 'get', projectionId }),
  });
}
