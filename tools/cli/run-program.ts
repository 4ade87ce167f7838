/** Runs a program of the platform in a process of its own, with this terminal. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../../lib/base/environment.js';
import { INTERRUPTED } from './exit-codes.js';
import type { Program } from './programs.js';

const BUILT = fileURLToPath(new URL('../../', import.meta.url));
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Resolves with its exit code. A terminal sends Ctrl-C to both processes, so it is not sent on; a signal that was sent to this
 * process alone is.
 */
export function runProgram(
  { file, aside, node = [] }: Program,
  args: readonly string[],
  env: Environment,
): Promise<number> {
  if (aside !== undefined)
    spawn(process.execPath, [`${ROOT}${aside}`], { stdio: ['ignore', 'ignore', 'inherit'] }).unref();
  const child = spawn(process.execPath, ['--enable-source-maps', ...node, `${BUILT}${file}`, ...args], {
    stdio: 'inherit',
    env,
  });
  const onSignal = (signal: NodeJS.Signals) => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      for (const signal of SIGNALS) process.off(signal, onSignal);
      resolve(code ?? INTERRUPTED);
    });
  });
}
