/** ProjectionService/PauseProjection: stops applying events after the batch under way. Lasts until resumed or the process ends. */
import type { ProjectionService } from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import type { MethodFunction } from '../../../lib/platform/service.js';
import { type Projector, projectionState } from '../projector.js';
import { projectionMessage } from './projection-message.js';

/** The method. */
export function pauseProjection(
  projector: Projector,
): MethodFunction<(typeof ProjectionService)['method']['pauseProjection']> {
  return async ({ projectionId }) => {
    const entry = projector.entry(projectionId);
    if (entry.projection.state === 'paused') throw projectionState(projectionId, 'it is paused already');
    await entry.projection.pause();
    return { projection: await projectionMessage(entry) };
  };
}
