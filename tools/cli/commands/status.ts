/** `quittance status`: what serves, and how far each read model is. */
import {
  Health,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../../gen/grpc/health/v1/health_pb.js';
import {
  type Projection,
  ProjectionService,
  ProjectionState,
} from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import { callErrorOf, isCallError } from '../../client/errors.js';
import { UNAVAILABLE } from '../exit-codes.js';
import { say } from '../io.js';
import { printList } from '../printer.js';
import type { Door, Session } from '../session.js';
import { CALL_FLAGS } from '../shared-flags.js';
import { CONDITIONS, type Condition } from '../sheets/conditions.js';
import { verb } from '../verb.js';
import { from } from './answer.js';

const DOORS: readonly Door[] = ['command', 'query', 'ops'];

export const STATUS = verb({
  name: 'status',
  summary: 'show what serves, and how far each read model is',
  positionals: {},
  flags: CALL_FLAGS,
  examples: [
    ['quittance status', 'of the server of the profile'],
    ['quittance status -o json', 'for scripts; exit code 5 unless everything serves'],
  ],
  run: async (session) => {
    const doors = await doorConditions(session);
    const views = (await projectionsOf(session)).map(
      ({ projectionId, state, lagEvents, position, deadLetters, failure }): Condition => {
        const parked = deadLetters === 0n ? '' : `, ${String(deadLetters)} dead letters`;
        return {
          part: projectionId,
          isGood: state === ProjectionState.RUNNING && deadLetters === 0n,
          state: ProjectionState[state].toLowerCase(),
          detail:
            failure === ''
              ? `position ${String(position)}, ${String(lagEvents)} events behind${parked}`
              : failure,
        };
      },
    );
    const conditions = [...doors, ...views];
    await printList(session.io, session.format, CONDITIONS, from(conditions));
    return conditions.every(({ isGood }) => isGood) ? undefined : UNAVAILABLE;
  },
});

/** The read models; none where the caller may not see them, which is said. */
async function projectionsOf(session: Session): Promise<readonly Projection[]> {
  try {
    return (await session.call('ops', ProjectionService.method.listProjections, {})).projections;
  } catch (error) {
    if (!isCallError(error) || callErrorOf(error).reason !== 'PERMISSION_DENIED') throw error;
    say(session.io, 'the read models are not shown: that needs the scope admin:*');
    return [];
  }
}

/** Each address once, with what its process says of itself. */
async function doorConditions(session: Session): Promise<Condition[]> {
  const byAddress = new Map<string, Door>();
  for (const door of DOORS)
    if (!byAddress.has(session.address(door))) byAddress.set(session.address(door), door);
  const conditions: Condition[] = [];
  for (const [address, door] of byAddress) {
    const { status } = await session.call(door, Health.method.check, {});
    const state = ServingStatus[status].toLowerCase().replaceAll('_', ' ');
    conditions.push({ part: 'server', isGood: status === ServingStatus.SERVING, state, detail: address });
  }
  return conditions;
}
