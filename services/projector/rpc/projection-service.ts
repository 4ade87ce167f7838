/** quittance.ops.v1.ProjectionService, for the doors to mount. */
import { ProjectionService } from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import { implement, type Service } from '../../../lib/rpc/service.js';
import type { Projector } from '../projector.js';
import { getProjection } from './get-projection.js';
import { listProjections } from './list-projections.js';
import { pauseProjection } from './pause-projection.js';
import { rebuildProjection } from './rebuild-projection.js';
import { resumeProjection } from './resume-projection.js';

/** The service over the projections of this process. */
export function projectionService(projector: Projector): Service {
  return implement(ProjectionService, {
    listProjections: listProjections(projector),
    getProjection: getProjection(projector),
    pauseProjection: pauseProjection(projector),
    resumeProjection: resumeProjection(projector),
    rebuildProjection: rebuildProjection(projector),
  });
}
