/** ProjectionService/ListProjections: all of them, with how far behind each is. */
import type { ProjectionService } from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import type { Projector } from '../projector.js';
import { projectionMessage } from './projection-message.js';

/** The method. */
export function listProjections(
  projector: Projector,
): MethodFunction<(typeof ProjectionService)['method']['listProjections']> {
  return async () => ({
    projections: await Promise.all(projector.entries.map(projectionMessage)),
  });
}
