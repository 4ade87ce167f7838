/** Disks that can be full: each a small file system in memory, which is made no larger than what it holds. */
import { execFile } from 'node:child_process';
import { mkdirSync, statfsSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Disk } from './subject.js';

const run = promisify(execFile);
const SIZE_BYTES = 3 * 1024 * 1024 * 1024;

/** A disk that is mounted. */
export interface MountedDisk extends Disk {
  unmount(): Promise<void>;
}

/** Mounts a disk at a directory; undefined where this user may not, which is said. */
export async function mountDisk(
  name: string,
  directory: string,
  log: (line: string) => void,
): Promise<MountedDisk | undefined> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${String(SIZE_BYTES)},mode=0700`, 'tmpfs', directory]);
  } catch {
    log(`the disk of ${name} does not get full: this user may not mount one`);
    return undefined;
  }
  const resize = (bytes: number) => run('mount', ['-o', `remount,size=${String(bytes)}`, directory]);
  return {
    name,
    fill: async () => {
      // Between the look and the change it may grow: then the change is refused, and the next look sees more.
      for (let attempt = 0; ; attempt += 1) {
        const { blocks, bfree, bsize } = statfsSync(directory);
        const isDone = await resize((blocks - bfree) * bsize).then(
          () => true,
          (error: unknown) => {
            if (attempt === MOST_ATTEMPTS) throw error;
            return false;
          },
        );
        if (isDone) return;
      }
    },
    free: async () => {
      await resize(SIZE_BYTES);
    },
    unmount: async () => {
      await run('umount', ['-l', directory]);
    },
  };
}

const MOST_ATTEMPTS = 20;
