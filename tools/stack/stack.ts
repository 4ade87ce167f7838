/** The distributed platform on this machine, without Docker: five servers and three services, each process its own. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isOurDataDir, openDataDir } from '../../services/standalone/data-dir.js';
import { StartError } from '../../lib/base/start-error.js';
import { freePort } from '../../lib/process/free-port.js';
import { clickhouse } from './engines/clickhouse.js';
import { type Engine, type EngineName, type RunningEngine } from './engines/engine.js';
import { kafka } from './engines/kafka.js';
import { mongodb } from './engines/mongodb.js';
import { startPostgres } from './engines/postgres.js';
import { redis } from './engines/redis.js';
import type { StackOptions } from './options.js';
import { leftoversIn } from './run-directories.js';
import { allOf, type ServiceSet, type StartingProcess, startServices } from './service-set.js';
import { createTopic, type RunningService } from './services.js';

/** What runs. */
export interface Stack extends ServiceSet {
  readonly engines: Readonly<Record<EngineName, RunningEngine>>;
  /** All that runs, in the order in which it was started. */
  readonly parts: readonly RunningEngine[];
  /** Starts a server or a service again, where it was, after it was stopped or killed. */
  restart(one: RunningEngine | RunningService): Promise<void>;
  /** Kills a server, deletes its data and starts it empty. @throws StartError if it has none that may be lost */
  lose(one: RunningEngine): Promise<void>;
  /** One after the other: the services first, the servers last. */
  stop(): Promise<void>;
  /** All at once. */
  kill(): Promise<void>;
}

const HOST = '127.0.0.1';
const INSTALLED: readonly Engine[] = [kafka, redis, mongodb, clickhouse];
/**
 * Not the default ports of these servers, as they may run on this machine for something else; and below 32,768: from there on
 * Linux gives ports to outgoing connections, which could hold the port when its server starts.
 */
const ENGINE_PORTS = { kafka: 19_092, redis: 16_379, mongodb: 17_017, clickhouse: 18_123 };

/** How a stack is started. */
export interface StartOptions extends Omit<StackOptions, 'installOnly' | 'restart' | 'request'> {
  /** Any free ports in place of the usual ones. */
  readonly freePorts?: boolean;
  /** Of the topic; default 12. */
  readonly partitions?: number;
  /** Variables of the services besides those that name the servers. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Variables of one process, in place of those of all: it may reach the servers by another way. */
  readonly variablesOf?: (
    process: StartingProcess,
    engines: Readonly<Record<EngineName, RunningEngine>>,
  ) => Promise<Readonly<Record<string, string>>>;
  /** Where the data of a server lies; default: in the directory of the stack, under its name. */
  readonly directoryOf?: (name: EngineName) => string;
  /** Of PostgreSQL's environment, beside what it always has. */
  readonly postgresVariables?: Readonly<Record<string, string>>;
  /** The ports of Kafka, and the one that it names to its clients. */
  readonly kafkaPorts?: { readonly port: number; readonly advertised: number };
  readonly log: (line: string) => void;
}

/** Installs the servers. @throws StartError naming what to install by hand */
export async function installEngines(log: (line: string) => void): Promise<void> {
  await Promise.all(
    INSTALLED.map(async (engine) => {
      await engine.install();
      log(`${engine.name} is installed`);
    }),
  );
}

/** Starts the servers, then the services; what was started is stopped again if something does not start. */
export async function startStack(options: StartOptions): Promise<Stack> {
  const { directory, fresh } = options;
  const leftovers = leftoversIn(directory);
  await leftovers.stop();
  if (fresh) empty(directory);
  const owned = openDataDir(directory);
  const started: RunningEngine[] = [];
  const stop = async () => {
    for (let one = started.pop(); one !== undefined; one = started.pop()) await one.stop();
    leftovers.forget();
    owned.release();
  };
  const again = new Map<RunningEngine, () => Promise<RunningEngine>>();
  const keep: Keep = (one, restart) => {
    started.push(one);
    again.set(one, restart);
    leftovers.add(one.pid);
  };
  const restart = async (one: RunningEngine) => {
    const make = again.get(one);
    if (make === undefined || !started.includes(one)) throw new Error(`${one.name} is not of this stack`);
    const next = await make();
    leftovers.add(next.pid);
    // Its users keep the same object: it stands for the new process from now on.
    Object.assign(one, next);
  };
  try {
    const engines = await startEngines(options, keep);
    const services = await startServices({
      directory: join(directory, 'log'),
      commands: options.commands,
      projectors: options.projectors,
      queries: options.queries,
      ...(options.partitions === undefined ? {} : { partitions: options.partitions }),
      ports: options.freePorts === true ? 'free' : options.offset,
      variables: variablesOf(options, engines),
      variablesOf: async (one) => (await options.variablesOf?.(one, engines)) ?? {},
      log: options.log,
      onStart: (service) => {
        keep(service, () => service.restart());
      },
    });
    const lose = async (one: RunningEngine) => {
      const name = LOSABLE.find((each) => engines[each] === one);
      if (name === undefined) throw new StartError(whyKept(one, engines));
      await one.kill();
      rmSync(placeOf(options, name), { recursive: true, force: true, maxRetries: 10 });
      await restart(one);
      if (name === 'kafka') options.log(await createTopic(variablesOf(options, engines)));
    };
    const kill = async () => {
      await Promise.all(started.splice(0).map((one) => one.kill()));
      leftovers.forget();
      owned.release();
    };
    return { engines, ...services, parts: [...started], restart, lose, stop, kill };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The servers whose data is made anew from the log. */
const LOSABLE = ['kafka', 'redis', 'mongodb', 'clickhouse'] as const;

function whyKept(one: RunningEngine, { postgres }: Readonly<Record<EngineName, RunningEngine>>): string {
  return one === postgres
    ? 'postgres has the log, of which there is no other copy: see "Backup and restore" in docs/operations.md'
    : `${one.name} keeps no data`;
}

/** Where the data of a server lies. */
function placeOf({ directory, directoryOf }: StartOptions, name: EngineName): string {
  return directoryOf?.(name) ?? join(directory, name);
}

function empty(directory: string): void {
  if (isOurDataDir(directory)) rmSync(directory, { recursive: true, force: true, maxRetries: 10 });
  mkdirSync(directory, { recursive: true });
}

type Keep = (one: RunningEngine, restart: () => Promise<RunningEngine>) => void;

async function startEngines(options: StartOptions, keep: Keep): Promise<Record<EngineName, RunningEngine>> {
  const { directory, freePorts = false, offset, log, directoryOf, kafkaPorts, postgresVariables } = options;
  const start = async (name: string, open: () => Promise<RunningEngine>) => {
    const running = await open();
    keep(running, open);
    log(`${name} is up`);
    return running;
  };
  const startInstalled = async (engine: Engine, usual: number) => {
    const port = freePorts ? await freePort() : usual + offset;
    const place = { host: HOST, port, directory: placeOf(options, engine.name) };
    const ports = engine === kafka && kafkaPorts !== undefined ? kafkaPorts : {};
    return start(engine.name, () => engine.start({ ...place, ...ports }));
  };
  const [postgres, broker, balances, history, reports] = await allOf([
    start('postgres', () =>
      startPostgres(
        directoryOf?.('postgres') ?? directory,
        join(directory, 'log', 'engine.log'),
        postgresVariables,
      ),
    ),
    startInstalled(kafka, ENGINE_PORTS.kafka),
    startInstalled(redis, ENGINE_PORTS.redis),
    startInstalled(mongodb, ENGINE_PORTS.mongodb),
    startInstalled(clickhouse, ENGINE_PORTS.clickhouse),
  ]);
  return { postgres, kafka: broker, redis: balances, mongodb: history, clickhouse: reports };
}

function variablesOf(
  { history, variables }: StartOptions,
  engines: Record<EngineName, RunningEngine>,
): Record<string, string> {
  return {
    ...variables,
    QUITTANCE_DATABASE_URL: engines.postgres.url,
    QUITTANCE_KAFKA_BROKERS: engines.kafka.url,
    QUITTANCE_REDIS_URL: engines.redis.url,
    QUITTANCE_HISTORY_STORE: history,
    QUITTANCE_MONGODB_URL: engines.mongodb.url,
    QUITTANCE_CLICKHOUSE_URL: engines.clickhouse.url,
    // The receivers of who tries webhooks here are on this machine too.
    QUITTANCE_WEBHOOK_NETWORKS: '127.0.0.0/8,::1/128',
  };
}
