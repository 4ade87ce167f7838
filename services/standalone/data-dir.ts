/** The data directory: made once, marked as ours, owned by one process at a time. */
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { currentProcess, isRunning, type ProcessIdentity } from './engines/process-table.js';
import { StartError } from '../../lib/base/start-error.js';

/** An open data directory. No other process opens it until `release`. */
export interface DataDir {
  /** Absolute. */
  readonly path: string;
  /** Where every engine and Quittance itself write their logs. */
  readonly logPath: string;
  /** Gives the directory back. Safe to call twice. */
  readonly release: () => void;
}

const MARKER = 'quittance.json';
const LOCK = 'lock';

/**
 * Makes the directory if it is absent (mode 0700) and takes its lock. A lock left by a process that was killed is taken over.
 *
 * @throws StartError if a living process owns it, if it holds files that are not ours, or if it cannot be written.
 */
export function openDataDir(directory: string): DataDir {
  const path = resolve(directory);
  try {
    makeOurs(path);
    const own = takeLock(path);
    return { path, logPath: join(path, 'log'), release: () => releaseLock(path, own) };
  } catch (error) {
    throw asStartError(path, error);
  }
}

/** Whether Quittance made this directory: only then may `npm run reset` delete it. */
export function isOurDataDir(directory: string): boolean {
  try {
    const marker: unknown = JSON.parse(readFileSync(join(directory, MARKER), 'utf8'));
    return (
      typeof marker === 'object' && marker !== null && 'program' in marker && marker.program === 'quittance'
    );
  } catch {
    return false;
  }
}

function makeOurs(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (!isOurDataDir(path)) {
    // A start that was killed before it wrote the marker leaves the directory empty, or with a half marker of ours.
    const foreign = readdirSync(path).find((name) => name !== MARKER && !name.startsWith(`${MARKER}.`));
    if (foreign !== undefined) {
      throw new StartError(
        `${path} holds files that are not Quittance's (${foreign}); set QUITTANCE_DATA_DIR to an empty or new directory`,
      );
    }
    chmodSync(path, 0o700);
    writeWhole(join(path, MARKER), JSON.stringify({ program: 'quittance', format: 1 }) + '\n');
  }
  mkdirSync(join(path, 'log'), { recursive: true, mode: 0o700 });
}

/** A reader never sees half a file: it is written under another name first. */
function writeWhole(path: string, text: string): void {
  const draft = `${path}.${String(currentProcess().pid)}`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, path);
}

function takeLock(path: string): string {
  const lock = join(path, LOCK);
  const me = currentProcess();
  const own = JSON.stringify(me) + '\n';
  const draft = join(path, `${LOCK}.${String(me.pid)}`);
  writeFileSync(draft, own, { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < 5; attempt += 1) {
      // A hard link is made or is not, with its content in place: no reader ever sees an empty lock.
      if (linked(draft, lock)) return own;
      const owner = ownerIn(readOr(lock));
      if (owner && isRunning(owner)) throw inUse(path, owner.pid);
      removeStale(lock, draft);
    }
  } finally {
    rmSync(draft, { force: true });
  }
  throw new StartError(`data directory ${path} is being taken by several processes at once; try again`);
}

/** Moves the stale lock away, and puts it back if another process took it meanwhile. */
function removeStale(lock: string, draft: string): void {
  const aside = `${draft}.stale`;
  try {
    renameSync(lock, aside);
  } catch {
    return; // Another process was faster; the next attempt sees its lock.
  }
  const owner = ownerIn(readOr(aside));
  if (owner && isRunning(owner)) linked(aside, lock);
  rmSync(aside, { force: true });
}

function releaseLock(path: string, own: string): void {
  const lock = join(path, LOCK);
  if (readOr(lock) === own) rmSync(lock, { force: true });
}

/** The process in the lock file of a directory, if it is alive. */
export function ownerOf(directory: string): ProcessIdentity | undefined {
  const owner = ownerIn(readOr(join(directory, LOCK)));
  return owner && isRunning(owner) ? owner : undefined;
}

function ownerIn(text: string): ProcessIdentity | undefined {
  try {
    const read: unknown = JSON.parse(text);
    if (typeof read !== 'object' || read === null || !('pid' in read) || !('started' in read))
      return undefined;
    const { pid, started } = read;
    return typeof pid === 'number' && typeof started === 'string' ? { pid, started } : undefined;
  } catch {
    return undefined;
  }
}

function inUse(path: string, pid: number): StartError {
  return new StartError(
    `data directory ${path} is in use by process ${String(pid)}; stop that process or set QUITTANCE_DATA_DIR`,
  );
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function asStartError(path: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new StartError(
      `data directory ${path} cannot be written (${code}); set QUITTANCE_DATA_DIR to one of yours`,
    );
  }
  if (code === 'ENOTDIR' || code === 'EEXIST') {
    return new StartError(`${path} is not a directory; set QUITTANCE_DATA_DIR to one`);
  }
  if (code === 'ENOSPC')
    return new StartError(`the disk of ${path} is full; free some space or set QUITTANCE_DATA_DIR`);
  return error;
}
