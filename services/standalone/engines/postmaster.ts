/** What a running PostgreSQL writes about itself in its data directory. */
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from './process-table.js';

/** The lines of postmaster.pid that matter here. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  /** As the server was told; empty where it has none. */
  readonly socketDir: string;
  readonly status: 'starting' | 'ready' | 'stopping' | 'unknown';
}

/** Absent if no server runs, or if one is just writing the file. */
export function readPostmaster(cluster: string): Postmaster | undefined {
  const lines = readOr(join(cluster, 'postmaster.pid')).split('\n');
  const pid = Number(lines[0]);
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  const word = lines[7]?.trim();
  const status = word === 'starting' || word === 'ready' || word === 'stopping' ? word : 'unknown';
  return { pid, port: Number(lines[3] ?? 0), socketDir: lines[4]?.trim() ?? '', status };
}

/**
 * Whether the process of that number is the server of this very directory. After a reboot, and in containers always,
 * the number may be another program's, which must be neither adopted nor stopped.
 */
export function servesCluster(pid: number, cluster: string): boolean {
  try {
    if (process.platform === 'linux') {
      // A server's working directory is its data directory, by any path that led there.
      const at = statSync(`/proc/${String(pid)}/cwd`);
      const own = statSync(cluster);
      const comm = readFileSync(`/proc/${String(pid)}/comm`, 'utf8').trim();
      return at.dev === own.dev && at.ino === own.ino && comm === 'postgres';
    }
    if (process.platform === 'win32') {
      const query = `(Get-CimInstance Win32_Process -Filter "ProcessId=${String(pid)}").CommandLine`;
      return execFileSync('powershell', ['-NoProfile', '-Command', query], { encoding: 'utf8' }).includes(
        cluster,
      );
    }
    const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C' };
    return execFileSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], {
      encoding: 'utf8',
      env,
    }).includes(cluster);
  } catch {
    return false;
  }
}

/**
 * PostgreSQL does not start while the number in one of its lock files is taken, by another program or by the zombie
 * of the killed server. Call this where no server of the cluster runs: lock files that name no running server of this
 * very directory are made harmless. A server that runs keeps its locks, and PostgreSQL refuses to start beside it.
 *
 * @param socketDir where the new server will put its socket; undefined where it has none.
 */
export function disownStaleLocks(cluster: string, socketDir: string | undefined, port: number): void {
  disown(join(cluster, 'postmaster.pid'), cluster, (path, text) => {
    // PostgreSQL passes over its parent's number, so ours is put there. The other lines stay: by them it makes sure that no
    // server process of the last run still has the shared memory, which deleting the file would skip.
    writeFileSync(path, [String(process.pid), ...text.split('\n').slice(1)].join('\n'));
  });
  if (socketDir === undefined) return;
  disown(join(socketDir, `.s.PGSQL.${String(port)}.lock`), cluster, (path) => {
    // It guards the socket only, and PostgreSQL replaces the socket.
    rmSync(path, { force: true });
  });
}

function disown(path: string, cluster: string, free: (path: string, text: string) => void): void {
  const text = readOr(path);
  if (text === '') return;
  const pid = Number(text.split('\n')[0]);
  if (isAlive(pid) && servesCluster(pid, cluster)) return;
  free(path, text);
}

/** Whether the server was started by exactly this command line: then it runs with our settings. */
export function wasStartedBy(cluster: string, program: string, args: readonly string[]): boolean {
  return (
    readOr(join(cluster, 'postmaster.opts')).trimEnd() ===
    [program, ...args.map((arg) => `"${arg}"`)].join(' ')
  );
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
