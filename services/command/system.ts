/** What a process that takes commands says of itself in GetSystem. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { SystemLeaseSchema, SystemRelaySchema } from '../../gen/quittance/ops/v1/system_service_pb.js';
import { durationOf } from '../../lib/base/time.js';
import { type SystemFacts, systemLogOf } from '../../lib/process/system-service.js';
import type { MeasuredCommand } from './metrics.js';
import type { Relay } from './relay/relay.js';
import type { Standing } from './standing/standing.js';

/** The log and the queue. */
export function commandFacts(measured: MeasuredCommand): Pick<SystemFacts, 'log' | 'queue'> {
  const { executor, memory, tailLimit } = measured;
  return {
    log: () => Promise.resolve(systemLogOf(memory.end)),
    queue: () => ({
      deciding: executor.isServing,
      commands: BigInt(executor.queue.size),
      commandsMax: BigInt(executor.queue.limit),
      tailEvents: BigInt(memory.tailSize),
      tailEventsMax: BigInt(tailLimit),
    }),
  };
}

/** The lease, as this process knows it. */
export function leaseFact({ place }: Pick<Standing, 'place'>): MessageInitShape<typeof SystemLeaseSchema> {
  switch (place.at) {
    case 'here':
      return { held: true, term: place.term };
    case 'peer':
      return { held: false, term: place.term, holderAddress: place.address };
    case 'unknown':
      return { held: false };
    default:
      return place satisfies never;
  }
}

/** How far the relay is; undefined where none runs. */
export async function relayFact(
  relay: Relay | undefined,
): Promise<MessageInitShape<typeof SystemRelaySchema> | undefined> {
  if (relay === undefined) return undefined;
  const { events, time } = await relay.lag();
  return { up: relay.isUp, position: relay.position, lagEvents: events, lagTime: durationOf(time) };
}
