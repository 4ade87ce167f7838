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
  /** Of browsers that may call, beside the pages of the console. */
  readonly origins?: readonly string[];
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
const SERVICES: readonly ServiceName[] = ['command', 'projector', 'query'];
/** The second process of a service is at the ports of the first plus this. */
const NEXT_PROCESS = 10;

/** Of one process. */
interface Ports {
  readonly grpc: number;
  readonly connect: number;
}

/** By the names of the processes: they must know each other's ports before the first of them starts. */
type PortPlan = ReadonlyMap<string, Ports>;

/** Creates the topic and starts the services. @throws StartError naming what did not start; what was started runs on */
export async function startServices(options: ServiceSetOptions): Promise<ServiceSet> {
  const { commands = 1, projectors, queries, partitions, variables, log } = options;
  if (commands < 1 || projectors < 1 || queries < 1)
    throw new StartError('there is at least one command, one projector and one query service');
  const topic = partitions === undefined ? {} : { QUITTANCE_KAFKA_PARTITIONS: String(partitions) };
  const plan = await planPorts({ command: commands, projector: projectors, query: queries }, options.ports);
  log(await createTopic({ ...variables, ...topic }));
  // It makes the tables of the log, which the others ask for; they do not wait for each other.
  const command = await start(options, plan, 'command', 0);
  const [otherCommands, startedProjectors, startedQueries] = await allOf([
    several(options, plan, 'command', commands - 1, 1),
    several(options, plan, 'projector', projectors),
    several(options, plan, 'query', queries),
  ]);
  const started = [command, ...otherCommands];
  return { command, commands: started, projectors: startedProjectors, queries: startedQueries };
}

async function planPorts(
  counts: Readonly<Record<ServiceName, number>>,
  ports: number | 'free',
): Promise<PortPlan> {
  const plan = new Map<string, Ports>();
  for (const service of SERVICES) {
    for (let index = 0; index < counts[service]; index += 1) {
      const portOf = (port: number) => (ports === 'free' ? freePort() : port + ports + index * NEXT_PROCESS);
      const { grpc, connect } = USUAL_PORTS[service];
      plan.set(nameOf(service, index), { grpc: await portOf(grpc), connect: await portOf(connect) });
    }
  }
  return plan;
}

function nameOf(service: ServiceName, index: number): string {
  return index === 0 ? service : `${service}-${String(index + 1)}`;
}

function several(
  options: ServiceSetOptions,
  plan: PortPlan,
  service: ServiceName,
  count: number,
  first = 0,
): Promise<RunningService[]> {
  return allOf(Array.from({ length: count }, (_, index) => start(options, plan, service, first + index)));
}

async function start(
  { directory, origins, variables, variablesOf, onStart }: ServiceSetOptions,
  plan: PortPlan,
  service: ServiceName,
  index: number,
): Promise<RunningService> {
  const name = nameOf(service, index);
  const ports = portsOf(plan, name);
  const own = (await variablesOf?.({ service, name, grpcPort: ports.grpc })) ?? {};
  const running = await startService({
    service,
    name,
    directory,
    grpcPort: ports.grpc,
    connectPort: ports.connect,
    variables: { ...consoleVariables(service, plan, origins), ...variables, ...own },
  });
  onStart(running);
  return running;
}

function portsOf(plan: PortPlan, name: string): Ports {
  const ports = plan.get(name);
  if (ports === undefined) throw new Error(`${name} has no ports`);
  return ports;
}

/** The query services serve the console, whose page calls a command process and the projector. */
function consoleVariables(
  service: ServiceName,
  plan: PortPlan,
  others: readonly string[] = [],
): Readonly<Record<string, string>> {
  const originOf = (host: string, name: string) => `http://${host}:${String(portsOf(plan, name).connect)}`;
  const queries = [...plan.keys()].filter((name) => name.startsWith('query'));
  const pages = queries.flatMap((name) => [originOf('localhost', name), originOf('127.0.0.1', name)]);
  const origins = { QUITTANCE_CORS_ORIGINS: [...pages, ...others].join(',') };
  if (service !== 'query') return origins;
  return {
    ...origins,
    QUITTANCE_CONSOLE_COMMAND_URL: originOf('localhost', 'command'),
    QUITTANCE_CONSOLE_PROJECTOR_URL: originOf('localhost', 'projector'),
  };
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
