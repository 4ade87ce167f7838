/** What a process that keeps the views says of them in GetSystem. */
import type { SystemFacts } from '../../lib/process/system-service.js';
import type { ProjectionOperations } from './operations.js';

/** How far each view is. */
export function viewFacts(
  operations: Pick<ProjectionOperations, 'list'>,
): Required<Pick<SystemFacts, 'views'>> {
  return {
    views: async () => {
      const projections = await operations.list();
      return projections.map(({ projectionId = '', position = 0n, state = 0 }) => ({
        projectionId,
        position,
        state,
      }));
    },
  };
}
