/** ProjectionService/RebuildProjection: fills a new generation beside the one that serves, then switches. */
import type { ProjectionService } from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import type { Projector } from '../projector.js';
import { projectionMessage } from './projection-message.js';

/** The method. */
export function rebuildProjection(
  projector: Projector,
): MethodFunction<(typeof ProjectionService)['method']['rebuildProjection']> {
  return async ({ projectionId, acceptDifferences }) => {
    const entry = projector.entry(projectionId);
    await projector.rebuild(entry, acceptDifferences);
    return { projection: await projectionMessage(entry) };
  };
}
