/** Starts, adopts and stops the PostgreSQL that npm brings. */
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import pg from 'pg';
import type pino from 'pino';
import { openEngineLog } from '../log-files.js';
import { freePort } from '../../../lib/process/free-port.js';
import { StartError } from '../../../lib/base/start-error.js';
import { engineUserFor } from './engine-user.js';
import {
  cannotRun,
  chooseSocketDir,
  directoryAsSeenBy,
  engineEnvironment,
  ensureCluster,
} from './postgres-cluster.js';
import { passwordOf, ROLE, serverArgs, type Cluster } from './postgres-cluster.js';
import { locatePostgres, programsFor, type PostgresPrograms } from './postgres-package.js';
import { disownStaleLocks, readPostmaster, servesCluster, wasStartedBy } from './postmaster.js';
import { identify, isAlive, isRunning, waitUntilGone, type ProcessIdentity } from './process-table.js';

/** How to reach the database; accepted by `pg.Pool` and `pg.Client` as it is. */
export interface PostgresConnection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly password?: string;
}

/** A PostgreSQL that runs for us. */
export interface PostgresEngine {
  readonly connection: PostgresConnection;
  /** Number of the server's first process. */
  readonly pid: number;
  /** Whether it was found running, left by a process of ours that was killed. */
  readonly adopted: boolean;
  /** Ends its sessions, writes a checkpoint and stops it. Safe to call twice. */
  readonly stop: () => Promise<void>;
  /** Asks it to stop and does not wait: for a process that ends at once. */
  readonly abandon: () => void;
  /** Resolves if it ends without being asked. */
  readonly died: Promise<Error>;
}

/** What to start, and where. */
export interface PostgresEngineOptions {
  /** Quittance's data directory, locked by the caller. */
  readonly dataDir: string;
  readonly log: pino.Logger;
  /** Made if absent. Default: quittance. */
  readonly database?: string;
  /** How long a start may take, the recovery after a crash included. Default: 5 minutes. */
  readonly start_limit_ms?: number;
  /** Default: what npm brought for this platform. */
  readonly programs?: PostgresPrograms;
  /** Of the server, in place of ours or beside them. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Of the server's environment, beside ours. Default: none. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Default: true. False for data that nobody needs after this process: the server ends with the process group, too. */
  readonly isKept?: boolean;
}

/** A server that was started or found. `ended` is absent for one that is not our child. */
interface Server {
  readonly identity: ProcessIdentity;
  readonly port: number;
  readonly host: string;
  readonly ended: Promise<void> | undefined;
}

const WINDOWS = process.platform === 'win32';
const UNIX_PORT = 5432;
const STOP_LIMIT_MS = 60_000;
/** Server processes that outlive a killed server notice it within this time. */
const ORPHAN_LIMIT_MS = 10_000;

/**
 * Makes the cluster at the first start; adopts a server that outlived us, if it runs with our settings, else stops it
 * and starts another. A server whose data is kept is detached: a terminal's Ctrl-C goes to the whole group and would stop it
 * before us.
 *
 * @throws StartError with what to do where PostgreSQL cannot run here.
 */
export async function startPostgresEngine(options: PostgresEngineOptions): Promise<PostgresEngine> {
  const { log, database = ROLE, start_limit_ms = 300_000 } = options;
  const { settings = {}, variables = {}, isKept = true } = options;
  const path = join(options.dataDir, 'postgres');
  const user = engineUserFor(path);
  const programs = programsFor(user, options.programs ?? (await locatePostgres()), log);
  const { dataDir } = options;
  const cluster = { dataDir, path, logFile: logFileOf(dataDir), user, programs, settings, variables, isKept };
  await ensureCluster(cluster, log);
  log.info('starting PostgreSQL…');
  const found = await adopt(cluster, log);
  const server = found ?? (await launch(cluster));
  const connection = connectionOf(server, cluster, database);
  try {
    await untilReady(cluster, server, connection, start_limit_ms, log);
    await createDatabase(connection);
  } catch (error) {
    await stopServer(cluster, server, log);
    throw error;
  }
  log.info({ pid: server.identity.pid, adopted: found !== undefined }, 'PostgreSQL is up');
  return engineOf(cluster, server, connection, found !== undefined, log);
}

/** Stops a server that outlived its Quittance, whose data is to be deleted. The caller owns the directory. */
export async function stopLeftOverPostgres(dataDir: string): Promise<void> {
  const path = join(dataDir, 'postgres');
  const running = readPostmaster(path);
  if (!running || !isAlive(running.pid) || !servesCluster(running.pid, path)) return;
  const identity = identify(running.pid);
  process.kill(running.pid, WINDOWS ? 'SIGKILL' : 'SIGQUIT');
  if (await waitUntilGone(identity, STOP_LIMIT_MS)) return;
  throw new StartError(`PostgreSQL (process ${String(running.pid)}) does not stop; end it, then try again`);
}

/** How to reach the server that runs on a data directory, for tools beside it; undefined if none does. */
export function runningPostgres(dataDir: string): PostgresConnection | undefined {
  const path = join(dataDir, 'postgres');
  const running = readPostmaster(path);
  if (running?.status !== 'ready' || !isAlive(running.pid) || !servesCluster(running.pid, path)) {
    return undefined;
  }
  const { port, socketDir } = running;
  const password = passwordOf(dataDir);
  // The server may know its directory by another path than we do.
  const hasSocket = existsSync(join(path, `.s.PGSQL.${String(port)}`));
  return {
    host: WINDOWS ? '127.0.0.1' : hasSocket ? path : socketDir,
    port,
    user: ROLE,
    database: ROLE,
    ...(password === undefined ? {} : { password }),
  };
}

function logFileOf(dataDir: string): string {
  return join(dataDir, 'log', 'postgres.log');
}

function engineOf(
  cluster: Cluster,
  server: Server,
  connection: PostgresConnection,
  adopted: boolean,
  log: pino.Logger,
): PostgresEngine {
  let stopping: Promise<void> | undefined;
  const died = untilEnded(server).then(() => {
    // It was asked to stop, so this is no failure, and the promise stays pending.
    if (stopping) return new Promise<Error>(() => undefined);
    return new Error(`PostgreSQL ended by itself; the reason is at the end of ${cluster.logFile}`);
  });
  return {
    connection,
    pid: server.identity.pid,
    adopted,
    stop: () => (stopping ??= stopServer(cluster, server, log)),
    abandon: () => {
      stopping ??= Promise.resolve();
      askToStop(cluster, server.identity);
    },
    died,
  };
}

/** The system tells only a parent, so an adopted server is checked every second. */
async function untilEnded(server: Server): Promise<void> {
  if (server.ended) {
    await server.ended;
    return;
  }
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      if (isRunning(server.identity)) return;
      clearInterval(timer);
      resolve();
    }, 1000);
    timer.unref();
  });
}

async function adopt(cluster: Cluster, log: pino.Logger): Promise<Server | undefined> {
  const running = readPostmaster(cluster.path);
  if (!running) return undefined;
  const { pid, port, socketDir } = running;
  if (!isAlive(pid) || !servesCluster(pid, cluster.path)) {
    if (isAlive(pid)) log.info({ pid }, 'the number of the last PostgreSQL is now another program');
    return undefined;
  }
  const inCluster = socketDir === directoryAsSeenBy(cluster.user, cluster.path);
  const host = WINDOWS ? '127.0.0.1' : inCluster ? cluster.path : socketDir;
  const server: Server = { identity: identify(pid), port, host, ended: undefined };
  const place = { directory: directoryAsSeenBy(cluster.user, cluster.path), port, socketDir };
  const args = serverArgs(place, cluster.settings);
  const ours = wasStartedBy(cluster.path, realpathSync(cluster.programs.postgres), args);
  if (ours && running.status !== 'stopping') {
    log.info({ pid }, 'PostgreSQL still runs, left by a process that was killed: adopting it');
    return server;
  }
  log.info({ pid }, 'PostgreSQL still runs, stopping or with other settings: starting it anew');
  await stopServer(cluster, server, log);
  return undefined;
}

async function launch(cluster: Cluster): Promise<Server> {
  const port = WINDOWS ? await freePort() : UNIX_PORT;
  const socketDir = chooseSocketDir(cluster, port);
  const directory = directoryAsSeenBy(cluster.user, cluster.path);
  disownStaleLocks(cluster.path, WINDOWS ? undefined : socketDir.client, port);
  const until = performance.now() + ORPHAN_LIMIT_MS;
  for (;;) {
    const logOffset = statSync(cluster.logFile, { throwIfNoEntry: false })?.size ?? 0;
    const args = serverArgs({ directory, port, socketDir: socketDir.server }, cluster.settings);
    const server = await spawnServer(cluster, args, { port, host: socketDir.client });
    const started = await Promise.race([server.ended?.then(() => false), untilLocked(cluster, server)]);
    if (started === true) return server;
    const said = existsSync(cluster.logFile)
      ? readFileSync(cluster.logFile).subarray(logOffset).toString()
      : '';
    const orphans = said.includes('pre-existing shared memory block');
    if (!orphans || performance.now() > until) throw endedWhileStarting(cluster, said);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function spawnServer(
  cluster: Cluster,
  args: string[],
  at: { port: number; host: string },
): Promise<Server> {
  const output = openEngineLog(cluster.logFile);
  try {
    const child = spawn(cluster.programs.postgres, args, {
      cwd: cluster.path,
      env: { ...engineEnvironment(), ...cluster.variables },
      stdio: ['ignore', output, output],
      detached: cluster.isKept,
      windowsHide: true,
      ...cluster.user,
    });
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    await once(child, 'spawn').catch((error: unknown) => {
      throw cannotRun(cluster.programs.postgres, error);
    });
    child.unref();
    return { identity: identify(child.pid ?? 0), ...at, ended };
  } finally {
    closeSync(output);
  }
}

/** True once the server has locked the directory: then it can no longer fail because of what it found there. */
async function untilLocked(cluster: Cluster, server: Server): Promise<boolean> {
  while (isRunning(server.identity)) {
    const seen = readPostmaster(cluster.path);
    if (seen?.pid === server.identity.pid && seen.status !== 'unknown') return true;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return false;
}

function endedWhileStarting(cluster: Cluster, said: string): StartError {
  const reason = said.split('\n').findLast((line) => line.includes('FATAL:') || line.includes('PANIC:'));
  const words = reason?.replace(/^.*?(FATAL|PANIC): */, '') ?? 'it gave no reason';
  return new StartError(`PostgreSQL ended while starting: ${words}; its log is ${cluster.logFile}`);
}

async function untilReady(
  cluster: Cluster,
  server: Server,
  connection: PostgresConnection,
  limit_ms: number,
  log: pino.Logger,
): Promise<void> {
  const until = performance.now() + limit_ms;
  let nextWord = performance.now() + 3000;
  while (isRunning(server.identity)) {
    if (readPostmaster(cluster.path)?.status === 'ready' && (await answers(connection))) return;
    const now = performance.now();
    if (now > until)
      throw new StartError(
        `PostgreSQL is not ready after ${String(limit_ms / 1000)} s; see ${cluster.logFile}`,
      );
    if (now > nextWord) {
      log.info('PostgreSQL is reading back what it had logged before it was killed');
      nextWord = now + 5000;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw endedWhileStarting(cluster, readFileSync(cluster.logFile, 'utf8').slice(-4000));
}

async function answers(connection: PostgresConnection): Promise<boolean> {
  const client = new pg.Client({ ...connection, database: 'postgres', connectionTimeoutMillis: 5000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function createDatabase(connection: PostgresConnection): Promise<void> {
  const client = new pg.Client({ ...connection, database: 'postgres', connectionTimeoutMillis: 5000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const found = await client.query('select from pg_database where datname = $1', [connection.database]);
    if (found.rowCount === 0)
      await client.query(`create database ${pg.escapeIdentifier(connection.database)}`);
  } finally {
    await client.end();
  }
}

function connectionOf(server: Server, cluster: Cluster, database: string): PostgresConnection {
  const password = passwordOf(cluster.dataDir);
  return {
    host: server.host,
    port: server.port,
    user: ROLE,
    database,
    ...(password === undefined ? {} : { password }),
  };
}

function askToStop(cluster: Cluster, identity: ProcessIdentity): void {
  if (!isRunning(identity)) return;
  try {
    if (WINDOWS) {
      execFileSync(cluster.programs.pg_ctl, ['stop', '-D', cluster.path, '-m', 'fast', '-W'], {
        env: engineEnvironment(),
      });
    } else {
      process.kill(identity.pid, 'SIGINT');
    }
  } catch (error) {
    // It may have ended between the check and the signal.
    if (isRunning(identity)) throw error;
  }
}

async function stopServer(cluster: Cluster, server: Server, log: pino.Logger): Promise<void> {
  const { identity, host } = server;
  askToStop(cluster, identity);
  if (!(await waitUntilGone(identity, STOP_LIMIT_MS))) {
    log.warn(
      { pid: identity.pid },
      'PostgreSQL is slow to stop: it is ended now and will recover at the next start',
    );
    process.kill(identity.pid, 'SIGQUIT');
    if (!(await waitUntilGone(identity, STOP_LIMIT_MS)))
      throw new Error(`PostgreSQL does not stop: process ${String(identity.pid)}`);
  }
  // Where the path of the cluster is too long for a socket, Quittance made this directory for the socket alone.
  if (!WINDOWS && host !== cluster.path) rmSync(host, { recursive: true, force: true });
}
