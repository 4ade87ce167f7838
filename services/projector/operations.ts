/** What operators can ask of the projections, wherever these run: in this thread or in another one. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ProjectionSchema } from '../../gen/quittance/ops/v1/projection_service_pb.js';
import type { DeadLetter } from '../../lib/views/parked/dead-letter.js';
import {
  deadLettersOf,
  retryDeadLetters,
  type RetryRequest,
  type RetryResult,
} from './dead-letters/dead-letters.js';
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

/** Which dead letters to show, as plain data. */
export interface DeadLettersRequest {
  readonly projectionId: string;
  /** Empty: all. */
  readonly ledgerId: string;
  readonly streamId: string;
  readonly refusedOnly: boolean;
  /** Only those beyond this position. */
  readonly after: bigint;
  readonly limit: number;
}

/** Some of them, as plain data. */
export interface DeadLettersInfo {
  readonly letters: readonly DeadLetter[];
  readonly total: number;
  readonly hasMore: boolean;
  /** See LogReader.logId. */
  readonly logId: Uint8Array;
}

/** What became of dead letters that were retried. */
export interface RetryInfo extends RetryResult {
  readonly projection: ProjectionInfo;
}

export interface ProjectionOperations {
  list(): Promise<readonly ProjectionInfo[]>;
  /**
   * Does it, and shows the projection after it.
   * @throws CallError PROJECTION_NOT_FOUND, PROJECTION_STATE, or of a store that does not answer
   */
  run(request: ProjectionRequest): Promise<ProjectionInfo>;
  /** @throws CallError PROJECTION_NOT_FOUND, or of a store that does not answer */
  deadLetters(request: DeadLettersRequest): Promise<DeadLettersInfo>;
  /** @throws CallError PROJECTION_NOT_FOUND, of retryDeadLetters, or of a store that does not answer */
  retry(request: RetryRequest): Promise<RetryInfo>;
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
    deadLetters: (request) => showDeadLetters(projector, request),
    retry: async (request) => {
      const entry = projector.entry(request.projectionId);
      const result = await retryDeadLetters(entry, request);
      return { ...result, projection: await projectionMessage(entry) };
    },
  };
}

async function showDeadLetters(projector: Projector, request: DeadLettersRequest): Promise<DeadLettersInfo> {
  const { ledgerId, streamId, refusedOnly, after, limit } = request;
  const all = await deadLettersOf(projector.entry(request.projectionId));
  const found = all.filter(
    (letter) =>
      (ledgerId === '' || letter.ledgerId === ledgerId) &&
      (streamId === '' || letter.streamId === streamId) &&
      !(refusedOnly && letter.behind !== undefined),
  );
  const rest = found.filter(({ position }) => position > after);
  return {
    letters: rest.slice(0, limit),
    total: found.length,
    hasMore: rest.length > limit,
    logId: await projector.log.logId(),
  };
}
