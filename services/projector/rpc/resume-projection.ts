/** ProjectionService/ResumeProjection: goes on after a pause or a failure. */
import type { ProjectionService } from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import type { Projector } from '../projector.js';
import { projectionMessage } from './projection-message.js';

/** The method. */
export function resumeProjection(
  projector: Projector,
): MethodFunction<(typeof ProjectionService)['method']['resumeProjection']> {
  return async ({ projectionId }) => {
    const entry = projector.entry(projectionId);
    await projector.resume(entry);
    return { projection: await projectionMessage(entry) };
  };
}
