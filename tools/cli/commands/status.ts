/** `quittance status`: what serves, in which version, what waits, and how far each read model is. */
import {
  Health,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../../gen/grpc/health/v1/health_pb.js';
import {
  type Projection,
  ProjectionService,
  ProjectionState,
} from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import {
  type GetSystemResponse,
  SystemMode,
  SystemService,
} from '../../../gen/quittance/ops/v1/system_service_pb.js';
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
  summary: 'show what serves, in which version, what waits, and how far each read model is',
  positionals: {},
  flags: CALL_FLAGS,
  examples: [
    ['quittance status', 'of the server of the profile'],
    ['quittance status -o json', 'for scripts; exit code 5 unless everything serves'],
  ],
  run: async (session) => {
    const doors = await doorConditions(session);
    const views = ((await shownTo(session, projectionsOf)) ?? []).map(
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

async function projectionsOf(session: Session): Promise<readonly Projection[]> {
  return (await session.call('ops', ProjectionService.method.listProjections, {})).projections;
}

/** What only operators may see; undefined to other callers, which is said. */
async function shownTo<T>(session: Session, read: (session: Session) => Promise<T>): Promise<T | undefined> {
  try {
    return await read(session);
  } catch (error) {
    if (!isCallError(error) || callErrorOf(error).reason !== 'PERMISSION_DENIED') throw error;
    say(session.io, 'what only operators may see is not shown: that needs the scope admin:*');
    return undefined;
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
    const system = await shownTo(session, () => session.call(door, SystemService.method.getSystem, {}));
    const detail = system === undefined ? address : `${address}, ${programOf(system)}`;
    conditions.push({ part: 'server', isGood: status === ServingStatus.SERVING, state, detail });
    if (system !== undefined) conditions.push(...workOf(system));
  }
  return conditions;
}

function programOf({ process, version, mode }: GetSystemResponse): string {
  return `${process} ${version}, ${SystemMode[mode].toLowerCase()}`;
}

/** What the process does with commands, as far as it takes any. */
function workOf({ queue, lease, relay }: GetSystemResponse): Condition[] {
  const conditions: Condition[] = [];
  if (queue !== undefined) {
    const { deciding, commands, commandsMax } = queue;
    conditions.push({
      part: 'queue',
      isGood: commands < commandsMax && (deciding || lease?.holderAddress !== ''),
      state: deciding ? 'deciding' : 'sending on',
      detail: `${String(commands)} of at most ${String(commandsMax)} commands wait`,
    });
  }
  if (lease !== undefined) {
    const { held, term, holderAddress } = lease;
    conditions.push({
      part: 'lease',
      isGood: held || holderAddress !== '',
      state: held ? 'held' : 'not held',
      detail: holderAddress === '' ? `term ${String(term)}` : `term ${String(term)}, at ${holderAddress}`,
    });
  }
  if (relay !== undefined) {
    const { up, position, lagEvents } = relay;
    conditions.push({
      part: 'relay',
      isGood: up,
      state: up ? 'sending' : 'failing',
      detail: `position ${String(position)}, ${String(lagEvents)} events behind`,
    });
  }
  return conditions;
}
