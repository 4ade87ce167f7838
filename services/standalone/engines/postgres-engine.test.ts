import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import pino from 'pino';
import { until } from '../../../test/until.js';
import { startPostgresEngine, stopLeftOverPostgres, type PostgresEngine } from './postgres-engine.js';
import { disownStaleLocks } from './postmaster.js';
import { isAlive } from './process-table.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const log = pino({ enabled: false });
let base: string;
let dataDir: string;
/** The data directory of a server that has run and was stopped. */
let template: string;
let helper: ChildProcess | undefined;

beforeAll(async () => {
  template = newDataDir();
  dataDir = template;
  await (await start()).stop();
});

afterAll(() => {
  remove(join(template, '..'));
});

beforeEach(() => {
  dataDir = newDataDir();
  base = join(dataDir, '..');
});

/** In root's own directory: the engine's user could not enter it by its path. */
function newDataDir(): string {
  const made = join(mkdtempSync(join(tmpdir(), 'qengine-')), 'data');
  mkdirSync(join(made, 'log'), { recursive: true, mode: 0o700 });
  return made;
}

/** To make a cluster anew takes seconds of a processor; its files belong to the server's user. */
function copyCluster(): void {
  execFileSync('cp', ['-a', join(template, 'postgres'), dataDir]);
}

function remove(directory: string): void {
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}

afterEach(async () => {
  helper?.kill('SIGKILL');
  helper = undefined;
  await stopLeftOverPostgres(dataDir);
  remove(base);
});

function start(): Promise<PostgresEngine> {
  return startPostgresEngine({ dataDir, log });
}

async function query<T>(engine: PostgresEngine, text: string): Promise<T[]> {
  const client = new pg.Client(engine.connection);
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(text)).rows as T[];
  } finally {
    await client.end();
  }
}

/** Another Node process, which starts the engine, prints the server's process id, and waits to be killed. */
async function startInAnotherProcess(): Promise<{ child: ChildProcess; pid: number }> {
  const program = `import pino from 'pino';
    import { startPostgresEngine } from './dist/services/standalone/engines/postgres-engine.js';
    const engine = await startPostgresEngine({ dataDir: process.argv[1], log: pino({ enabled: false }) });
    console.log(engine.pid);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program, dataDir], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([
    once(lines, 'line'),
    once(child, 'exit').then(() => Promise.reject(new Error('the other process has ended; it said why'))),
  ])) as [string];
  return { child, pid: Number(line) };
}

async function kill9(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

test('it makes the database once, keeps what is written over a stop, and is gone after it', async () => {
  const first = await start();
  await query(first, 'create table kept as select 42 as n');
  const settings = await query<{ s: string }>(
    first,
    "select current_setting('fsync') || current_setting('synchronous_commit') || current_setting('listen_addresses') as s",
  );
  expect(settings).toEqual([{ s: 'onon' }]);
  await Promise.all([first.stop(), first.stop()]);
  expect(isAlive(first.pid)).toBe(false);
  const second = await start();
  expect(await query(second, 'select n from kept')).toEqual([{ n: 42 }]);
  expect(second.adopted).toBe(false);
  expect(statSync(join(dataDir, 'postgres')).mode & 0o777).toBe(0o700);
  await second.stop();
});

test('after kill -9 of its parent the running server is adopted, and can be stopped', async () => {
  copyCluster();
  const { child, pid } = await startInAnotherProcess();
  await kill9(child);
  expect(isAlive(pid)).toBe(true);
  const engine = await start();
  expect(engine).toMatchObject({ adopted: true, pid });
  expect(await query(engine, 'select 1 as n')).toEqual([{ n: 1 }]);
  await engine.stop();
  expect(isAlive(pid)).toBe(false);
});

test('a left-over server with other settings is stopped and another one started', async () => {
  copyCluster();
  const { child, pid } = await startInAnotherProcess();
  await kill9(child);
  writeFileSync(join(dataDir, 'postgres', 'postmaster.opts'), '/elsewhere/postgres "-D" "x"\n');
  const engine = await start();
  expect(engine.adopted).toBe(false);
  expect(isAlive(pid)).toBe(false);
  await engine.stop();
});

test('after kill -9 of the server itself it recovers, and its death is told', async () => {
  copyCluster();
  const first = await start();
  await query(first, 'create table kept as select 42 as n');
  process.kill(first.pid, 'SIGKILL');
  expect((await first.died).message).toContain('PostgreSQL ended by itself');
  const second = await start();
  expect(await query(second, 'select n from kept')).toEqual([{ n: 42 }]);
  await second.stop();
});

const LOCK_FILES = ['postmaster.pid', '.s.PGSQL.5432.lock'];

/**
 * Starts and stops a server, then makes lock files say that it was the process whose number `script` writes first.
 * That process has the server's user: PostgreSQL passes over the number of another user's.
 */
async function leaveLockFilesOf(script: string, names: readonly string[]): Promise<number> {
  copyCluster();
  const first = await start();
  const cluster = join(dataDir, 'postgres');
  const texts = names.map((name) => readFileSync(join(cluster, name), 'utf8'));
  await first.stop();
  const { uid, gid } = statSync(cluster);
  const child = spawn('sh', ['-c', script], {
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
    cwd: '/',
    uid,
    gid,
  });
  helper = child;
  const [, output, , release] = child.stdio;
  const [pid] = (await once(createInterface({ input: output as Readable }), 'line')) as [string];
  await until(() => readFileSync(`/proc/${String(child.pid)}/comm`, 'utf8') === 'sleep\n');
  // What the script started and left waiting at this pipe ends now.
  release?.destroy();
  names.forEach((name, index) => {
    const path = join(cluster, name);
    const [, ...rest] = texts[index]?.split('\n') ?? [];
    writeFileSync(path, [pid, ...rest].join('\n'), { mode: 0o600 });
    chownSync(path, uid, gid);
  });
  return Number(pid);
}

const LEFT_BEHIND = [...LOCK_FILES.map((name) => ({ names: [name] })), { names: LOCK_FILES }];

test.each(LEFT_BEHIND)(
  'a number in $names that is now another program is neither obeyed nor is that program harmed',
  async ({ names }) => {
    const pid = await leaveLockFilesOf('echo $$; exec sleep 1000', names);
    const second = await start();
    expect(second.adopted).toBe(false);
    await second.stop();
    expect(isAlive(pid)).toBe(true);
  },
);

test.each(LEFT_BEHIND)(
  'a killed server that no parent has collected yet, named in $names, does not stop the next start',
  async ({ names }) => {
    // The shell becomes a program that collects no children, so what it started stays a zombie, as it does for ever in a
    // container whose first process collects none, and for a moment anywhere.
    const pid = await leaveLockFilesOf('cat <&3 & echo $!; exec sleep 1000 3<&-', names);
    await until(() => !isAlive(pid));
    expect(() => process.kill(pid, 0)).not.toThrow();
    const second = await start();
    expect(second.adopted).toBe(false);
    await second.stop();
  },
);

test('the lock files of a server that still runs are left as they are', async () => {
  copyCluster();
  const engine = await start();
  const cluster = join(dataDir, 'postgres');
  const read = () => LOCK_FILES.map((name) => readFileSync(join(cluster, name), 'utf8'));
  const before = read();
  disownStaleLocks(cluster, cluster, 5432);
  expect(read()).toEqual(before);
  await engine.stop();
});

test('what an interrupted initdb left is removed and never taken for a cluster', async () => {
  mkdirSync(join(dataDir, 'postgres.new-abc123', 'base'), { recursive: true });
  writeFileSync(join(dataDir, 'postgres.new-abc123', 'PG_VERSION'), '18\n');
  const engine = await start();
  expect(readdirSync(dataDir).filter((name) => name.startsWith('postgres.new-'))).toEqual([]);
  expect(await query(engine, 'select 1 as n')).toEqual([{ n: 1 }]);
  await engine.stop();
});

test('another version’s files are left alone and named', async () => {
  mkdirSync(join(dataDir, 'postgres'));
  writeFileSync(join(dataDir, 'postgres', 'PG_VERSION'), '15\n');
  await expect(start()).rejects.toThrow(/written by PostgreSQL 15 and this Quittance brings 18/);
});

test('a data directory whose path is too long for a socket works all the same', async () => {
  const short = dataDir;
  dataDir = join(base, 'x'.repeat(100));
  mkdirSync(join(dataDir, 'log'), { recursive: true });
  const engine = await start();
  expect(await query(engine, 'select 1 as n')).toEqual([{ n: 1 }]);
  const socketDir = engine.connection.host;
  await engine.stop();
  expect(statSync(socketDir, { throwIfNoEntry: false })).toBeUndefined();
  dataDir = short;
});
