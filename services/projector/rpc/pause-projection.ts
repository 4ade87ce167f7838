/**
 * ProjectionService/PauseProjection: stops applying events after the batch under way. With several processes
 * the pause lasts until it is resumed; with one process, at most as long as the process.
 */
import type { ProjectionService } from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import type { ProjectionOperations } from '../operations.js';

/** The method. */
export function pauseProjection(
  operations: ProjectionOperations,
): MethodFunction<(typeof ProjectionService)['method']['pauseProjection']> {
  return async ({ projectionId }) => ({
    projection: await operations.run({ operation: 'pause', projectionId }),
  });
}
