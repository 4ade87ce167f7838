/**
 * ProjectionService/PauseProjection: stops applying events after the batch under way. With several processes
 * the pause lasts until it is resumed; with one process, at most as long as the process.
 */
import type { ProjectionService } from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import type { Projector } from '../projector.js';
import { projectionMessage } from './projection-message.js';

/** The method. */
export function pauseProjection(
  projector: Projector,
): MethodFunction<(typeof ProjectionService)['method']['pauseProjection']> {
  return async ({ projectionId }) => {
    const entry = projector.entry(projectionId);
    await projector.pause(entry);
    return { projection: await projectionMessage(entry) };
  };
}
