/** ProjectionService/RebuildProjection: fills a new generation beside the one that serves, then switches. */
import type { ProjectionService } from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import type { ProjectionOperations } from '../operations.js';

/** The method. */
export function rebuildProjection(
  operations: ProjectionOperations,
): MethodFunction<(typeof ProjectionService)['method']['rebuildProjection']> {
  return async ({ projectionId, acceptDifferences }) => ({
    projection: await operations.run({ operation: 'rebuild', projectionId, acceptDifferences }),
  });
}
