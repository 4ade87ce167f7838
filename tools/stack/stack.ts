/** The whole platform as it is distributed, on this machine and without Docker: five servers, three services, each a process. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isOurDataDir, openDataDir } from '../../services/standalone/data-dir.js';
import { freePort } from '../../lib/process/free-port.js';
import { StartError } from '../../lib/base/start-error.js';
import { clickhouse } from './engines/clickhouse.js';
import { type Engine, type RunningEngine } from './engines/engine.js';
import { kafka } from './engines/kafka.js';
import { mongodb } from './engines/mongodb.js';
import { startPostgres } from './engines/postgres.js';
import { redis } from './engines/redis.js';
import { Leftovers } from './leftovers.js';
import type { StackOptions } from './options.js';
import { createTopic, type RunningService, startService } from './services.js';

/** What runs. */
export interface Stack {
  readonly engines: Readonly<Record<EngineName, RunningEngine>>;
  readonly command: RunningService;
  readonly projectors: readonly RunningService[];
  readonly queries: readonly RunningService[];
  /** Starts a server or a service again, where it was, after it was stopped or killed. */
  restart(one: RunningEngine | RunningService): Promise<void>;
  /** The variables that the services were given. */
  readonly variables: Readonly<Record<string, string>>;
  /** Resolves when something ends that nobody asked to. */
  readonly died: Promise<Error>;
  /** One after the other: services first, engines last. */
  stop(): Promise<void>;
  /** All at once. */
  kill(): Promise<void>;
}

export type EngineName = 'postgres' | 'kafka' | 'redis' | 'mongodb' | 'clickhouse';

const HOST = '127.0.0.1';
const INSTALLED: readonly Engine[] = [kafka, redis, mongodb, clickhouse];
/**
 * Not where these servers are by default, which may run on this machine for something else; and below 32,768, where Linux puts
 * outgoing connections, any of which could hold the port when its server starts.
 */
const ENGINE_PORTS = { kafka: 19_092, redis: 16_379, mongodb: 17_017, clickhouse: 18_123 };
const SERVICE_PORTS = {
  command: { grpc: 50_051, connect: 8_081 },
  projector: { grpc: 50_052, connect: 8_082 },
  query: { grpc: 50_053, connect: 8_083 },
};
/** The second process of a service is at the ports of the first plus this. */
const NEXT_PROCESS = 10;

/** How a stack is started. */
export interface StartOptions extends StackOptions {
  /** Any free ports in place of the usual ones. */
  readonly freePorts?: boolean;
  /** Of the topic; default 12. */
  readonly partitions?: number;
  /** Variables of the services besides those that name the servers. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly log: (line: string) => void;
}

/** Brings the servers onto this machine. @throws StartError naming what to install */
export async function installEngines(log: (line: string) => void): Promise<void> {
  await Promise.all(
    INSTALLED.map(async (engine) => {
      await engine.install();
      log(`${engine.name} is installed`);
    }),
  );
}

/** Starts everything, in order; what was started is stopped again if something does not start. */
export async function startStack(options: StartOptions): Promise<Stack> {
  const { directory, fresh } = options;
  const leftovers = new Leftovers(join(directory, 'processes.json'));
  await leftovers.stop();
  if (fresh) empty(directory);
  const owned = openDataDir(directory);
  const started: (RunningEngine | RunningService)[] = [];
  const stop = async () => {
    for (let one = started.pop(); one !== undefined; one = started.pop()) await one.stop();
    leftovers.forget();
    owned.release();
  };
  const again = new Map<RunningEngine, () => Promise<RunningEngine>>();
  const keep = <T extends RunningEngine>(one: T, restart: () => Promise<RunningEngine>): T => {
    started.push(one);
    again.set(one, restart);
    leftovers.add(one.pid);
    return one;
  };
  const restart = async (one: RunningEngine) => {
    const make = again.get(one);
    const place = started.indexOf(one);
    if (make === undefined || place < 0) throw new Error(`${one.name} is none of this stack`);
    const next = await make();
    leftovers.add(next.pid);
    // Whoever holds the one that was goes on with the one that is.
    Object.assign(one, next);
  };
  try {
    const engines = await startEngines(options, keep);
    const services = await startServices(options, engines, keep);
    const died = Promise.race(started.map((one) => one.died));
    const kill = async () => {
      await Promise.all(started.splice(0).map((one) => one.kill()));
      leftovers.forget();
      owned.release();
    };
    return { engines, ...services, died, restart, stop, kill };
  } catch (error) {
    await stop();
    throw error;
  }
}

function empty(directory: string): void {
  if (isOurDataDir(directory)) rmSync(directory, { recursive: true, force: true, maxRetries: 10 });
  mkdirSync(directory, { recursive: true });
}

type Keep = <T extends RunningEngine>(one: T, restart: () => Promise<RunningEngine>) => T;

async function startEngines(
  { directory, freePorts = false, offset, log }: StartOptions,
  keep: Keep,
): Promise<Record<EngineName, RunningEngine>> {
  const openPostgres = () => startPostgres(directory, join(directory, 'log', 'engine.log'));
  const postgres = keep(await openPostgres(), openPostgres);
  log('PostgreSQL is up');
  const start = async (engine: Engine, usual: number) => {
    const port = freePorts ? await freePort() : usual + offset;
    const open = () => engine.start({ host: HOST, port, directory: join(directory, engine.name) });
    const running = keep(await open(), open);
    log(`${engine.name} is up: ${running.url}`);
    return running;
  };
  return {
    postgres,
    kafka: await start(kafka, ENGINE_PORTS.kafka),
    redis: await start(redis, ENGINE_PORTS.redis),
    mongodb: await start(mongodb, ENGINE_PORTS.mongodb),
    clickhouse: await start(clickhouse, ENGINE_PORTS.clickhouse),
  };
}

async function startServices(
  options: StartOptions,
  engines: Record<EngineName, RunningEngine>,
  keep: Keep,
): Promise<Pick<Stack, 'command' | 'projectors' | 'queries' | 'variables'>> {
  const { directory, projectors, queries, history, partitions, freePorts = false, offset, log } = options;
  const variables = {
    ...options.variables,
    QUITTANCE_DATABASE_URL: engines.postgres.url,
    QUITTANCE_KAFKA_BROKERS: engines.kafka.url,
    QUITTANCE_REDIS_URL: engines.redis.url,
    QUITTANCE_HISTORY_STORE: history,
    QUITTANCE_MONGODB_URL: engines.mongodb.url,
    QUITTANCE_CLICKHOUSE_URL: engines.clickhouse.url,
  };
  const extra = partitions === undefined ? {} : { QUITTANCE_KAFKA_PARTITIONS: String(partitions) };
  log(createTopic({ ...variables, ...extra }));
  const start = async (service: keyof typeof SERVICE_PORTS, index: number) => {
    const { grpc, connect } = SERVICE_PORTS[service];
    const portOf = (port: number) => (freePorts ? freePort() : port + offset + index * NEXT_PROCESS);
    const name = index === 0 ? service : `${service}-${String(index + 1)}`;
    const ports = { grpcPort: await portOf(grpc), connectPort: await portOf(connect) };
    const running = await startService({
      ...{ service, name, directory: join(directory, 'log'), variables },
      ...ports,
    });
    return keep(running, () => running.restart());
  };
  const several = async (service: 'projector' | 'query', count: number) => {
    const running: RunningService[] = [];
    for (let index = 0; index < count; index += 1) running.push(await start(service, index));
    return running;
  };
  if (projectors < 1 || queries < 1)
    throw new StartError('there is at least one projector and one query service');
  const command = await start('command', 0);
  return {
    ...{ command, variables },
    projectors: await several('projector', projectors),
    queries: await several('query', queries),
  };
}
