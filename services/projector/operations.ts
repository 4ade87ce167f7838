/** What operators can ask of the projections, wherever these run: in this thread or in another one. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ProjectionSchema } from '../../gen/quittance/ops/v1/projection_service_pb.js';
import type { Projector } from './projector.js';
import { projectionMessage } from './rpc/projection-message.js';

/** A projection as the API shows it: plain data. */
export type ProjectionInfo = MessageInitShape<typeof ProjectionSchema>;

/** An operation, as plain data. */
export type ProjectionRequest =
  | { readonly operation: 'get' | 'pause' | 'resume'; readonly projectionId: string }
  | {
      readonly operation: 'rebuild';
      readonly projectionId: string;
      /** Switch even if rows differ. */
      readonly acceptDifferences: boolean;
    };

export interface ProjectionOperations {
  list(): Promise<readonly ProjectionInfo[]>;
  /**
   * Does it, and shows the projection after it.
   * @throws CallError PROJECTION_NOT_FOUND, PROJECTION_STATE, or of a store that does not answer
   */
  run(request: ProjectionRequest): Promise<ProjectionInfo>;
}

/** The operations of the projections of this thread. */
export function operationsOf(projector: Projector): ProjectionOperations {
  return {
    list: () => Promise.all(projector.entries.map(projectionMessage)),
    run: async (request) => {
      const entry = projector.entry(request.projectionId);
      switch (request.operation) {
        case 'get':
          break;
        case 'pause':
          await projector.pause(entry);
          break;
        case 'resume':
          await projector.resume(entry);
          break;
        case 'rebuild':
          await projector.rebuild(entry, request.acceptDifferences);
          break;
      }
      return projectionMessage(entry);
    },
  };
}
