/**
 * Before a jest run: builds what tests start as processes of their own, and starts one PostgreSQL for the whole run. Test files get
 * databases of their own from postgres.ts.
 *
 * JavaScript, since jest loads this file before it can load TypeScript of ours; it takes the parts of the engine from what it
 * has built.
 */
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, chownSync, closeSync, mkdtempSync, openSync, readFileSync } from 'node:fs';
import { readdirSync, realpathSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const PREFIX = 'qjest-';
const WINDOWS = process.platform === 'win32';
const START_LIMIT_MS = 30_000;
const LOOK_AGAIN_MS = 10;
/** The path of a socket has at most 103 bytes. */
const BASE_MAX_LENGTH = 60;

/** Starts the server and names it to the workers: QUITTANCE_TEST_POSTGRES = {"host", "port", "user"}. */
export default async function globalSetup({ rootDir }) {
  build(rootDir);
  const parts = await loadParts(rootDir);
  const base = realpathSync(tmpdir()).length <= BASE_MAX_LENGTH || WINDOWS ? realpathSync(tmpdir()) : '/tmp';
  removeLeftOvers(base, parts);
  const directory = mkdtempSync(join(base, `${PREFIX}${String(process.pid)}-`));
  try {
    const place = await placeIn(directory, parts);
    initialise(place);
    const server = launch(place);
    await untilItAnswers(server, place, parts);
    const host = WINDOWS ? '127.0.0.1' : directory;
    process.env['QUITTANCE_TEST_POSTGRES'] = JSON.stringify({ host, port: place.port, user: 'postgres' });
    globalThis.quittanceStopTestPostgres = () => stop(server, directory);
  } catch (error) {
    killServerOf(directory, parts);
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    throw error;
  }
}

function build(rootDir) {
  const { status } = spawnSync(process.execPath, [join(rootDir, 'scripts/build.mjs')], { stdio: 'inherit' });
  if (status !== 0) throw new Error('the build failed');
}

/** What the tests' PostgreSQL shares with the one that Quittance runs on. */
async function loadParts(rootDir) {
  const load = (path) => import(pathToFileURL(join(rootDir, 'dist', path)).href);
  return {
    ...(await load('services/standalone/engines/engine-user.js')),
    ...(await load('services/standalone/engines/postgres-package.js')),
    ...(await load('services/standalone/engines/postmaster.js')),
    ...(await load('services/standalone/engines/process-table.js')),
    ...(await load('lib/process/free-port.js')),
  };
}

/** Where a server of the tests lies, and who runs it: undefined for the user who runs the tests. */
async function placeIn(directory, parts) {
  const user = parts.engineUserFor(directory);
  if (user) chownSync(directory, user.uid, user.gid);
  const programs = parts.programsFor(user, await parts.locatePostgres(), { info: () => undefined });
  return { directory, user, programs, port: WINDOWS ? await parts.freePort() : 5432 };
}

function initialise({ directory, programs, user }) {
  const args = [
    '-D',
    join(directory, 'data'),
    '-U',
    'postgres',
    '--auth=trust',
    '--encoding=UTF8',
    '--no-sync',
  ];
  args.push('--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8');
  const { status, stderr, error } = spawnSync(programs.initdb, args, {
    encoding: 'utf8',
    cwd: directory,
    ...user,
  });
  if (status !== 0) throw new Error(`initdb failed: ${error?.message ?? stderr}`);
}

function launch({ directory, programs, port, user }) {
  const log = openSync(join(directory, 'server.log'), 'a', 0o600);
  const settings = {
    // The data is deleted after the run, so it need not survive a crash of the machine.
    fsync: 'off',
    full_page_writes: 'off',
    max_connections: '200',
    shared_buffers: '64MB',
    max_wal_size: '1GB',
    listen_addresses: WINDOWS ? '127.0.0.1' : '',
    unix_socket_directories: WINDOWS ? '' : directory,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = spawn(programs.postgres, ['-D', join(directory, 'data'), '-p', String(port), ...args], {
    // Not detached: Ctrl-C reaches the group, and jest runs no teardown after it.
    cwd: directory,
    stdio: ['ignore', log, log],
    ...user,
  });
  closeSync(log);
  server.unref();
  return server;
}

/** Waits until the server says that it is ready and takes a connection. */
async function untilItAnswers(server, { directory, port }, { readPostmaster }) {
  const until_ms = performance.now() + START_LIMIT_MS;
  while (server.exitCode === null && performance.now() < until_ms) {
    const isReady = readPostmaster(join(directory, 'data'))?.status === 'ready';
    if (isReady && (await listens({ directory, port }))) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
  const log = readFileSync(join(directory, 'server.log'), 'utf8');
  throw new Error(`the test PostgreSQL did not start: ${log}`);
}

async function listens({ directory, port }) {
  const socket = WINDOWS ? connect(port, '127.0.0.1') : connect(join(directory, `.s.PGSQL.${String(port)}`));
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function stop(server, directory) {
  if (server.exitCode === null && server.signalCode === null) {
    server.ref();
    const gone = once(server, 'exit');
    // Immediate shutdown: the next line deletes all that it would flush.
    server.kill('SIGQUIT');
    await gone;
  }
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}

/** Stops and removes the server of a run that was killed: the directory's name holds the process id of that run. */
function removeLeftOvers(base, parts) {
  for (const name of readdirSync(base)) {
    const owner = Number(/^qjest-(\d+)-/.exec(name)?.[1] ?? Number.NaN);
    if (!Number.isInteger(owner) || parts.isAlive(owner)) continue;
    const directory = join(base, name);
    try {
      accessSync(directory);
      readdirSync(directory);
      killServerOf(directory, parts);
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    } catch {
      // It belongs to another user, who has to remove it.
    }
  }
}

function killServerOf(directory, { isAlive, readPostmaster, servesCluster }) {
  const data = join(directory, 'data');
  const pid = readPostmaster(data)?.pid;
  if (pid === undefined || !isAlive(pid) || !servesCluster(pid, data)) return;
  process.kill(pid, 'SIGQUIT');
}
