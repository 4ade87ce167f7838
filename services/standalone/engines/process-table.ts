/** Tells processes apart, also after the system gave the number of one to another. */
import { execFileSync } from 'node:child_process';
import { bootId, statOf } from '../../../lib/process/proc.js';

/** One process: the system reuses numbers, but not a number together with its start time. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque; equal for equal processes. Empty where the system does not say. */
  readonly started: string;
}

/** This process. */
export function currentProcess(): ProcessIdentity {
  return { pid: process.pid, started: startOf(process.pid) };
}

/** Whether this process still runs: not another one of the same number, and not a zombie. */
export function isRunning(identity: ProcessIdentity): boolean {
  if (!isAlive(identity.pid)) return false;
  const started = startOf(identity.pid);
  return started === '' || identity.started === '' || started === identity.started;
}

/** Whether some process has this number. A zombie does not count: it holds no file and no port. */
export function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs and belongs to another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return !/^[ZX]/.test(statOf(pid)?.state ?? '');
}

/** Resolves when the process is gone; false if it outlives `limit_ms`. */
export async function waitUntilGone(identity: ProcessIdentity, limit_ms: number): Promise<boolean> {
  const until = performance.now() + limit_ms;
  while (isRunning(identity)) {
    if (performance.now() > until) return false;
    // The system tells only a parent when a process ends, and this process may not be its parent: so it asks.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}

/** The process of this number, as it is now. */
export function identify(pid: number): ProcessIdentity {
  return { pid, started: startOf(pid) };
}

function startOf(pid: number): string {
  if (process.platform === 'linux') {
    const ticks = statOf(pid)?.startedTicks;
    return ticks === undefined ? '' : `${bootId()}:${ticks}`;
  }
  if (process.platform === 'win32') return '';
  try {
    const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', env }).trim();
  } catch {
    return '';
  }
}
