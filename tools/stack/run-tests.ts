/**
 * `npm run test:stack`: installs the servers, and runs side by side the tests that share one server of each kind and the tests
 * that kill servers of their own again and again, which wait most of the time. Arguments go to jest.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../lib/process/free-port.js';
import { StartError } from '../../lib/base/start-error.js';
import { clickhouse } from './engines/clickhouse.js';
import { type Engine, projectRoot, type RunningEngine } from './engines/engine.js';
import { kafka } from './engines/kafka.js';
import { mongodb } from './engines/mongodb.js';
import { redis } from './engines/redis.js';
import { removeRun, RUN_VARIABLE } from './run-directories.js';
import { allOf } from './service-set.js';
import { installEngines } from './stack.js';

const WORKERS = 2;

/** A kind of server, and the variable that names it to the tests. */
interface Shared {
  readonly variable: string;
  readonly engine: Engine;
  /** See test/stack-servers.ts. The stand-ins run one statement at a time: each worker has one. */
  readonly count: number;
}

const SHARED: readonly Shared[] = [
  { variable: 'QUITTANCE_TEST_KAFKA', engine: kafka, count: 1 },
  { variable: 'QUITTANCE_TEST_REDIS', engine: redis, count: 1 },
  { variable: 'QUITTANCE_TEST_MONGODB', engine: mongodb, count: WORKERS },
  { variable: 'QUITTANCE_TEST_CLICKHOUSE', engine: clickhouse, count: WORKERS },
];

/** Projects of jest.stack.config.mjs. */
const SHARING = ['stores', 'end to end', 'end to end, history in PostgreSQL', 'stacks of their own'];
const ALONE = ['faults'];

/** The number of this process: no other run on this machine has it. */
const RUN = String(process.pid);

let isInterrupted = false;

async function run(): Promise<number> {
  await installEngines(print);
  try {
    return await runTests();
  } finally {
    await removeRun(RUN);
  }
}

async function runTests(): Promise<number> {
  const began_ms = performance.now();
  const timed = async (what: string, running: Promise<Ended>) => {
    const { code, output } = await running;
    return { code, output: `${output}${what}: ${secondsSince(began_ms)} s` };
  };
  const [shared, alone] = await allOf([
    timed(
      'tests on servers that live',
      withServers((variables) => jest(SHARING, WORKERS, variables, 'inherit')),
    ),
    timed('tests that kill servers', jest(ALONE, 1, {}, 'pipe')),
  ]);
  print(shared.output);
  print(alone.output);
  return isInterrupted ? 130 : Math.max(shared.code, alone.code);
}

/** Runs the servers that tests share, with their data in a directory of this run, for as long as the work takes. */
async function withServers<T>(work: (variables: Record<string, string>) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'quittance-stack-'));
  const running: RunningEngine[] = [];
  const start = async (engine: Engine, index: number) => {
    const place = join(directory, `${engine.name}-${String(index)}`);
    const one = await engine.start({ host: '127.0.0.1', port: await freePort(), directory: place });
    running.push(one);
    return one.url;
  };
  try {
    const started = SHARED.map(async ({ variable, engine, count }) => {
      const urls = await allOf(Array.from({ length: count }, (_, index) => start(engine, index)));
      return [variable, urls.join(' ')] as const;
    });
    return await work(Object.fromEntries(await allOf(started)));
  } finally {
    await Promise.all(running.map((one) => one.stop()));
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

interface Ended {
  readonly code: number;
  /** What it printed; empty where it printed to our own output. */
  readonly output: string;
}

async function jest(
  projects: readonly string[],
  workers: number,
  variables: Readonly<Record<string, string>>,
  output: 'inherit' | 'pipe',
): Promise<Ended> {
  const root = projectRoot();
  const options = [
    '--config',
    'jest.stack.config.mjs',
    `--maxWorkers=${String(workers)}`,
    '--passWithNoTests',
    // A test that fails half-way may leave a connection open, which must not keep the verdict waiting.
    '--forceExit',
    '--selectProjects',
    ...projects,
  ];
  const child = spawn(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
      ...process.argv.slice(2),
      ...options,
    ],
    {
      cwd: root,
      stdio: ['inherit', output, output],
      env: { ...process.env, ...variables, [RUN_VARIABLE]: RUN },
    },
  );
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => (printed += text));
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code: code ?? 1, output: printed };
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function secondsSince(began_ms: number): string {
  return ((performance.now() - began_ms) / 1_000).toFixed(0);
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    // jest gets the signal too and ends; this process lives on to stop the servers.
    isInterrupted = true;
  });
}
try {
  process.exit(await run());
} catch (error) {
  const text =
    error instanceof StartError ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`${text ?? 'unknown error'}\n`);
  process.exit(1);
}
