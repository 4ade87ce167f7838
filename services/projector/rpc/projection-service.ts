/** quittance.ops.v1.ProjectionService, for the doors to mount. */
import { ProjectionService } from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import { implement, type Service } from '../../../lib/rpc/service.js';
import type { ProjectionOperations } from '../operations.js';
import { getProjection } from './get-projection.js';
import { listDeadLetters } from './list-dead-letters.js';
import { listProjections } from './list-projections.js';
import { pauseProjection } from './pause-projection.js';
import { rebuildProjection } from './rebuild-projection.js';
import { resumeProjection } from './resume-projection.js';
import { retryDeadLetter } from './retry-dead-letter.js';

/** The service over projections. */
export function projectionService(operations: ProjectionOperations): Service {
  return implement(ProjectionService, {
    listProjections: listProjections(operations),
    getProjection: getProjection(operations),
    pauseProjection: pauseProjection(operations),
    resumeProjection: resumeProjection(operations),
    rebuildProjection: rebuildProjection(operations),
    listDeadLetters: listDeadLetters(operations),
    retryDeadLetter: retryDeadLetter(operations),
  });
}
