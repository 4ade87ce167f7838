/** Installs programs: as Debian packages where this user may, otherwise an error says what to install. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { StartError } from '../../../lib/base/start-error.js';

/** Whether a program is on the PATH. */
export function isOnPath(program: string): boolean {
  return spawnSync('sh', ['-c', 'command -v "$1"', 'sh', program]).status === 0;
}

/** Runs a program to its end. @throws StartError with the end of its output */
export async function run(command: string, args: readonly string[], cwd?: string): Promise<void> {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-2_000)));
  }
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) {
    throw new StartError(`${command} ${args.join(' ')} failed with ${String(code)}: ${output.trim()}`);
  }
}

/** Installations run one after the other: the package manager takes a lock. */
let packages: Promise<void> = Promise.resolve();

/**
 * Installs packages of Debian or Ubuntu, if the program that they bring is not there.
 * @throws StartError naming them where this user may not install them.
 */
export async function needProgram(program: string, debianPackages: readonly string[]): Promise<void> {
  if (!isOnPath(program)) await installPackages(debianPackages);
}

/** Installs packages of Debian or Ubuntu. @throws StartError naming them where this user may not */
export function installPackages(debianPackages: readonly string[]): Promise<void> {
  const before = packages;
  packages = (async () => {
    await before.catch(() => undefined);
    const isRoot = process.getuid?.() === 0;
    const sudo = !isRoot && spawnSync('sudo', ['-n', 'true']).status === 0;
    if (!isOnPath('apt-get') || !(isRoot || sudo)) {
      const names = debianPackages.join(' ');
      throw new StartError(
        `the local stack needs ${names}; install it (these are the names of Debian's packages)`,
      );
    }
    const apt = isRoot ? ['apt-get'] : ['sudo', '-n', 'apt-get'];
    const [command = '', ...first] = apt;
    await run(command, [...first, '-q', 'update']);
    await run(command, [...first, '-q', '-y', 'install', '--no-install-recommends', ...debianPackages]);
  })();
  return packages;
}

/** Makes a directory by work that may be interrupted: the directory exists only if the work was completed. */
export async function madeOnce(directory: string, make: (temporary: string) => Promise<void>): Promise<void> {
  if (existsSync(directory)) return;
  const temporary = `${directory}.${String(process.pid)}`;
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(dirname(directory), { recursive: true });
  await make(temporary);
  try {
    renameSync(temporary, directory);
  } catch (error) {
    // Another process was faster.
    rmSync(temporary, { recursive: true, force: true });
    if (!existsSync(directory)) throw error;
  }
}
