/** One of the services as a process of its own: command, projector or query. */
import type pino from 'pino';
import type { Registry } from 'prom-client';
import type { Closeables } from '../base/closeables.js';
import type { CommandText } from './command-line.js';
import { type Behind, openDoors, wantedPorts } from './doors.js';
import type { DoorsConfig } from '../base/doors-config.js';
import type { Environment } from '../base/environment.js';
import { processRegistry } from '../observe/process-metrics.js';
import { openTracer, type Tracer } from '../observe/tracing.js';
import { withSecretFiles } from '../base/secret-files.js';
import { openProcessLog } from '../base/logging.js';
import { holdPorts } from './ports.js';
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import { toCallError } from '../rpc/errors.js';
import { StartError } from '../base/start-error.js';
import { type ProcessHost, runProcess, type RunningProcess, unlessInterrupted } from './run-process.js';
import { watchForEnd } from './shutdown.js';
import { SERVICE_VARIABLE_HELP } from './variable-help.js';
import { versionOf } from './version.js';

/** What a composition root is given. */
export interface ServiceParts<C> {
  readonly config: C;
  readonly log: pino.Logger;
  readonly registry: Registry;
  /** Undefined where traces are off. */
  readonly tracer: Tracer | undefined;
  readonly closeables: Closeables;
}

/** What a composition root gives back: what is behind the doors, besides what it was given itself. */
export type ComposedService = Omit<Behind, 'registry' | 'log' | 'tracer'>;

/** A service, as its entry file names it. */
export interface RunnableService<C extends DoorsConfig> {
  /** `command`, `projector` or `query`. */
  readonly name: string;
  /** What it does, in a sentence, for `--help`. */
  readonly summary: string;
  /** @throws StartError */
  readConfig(env: Environment): C;
  /** Opens what it needs; what it opened is closed through `closeables`, in reverse order. */
  compose(parts: ServiceParts<C>): Promise<ComposedService>;
}

/** Runs it until a signal. @returns the exit code. */
export function runService<C extends DoorsConfig>(
  host: ProcessHost,
  service: RunnableService<C>,
): Promise<number> {
  const program = `node dist/services/${service.name}/main.js`;
  const text: CommandText = {
    name: program,
    summary: `${service.summary} It takes no options; environment variables say where it finds what it needs.`,
    environment: SERVICE_VARIABLE_HELP,
    examples: [[program, 'runs until Ctrl-C or SIGTERM']],
    notes: ['`npm run stack` starts all services with what they need. See docs/operations.md.'],
  };
  return runProcess(host, text, (closeables) => start(host, service, closeables));
}

async function start<C extends DoorsConfig>(
  host: ProcessHost,
  service: RunnableService<C>,
  closeables: Closeables,
): Promise<RunningProcess> {
  const config = service.readConfig(withSecretFiles(host.env));
  const log = openProcessLog(config.logLevel, host.stdout.isTTY === true).child({ service: service.name });
  const watch = watchForEnd(host, log);
  closeables.add('the watch over signals', watch.dispose);
  for (const warning of config.warnings) log.warn(warning);
  const ports = await holdPorts(wantedPorts(config));
  closeables.add('the ports', ports.release);
  unlessInterrupted(watch);
  const registry = processRegistry(versionOf());
  const tracer = await openTracer(config.tracing, `quittance-${service.name}`, versionOf());
  if (tracer !== undefined) closeables.add('traces', () => tracer.close());
  const behind = await service
    .compose({ config, log, registry, tracer, closeables })
    .catch((error: unknown) => {
      throw explained(error);
    });
  unlessInterrupted(watch);
  const doors = await openDoors(config, { ...behind, registry, log, tracer }, ports.release, closeables);
  log.info({ version: versionOf(), addresses: doors.addresses }, 'ready');
  return { drain: () => doors.drain(), failed: undefined, log, watch };
}

/** What an operator can put right is one line, such as a store that a start cannot do without. */
function explained(error: unknown): unknown {
  const { reason } = toCallError(error);
  if (reason !== ErrorReason.DEPENDENCY_UNAVAILABLE) return error;
  const words = error instanceof Error ? error.message : String(error);
  return new StartError(
    `a store that the start needs does not answer (${words}); is QUITTANCE_DATABASE_URL right, and PostgreSQL up?`,
  );
}
