/** What a running PostgreSQL says of itself in its data directory. */
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The lines of postmaster.pid that matter here. */
export type Postmaster = {
  pid: number;
  port: number;
  /** As the server was told; empty where it has none. */
  socketDir: string;
  status: 'starting' | 'ready' | 'stopping' | 'unknown';
};

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
      // A server's working directory is its data directory, whatever path led there.
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
 * PostgreSQL does not start while the number in its lock file is taken, be it by another program or by its own corpse that
 * nobody has collected yet; it passes over its parent's number, so ours is put there. The other lines stay: by them it makes
 * sure that no server process of the last run still has the shared memory, which deleting the file would skip.
 */
export function disownStalePid(cluster: string): void {
  const path = join(cluster, 'postmaster.pid');
  const lines = readFileSync(path, 'utf8').split('\n');
  writeFileSync(path, [String(process.pid), ...lines.slice(1)].join('\n'));
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
