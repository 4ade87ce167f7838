/** Command services as processes of their own, on one database: what the setup of the test run has built. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../../lib/base/time.js';
import { createPool } from '../../../lib/log/postgres-client.js';
import { migrateLog } from '../../../lib/log/postgres-migrate.js';
import { recordTopic } from '../../../lib/log/postgres-relay.js';
import { freePort } from '../../../lib/process/free-port.js';
import type { TestDatabase } from '../../../test/postgres.js';

const SERVER = fileURLToPath(new URL('../../../dist/services/command/main.js', import.meta.url));
const TOPIC = 'quittance.events.v1';
const START_LIMIT_MS = 60_000;
const LOOK_MS = 20;

/** A command service. */
export interface CommandServer {
  /** Of its gRPC door. */
  readonly address: string;
  readonly connect: string;
  /** What it has logged so far, one JSON object per line. */
  output(): string;
  /** Whether it says that it decides commands. */
  isHolder(): Promise<boolean>;
  signal(signal: NodeJS.Signals): void;
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
}

export interface ServerOptions {
  /** The database, or a proxy before it. */
  readonly databaseUrl: string;
  /** What it names to the others in place of its own address. */
  readonly advertised?: string;
  readonly grpcPort?: number;
  /** Further variables of its environment. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** Makes the tables, and records a topic of a Kafka that is away: commands are taken all the same. */
export async function prepare({ config }: TestDatabase): Promise<void> {
  const pool = createPool(config, { max: 1, name: 'test' });
  try {
    await migrateLog(pool, systemClock());
    await recordTopic(pool, TOPIC, 1);
  } finally {
    await pool.end();
  }
}

/** @throws Error with its output if it does not become ready */
export async function startCommandServer(options: ServerOptions): Promise<CommandServer> {
  const { databaseUrl, advertised, grpcPort = await freePort(), variables = {} } = options;
  const connectPort = await freePort();
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('QUITTANCE_'));
  const child = spawn(process.execPath, ['--enable-source-maps', SERVER], {
    env: {
      ...Object.fromEntries(others),
      NODE_OPTIONS: '',
      QUITTANCE_DATABASE_URL: databaseUrl,
      QUITTANCE_KAFKA_BROKERS: '127.0.0.1:9',
      QUITTANCE_GRPC_PORT: String(grpcPort),
      QUITTANCE_CONNECT_PORT: String(connectPort),
      ...variables,
      ...(advertised === undefined ? {} : { QUITTANCE_COMMAND_ADDRESS: advertised }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const ended = once(child, 'exit').then(() => child.exitCode);
  await untilReady(child, () => output);
  const connect = `http://127.0.0.1:${String(connectPort)}`;
  return {
    address: `127.0.0.1:${String(grpcPort)}`,
    connect,
    output: () => output,
    isHolder: async () =>
      (await (await fetch(`${connect}/metrics`)).text()).includes('quittance_lease_held 1'),
    signal: (signal) => {
      child.kill(signal);
    },
    ended,
  };
}

async function untilReady(child: ChildProcess, output: () => string): Promise<void> {
  for (const until_ms = performance.now() + START_LIMIT_MS; performance.now() < until_ms;) {
    if (output().includes('"msg":"ready"')) return;
    if (child.exitCode !== null) throw new Error(`the server ended at its start: ${output()}`);
    await new Promise((done) => setTimeout(done, LOOK_MS));
  }
  child.kill('SIGKILL');
  throw new Error(`the server is not ready: ${output()}`);
}
