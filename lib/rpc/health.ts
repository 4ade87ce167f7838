/** Who serves and who does not: grpc.health.v1, for probes and load balancers, and what /readyz answers. */
import { EventEmitter, once } from 'node:events';
import { Code } from '@connectrpc/connect';
import {
  Health as HealthService,
  HealthCheckResponse_ServingStatus,
} from '../../gen/grpc/health/v1/health_pb.js';
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import { fail } from './errors.js';
import { implement, type Service } from './service.js';

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = HealthCheckResponse_ServingStatus;
type ServingStatus = HealthCheckResponse_ServingStatus;

/** The health of a process and of each service it offers. */
export interface Health {
  /** Says whether a service serves; a name not known before is known from now on. Without effect after `shutdown`. */
  set(service: string, serving: boolean): void;
  /** Whether the service serves; '' or nothing: whether all do. An unknown one does not. */
  isServing(service?: string): boolean;
  /** Each service by its name, and whether it serves; the process as a whole has the name ''. */
  all(): readonly (readonly [service: string, isServing: boolean])[];
  /** All are NOT_SERVING, for good. */
  shutdown(): void;
  /** grpc.health.v1.Health, for the doors. */
  readonly service: Service;
}

/**
 * The health of these services, none of which serves yet. The process as a whole serves when all `names` do; `others` are
 * told of and do not count: a process is not to be taken out of service for what it can do without.
 */
export function createHealth(names: readonly string[], others: readonly string[] = []): Health {
  const serving = new Map([...names, ...others].map((name) => [name, false]));
  const spared = new Set(others);
  const changes = new EventEmitter();
  // A listener for each open watch: as many as the chain admits.
  changes.setMaxListeners(0);
  let isShutDown = false;
  const isServing = (name = '') =>
    name === ''
      ? !isShutDown && [...serving].every(([each, isUp]) => isUp || spared.has(each))
      : serving.get(name) === true;
  const statusOf = (name: string): ServingStatus | undefined =>
    name === '' || serving.has(name) ? (isServing(name) ? SERVING : NOT_SERVING) : undefined;
  const all = () => ['', ...serving.keys()].map((name) => [name, isServing(name)] as const);
  return {
    isServing,
    all,
    set: (name, isUp) => {
      if (isShutDown) return;
      serving.set(name, isUp);
      changes.emit('change');
    },
    shutdown: () => {
      isShutDown = true;
      for (const name of serving.keys()) serving.set(name, false);
      changes.emit('change');
    },
    service: implement(HealthService, {
      check: async ({ service }) => {
        const status = statusOf(service);
        if (status === undefined) throw unknownService(service);
        return { status };
      },
      list: async () => ({
        statuses: Object.fromEntries(
          all().map(([name, isUp]) => [name, { status: isUp ? SERVING : NOT_SERVING }]),
        ),
      }),
      watch: ({ service }, { signal }) => watch(() => statusOf(service) ?? SERVICE_UNKNOWN, changes, signal),
    }),
  };
}

/** The status now and whenever it has changed; a slow reader gets the latest only. Ends when the call does. */
async function* watch(
  current: () => ServingStatus,
  changes: EventEmitter,
  signal: AbortSignal,
): AsyncGenerator<{ status: ServingStatus }> {
  let sent: ServingStatus | undefined;
  while (true) {
    signal.throwIfAborted();
    const status = current();
    if (status === sent) {
      await once(changes, 'change', { signal });
    } else {
      sent = status;
      yield { status };
    }
  }
}

/** The health protocol wants NOT_FOUND for a service; of our reasons the one for what is not offered here is nearest. */
function unknownService(name: string) {
  return fail(ErrorReason.UNKNOWN_METHOD, 'this server has no such service', {
    code: Code.NotFound,
    resource: { type: 'service', name },
  });
}
