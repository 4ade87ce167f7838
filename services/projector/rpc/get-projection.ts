/** ProjectionService/GetProjection: one of them. */
import type { ProjectionService } from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import type { Projector } from '../projector.js';
import { projectionMessage } from './projection-message.js';

/** The method. */
export function getProjection(
  projector: Projector,
): MethodFunction<(typeof ProjectionService)['method']['getProjection']> {
  return async ({ projectionId }) => ({
    projection: await projectionMessage(projector.entry(projectionId)),
  });
}
