/** Builds another revision of this repository beside this one, so that both can be measured in turns. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StartError } from '../lib/base/start-error.js';

/** The root of the repository, seen from dist/bench. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A build that is removed again. */
export interface BuiltRevision {
  /** The short name of the commit. */
  readonly name: string;
  /** The folder that its build wrote. */
  readonly build: string;
  remove(): void;
}

/**
 * It is built with the packages that are installed here.
 * @throws StartError if there is no such revision or it does not build
 */
export function buildRevision(revision: string): BuiltRevision {
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-C', ROOT, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  const directory = mkdtempSync(join(tmpdir(), 'quittance-revision-'));
  const remove = (): void => {
    try {
      git('worktree', 'remove', '--force', directory);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  };
  try {
    const name = git('rev-parse', '--short', `${revision}^{commit}`);
    git('worktree', 'add', '--detach', directory, name);
    symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
    execFileSync('npm', ['run', '-s', 'build'], { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
    return { name, build: join(directory, 'dist'), remove };
  } catch (error) {
    remove();
    throw new StartError(`the revision ${revision} cannot be built: ${String(error)}`, { cause: error });
  }
}
