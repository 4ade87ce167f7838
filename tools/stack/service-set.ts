/** The three services of the platform over servers that run, as many processes of each as asked. */
import { freePort } from '../../lib/process/free-port.js';
import { StartError } from '../../lib/base/start-error.js';
import { createTopic, type RunningService, type ServiceName, startService } from './services.js';

/** What runs. */
export interface ServiceSet {
  /** The first command process. */
  readonly command: RunningService;
  /** All of them. */
  readonly commands: readonly RunningService[];
  readonly projectors: readonly RunningService[];
  readonly queries: readonly RunningService[];
}

/** A process that is about to be started. */
export interface StartingProcess {
  readonly service: ServiceName;
  /** Such as `projector-2`. */
  readonly name: string;
  /** 0: any free one. */
  readonly grpcPort: number;
}

export interface ServiceSetOptions {
  /** Of the logs. */
  readonly directory: string;
  /** Default: 1. */
  readonly commands?: number | undefined;
  readonly projectors: number;
  readonly queries: number;
  /** Of the topic, if it is not there yet; default: that of the step create-topic. */
  readonly partitions?: number;
  /** Added to every usual port; 'free': any free ports in place of the usual ones. */
  readonly ports: number | 'free';
  /** QUITTANCE_…: the servers, and what else the services are configured by. */
  readonly variables: Readonly<Record<string, string>>;
  /** Those of one process, which come before those of all. */
  readonly variablesOf?: (one: StartingProcess) => Promise<Readonly<Record<string, string>>>;
  readonly log: (line: string) => void;
  /** Called with each process as soon as it runs. */
  readonly onStart: (service: RunningService) => void;
}

const USUAL_PORTS: Readonly<Record<ServiceName, { readonly grpc: number; readonly connect: number }>> = {
  command: { grpc: 50_051, connect: 8_081 },
  projector: { grpc: 50_052, connect: 8_082 },
  query: { grpc: 50_053, connect: 8_083 },
};
/** The second process of a service is at the ports of the first plus this. */
const NEXT_PROCESS = 10;

/** Creates the topic and starts the services. @throws StartError naming what did not start; what was started runs on */
export async function startServices(options: ServiceSetOptions): Promise<ServiceSet> {
  const { commands = 1, projectors, queries, partitions, variables, log } = options;
  if (commands < 1 || projectors < 1 || queries < 1)
    throw new StartError('there is at least one command, one projector and one query service');
  const topic = partitions === undefined ? {} : { QUITTANCE_KAFKA_PARTITIONS: String(partitions) };
  log(await createTopic({ ...variables, ...topic }));
  // It makes the tables of the log, which the others ask for; they do not wait for each other.
  const command = await start(options, 'command', 0);
  const [otherCommands, startedProjectors, startedQueries] = await allOf([
    several(options, 'command', commands - 1, 1),
    several(options, 'projector', projectors),
    several(options, 'query', queries),
  ]);
  const started = [command, ...otherCommands];
  return { command, commands: started, projectors: startedProjectors, queries: startedQueries };
}

function several(
  options: ServiceSetOptions,
  service: ServiceName,
  count: number,
  first = 0,
): Promise<RunningService[]> {
  return allOf(Array.from({ length: count }, (_, index) => start(options, service, first + index)));
}

async function start(
  options: ServiceSetOptions,
  service: ServiceName,
  index: number,
): Promise<RunningService> {
  const { directory, ports, variables, variablesOf, onStart } = options;
  const usual = USUAL_PORTS[service];
  const portOf = (port: number) => (ports === 'free' ? freePort() : port + ports + index * NEXT_PROCESS);
  const name = index === 0 ? service : `${service}-${String(index + 1)}`;
  const grpcPort = await portOf(usual.grpc);
  const own = (await variablesOf?.({ service, name, grpcPort })) ?? {};
  const running = await startService({
    service,
    name,
    directory,
    grpcPort,
    connectPort: await portOf(usual.connect),
    variables: { ...consoleVariables(service, ports), ...variables, ...own },
  });
  onStart(running);
  return running;
}

/** The query services serve the console, whose page calls a command process and the projector: they must know each other's ports. */
function consoleVariables(service: ServiceName, ports: number | 'free'): Readonly<Record<string, string>> {
  if (ports === 'free') return {};
  const originOf = (host: string, port: number) => `http://${host}:${String(port + ports)}`;
  const { command, projector, query } = USUAL_PORTS;
  if (service === 'query') {
    return {
      QUITTANCE_CONSOLE_COMMAND_URL: originOf('localhost', command.connect),
      QUITTANCE_CONSOLE_PROJECTOR_URL: originOf('localhost', projector.connect),
    };
  }
  const pages = [query.connect, query.connect + NEXT_PROCESS];
  const origins = pages.flatMap((port) => [originOf('localhost', port), originOf('127.0.0.1', port)]);
  return { QUITTANCE_CORS_ORIGINS: origins.join(',') };
}

/**
 * As Promise.all, but it rejects only when all have ended: a process that starts after another one has failed is known too,
 * and is stopped with the rest.
 */
export async function allOf<const T extends readonly Promise<unknown>[]>(
  promises: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}
