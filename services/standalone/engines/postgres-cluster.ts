/** The directory of PostgreSQL's files: its place, how initdb makes it, and the command line of a server on it. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, closeSync, existsSync, fsyncSync, mkdtempSync, openSync } from 'node:fs';
import { readFileSync, readdirSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pino from 'pino';
import { openEngineLog } from '../log-files.js';
import { StartError } from '../../../lib/base/start-error.js';
import { firstClosedDirectory, type EngineUser } from './engine-user.js';
import type { PostgresPrograms } from './postgres-package.js';

/** All that is known before a server runs. */
export interface Cluster {
  readonly dataDir: string;
  /** PostgreSQL's own data directory. */
  readonly path: string;
  /** Where server and initdb write. */
  readonly logFile: string;
  readonly user: EngineUser;
  readonly programs: PostgresPrograms;
  /** Of the server, in place of ours or beside them. */
  readonly settings: Readonly<Record<string, string>>;
  /** Of the server's environment, beside ours. */
  readonly variables: Readonly<Record<string, string>>;
  /** Whether the data must survive this process: if not, nothing is written through to the disk. */
  readonly isKept: boolean;
}

/** The role and the database of Quittance. */
export const ROLE = 'quittance';

const MAJOR = '18';
const WINDOWS = process.platform === 'win32';
/** The limit is 104 bytes on macOS and 108 on Linux, the end of the name included. */
const SOCKET_PATH_BYTES = 103;
const PASSWORD_FILE = 'postgres.password';

/** Where a server runs, as it sees that itself. */
export interface ServerPlace {
  readonly directory: string;
  readonly port: number;
  readonly socketDir: string;
}

/** The server's command line for a ledger: nothing acknowledged is ever lost, and checkpoints are rare. */
export function serverArgs(place: ServerPlace, others: Readonly<Record<string, string>>): string[] {
  const settings: Record<string, string> = {
    cluster_name: 'quittance',
    listen_addresses: WINDOWS ? '127.0.0.1' : '',
    unix_socket_directories: place.socketDir,
    unix_socket_permissions: '0700',
    max_connections: '60',
    shared_buffers: '128MB',
    effective_cache_size: '512MB',
    // The promise to every caller; said here so that no default and no file can take it back.
    fsync: 'on',
    full_page_writes: 'on',
    synchronous_commit: 'on',
    // After a checkpoint whole pages go to the log: few checkpoints are cheaper, and 2 GB are replayed in seconds.
    checkpoint_timeout: '15min',
    max_wal_size: '2GB',
    min_wal_size: '256MB',
    // Statements are short; compiling them costs more than it saves.
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_checkpoints: 'off',
    ...others,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return ['-D', place.directory, '-p', String(place.port), ...args];
}

/**
 * How the server names its own directory. Its user cannot enter root's directories, but it can start in one: Linux
 * reaches the working directory without a check of the parents. So the data directory stays closed to all other users.
 */
export function directoryAsSeenBy(user: EngineUser, path: string): string {
  return user && process.platform === 'linux' ? '/proc/self/cwd' : path;
}

/** The environment of PostgreSQL's programs: none of the operator's PG* variables, and English in the log. */
export function engineEnvironment(): NodeJS.ProcessEnv {
  const kept = ['PATH', 'SystemRoot', 'TEMP', 'TMP', 'TMPDIR'];
  const env: NodeJS.ProcessEnv = { LC_ALL: 'C', TZ: 'UTC' };
  for (const name of kept) if (process.env[name] !== undefined) env[name] = process.env[name];
  return env;
}

/**
 * Makes the cluster if there is none. It grows under another name and is renamed when complete and on disk, so a
 * killed start leaves no half of one; the remains go at the next start.
 *
 * @throws StartError if it is another version's or cannot be made.
 */
export async function ensureCluster(cluster: Cluster, log: pino.Logger): Promise<void> {
  if (cluster.user && process.platform !== 'linux') openTheWay(cluster.dataDir);
  removeDrafts(cluster.dataDir);
  if (existsSync(cluster.path)) {
    requireVersion(cluster);
    return;
  }
  log.info({ path: cluster.path }, 'making the database (first start)…');
  const draft = mkdtempSync(`${cluster.path}.new-`);
  try {
    if (cluster.user) chownSync(draft, cluster.user.uid, cluster.user.gid);
    await runInitdb(cluster, draft);
    renameSync(draft, cluster.path);
    syncDirectory(cluster.dataDir);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true, maxRetries: 5 });
    throw error;
  }
}

function openTheWay(dataDir: string): void {
  chmodSync(dataDir, 0o711);
  const closed = firstClosedDirectory(dataDir);
  if (closed === undefined) return;
  throw new StartError(
    `PostgreSQL does not run as root, and no other user may enter ${closed}; start Quittance as another user or set QUITTANCE_DATA_DIR`,
  );
}

function removeDrafts(dataDir: string): void {
  for (const name of readdirSync(dataDir)) {
    if (!name.startsWith('postgres.new-')) continue;
    // An initdb that outlived its parent may still be writing there; what it leaves goes next time.
    rmSync(join(dataDir, name), { recursive: true, force: true, maxRetries: 10 });
  }
}

function requireVersion(cluster: Cluster): void {
  let found: string;
  try {
    found = readFileSync(join(cluster.path, 'PG_VERSION'), 'utf8').trim();
  } catch (error) {
    throw new StartError(
      `${cluster.path} is not a PostgreSQL directory (${(error as Error).message}); restore a backup of it`,
    );
  }
  if (found === MAJOR) return;
  throw new StartError(
    `${cluster.path} was written by PostgreSQL ${found} and this Quittance brings ${MAJOR};` +
      ' start the Quittance that wrote it, or set QUITTANCE_DATA_DIR to a new directory',
  );
}

async function runInitdb(cluster: Cluster, draft: string): Promise<void> {
  const log = openEngineLog(cluster.logFile);
  try {
    const child = spawn(
      cluster.programs.initdb,
      [
        '-D',
        directoryAsSeenBy(cluster.user, draft),
        '-U',
        ROLE,
        '--encoding=UTF8',
        // The order of text must not depend on the machine, or an index breaks when the files move.
        '--locale=C',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        // A new segment is filled with zeros while every commit waits: 16 MB took 120 ms on a busy machine, each 5,000 payments.
        '--wal-segsize=4',
        ...(cluster.isKept ? [] : ['--no-sync']),
        // Only this user can enter the socket's directory; TCP, which Windows needs, asks for a password.
        ...(WINDOWS
          ? ['--auth=scram-sha-256', `--pwfile=${makePassword(cluster.dataDir)}`]
          : ['--auth=trust']),
      ],
      { cwd: draft, env: engineEnvironment(), stdio: ['ignore', log, log], ...cluster.user },
    );
    const [code] = (await once(child, 'exit').catch((error: unknown) => {
      throw cannotRun(cluster.programs.initdb, error);
    })) as [number | null];
    if (code !== 0)
      throw new StartError(
        `PostgreSQL could not make ${cluster.path}; the reason is at the end of ${cluster.logFile}`,
      );
  } finally {
    closeSync(log);
  }
}

/** One line for a program that does not even start. */
export function cannotRun(program: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT' && existsSync(program)) {
    return new StartError(
      `${program} needs glibc, which this Linux lacks (Alpine does); use another one or set QUITTANCE_DATABASE_URL`,
    );
  }
  if (code === 'EACCES' || code === 'ENOENT') {
    return new StartError(
      `${program} cannot be run (${code}); run npm install again, on a file system that allows programs`,
    );
  }
  return error;
}

function makePassword(dataDir: string): string {
  const path = join(dataDir, PASSWORD_FILE);
  writeFileSync(path, randomBytes(24).toString('base64url'), { mode: 0o600 });
  return path;
}

/** The role's password; absent where the socket's directory is the protection. */
export function passwordOf(dataDir: string): string | undefined {
  return WINDOWS ? readFileSync(join(dataDir, PASSWORD_FILE), 'utf8') : undefined;
}

/** Where the socket of a new server lies: in the cluster, unless that path is too long for a socket. */
export function chooseSocketDir(cluster: Cluster, port: number): { server: string; client: string } {
  if (WINDOWS) return { server: '', client: '127.0.0.1' };
  if (Buffer.byteLength(join(cluster.path, `.s.PGSQL.${String(port)}`)) <= SOCKET_PATH_BYTES) {
    return { server: directoryAsSeenBy(cluster.user, cluster.path), client: cluster.path };
  }
  const base = realpathSync(tmpdir());
  const short = mkdtempSync(join(Buffer.byteLength(base) <= 70 ? base : '/tmp', 'quittance-'));
  if (cluster.user) chownSync(short, cluster.user.uid, cluster.user.gid);
  return { server: short, client: short };
}

function syncDirectory(path: string): void {
  if (WINDOWS) return;
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
