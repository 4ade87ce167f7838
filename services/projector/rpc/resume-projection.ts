/** ProjectionService/ResumeProjection: goes on after a pause or a failure. */
import type { ProjectionService } from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import type { ProjectionOperations } from '../operations.js';

/** The method. */
export function resumeProjection(
  operations: ProjectionOperations,
): MethodFunction<(typeof ProjectionService)['method']['resumeProjection']> {
  return async ({ projectionId }) => ({
    projection: await operations.run({ operation: 'resume', projectionId }),
  });
}
