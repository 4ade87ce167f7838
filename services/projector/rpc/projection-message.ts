/** A projection as the API shows it. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import {
  type ProjectionSchema,
  ProjectionState,
  RebuildPhase,
  type RebuildSchema,
} from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import { fail, toCallError } from '../../../lib/rpc/errors.js';
import { durationOf, timestampOf } from '../../../lib/base/time.js';
import type { ProjectorEntry } from '../projector-entry.js';
import type { RebuildStatus } from '../rebuild.js';

const STATES = {
  running: ProjectionState.RUNNING,
  paused: ProjectionState.PAUSED,
  failed: ProjectionState.FAILED,
} as const;

const PHASES = {
  filling: RebuildPhase.FILLING,
  comparing: RebuildPhase.COMPARING,
  done: RebuildPhase.DONE,
  failed: RebuildPhase.FAILED,
} as const;

/** Reads where the projection is now. @throws CallError DEPENDENCY_UNAVAILABLE if the log cannot be read. */
export async function projectionMessage(
  entry: ProjectorEntry,
): Promise<MessageInitShape<typeof ProjectionSchema>> {
  const { projection } = entry;
  const lag = await projection.lag().catch((error: unknown) => {
    throw fail(ErrorReason.DEPENDENCY_UNAVAILABLE, 'the log cannot be read', { cause: toCallError(error) });
  });
  // A store that is away says nothing of them: the rest is known all the same.
  const deadLetters = await projection.deadLetters().catch(() => 0);
  const { position, recordedTime } = lag.checkpoint;
  const { state, failure } = entry.status;
  const { rebuild } = entry.agreed;
  return {
    projectionId: projection.id,
    state: STATES[state],
    store: projection.view?.store ?? '',
    generation: projection.view?.generation ?? 0,
    position,
    headPosition: lag.head.position,
    lagEvents: lag.events,
    lagTime: durationOf(lag.time),
    ...(position < 0n ? {} : { positionTime: timestampOf(recordedTime) }),
    failure,
    deadLetters: BigInt(deadLetters),
    ...(rebuild === undefined ? {} : { rebuild: rebuildMessage(rebuild) }),
  };
}

function rebuildMessage(status: RebuildStatus): MessageInitShape<typeof RebuildSchema> {
  return {
    phase: PHASES[status.phase],
    generation: status.generation,
    position: status.position,
    comparedRows: BigInt(status.comparedRows),
    differentRows: BigInt(status.differentRows),
    startTime: timestampOf(status.startTime),
    ...(status.endTime === undefined ? {} : { endTime: timestampOf(status.endTime) }),
    failure: status.failure,
  };
}
