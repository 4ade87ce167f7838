/** The real server as a process of its own, to be killed: what the setup of the test run has built. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SERVER = fileURLToPath(new URL('../../../dist/services/standalone/main.js', import.meta.url));

export interface ServerProcess {
  readonly grpc: string;
  readonly connect: string;
  /** What it has logged so far, one JSON object per line. */
  readonly output: () => string;
  /** kill -9. @throws Error if Node has warned the process of anything, as `stop` does */
  kill(): Promise<void>;
  /** SIGTERM; its exit code. */
  stop(): Promise<number | null>;
  /** Resolves with the exit code when it ends by itself. */
  readonly ended: Promise<number | null>;
}

/** Starts it on a data directory, on free ports or on the Connect port that is named. @throws Error with its output if it does not become ready */
export async function startServer(
  dataDir: string,
  { connectPort = '0' }: { readonly connectPort?: string } = {},
): Promise<ServerProcess> {
  const env = { ...process.env };
  for (const name of Object.keys(env)) if (name.startsWith('QUITTANCE_')) Reflect.deleteProperty(env, name);
  const child = spawn(process.execPath, ['--enable-source-maps', SERVER], {
    env: {
      ...env,
      QUITTANCE_DATA_DIR: dataDir,
      QUITTANCE_GRPC_PORT: '0',
      QUITTANCE_CONNECT_PORT: connectPort,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const addresses = await readyOf(child, () => output);
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    const code = await ended;
    // Such as MaxListenersExceededWarning, which means a leak. Jest hides the warnings of its own process.
    const warning = /^\(node:\d+\) .*Warning: .*$/m.exec(output)?.[0];
    if (warning !== undefined) throw new Error(`the server was warned by Node: ${warning}`);
    return code;
  };
  return {
    ...addresses,
    output: () => output,
    ended,
    kill: async () => {
      await end('SIGKILL');
    },
    stop: () => end('SIGTERM'),
  };
}

async function readyOf(
  child: ChildProcess,
  output: () => string,
): Promise<{ grpc: string; connect: string }> {
  for (const until_ms = performance.now() + 30_000; performance.now() < until_ms;) {
    const line = output()
      .split('\n')
      .find((text) => text.includes('"msg":"ready"'));
    if (line !== undefined) {
      return (JSON.parse(line) as { addresses: { grpc: string; connect: string } }).addresses;
    }
    if (child.exitCode !== null) throw new Error(`the server ended at its start: ${output()}`);
    await new Promise((done) => setTimeout(done, 20));
  }
  child.kill('SIGKILL');
  throw new Error(`the server is not ready: ${output()}`);
}

/** The process of the PostgreSQL on a data directory; undefined if none is named. */
export function postmasterOf(dataDir: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]);
    return pid > 1 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Ends the PostgreSQL of a data directory, if it runs, and removes the directory. */
export async function removeDataDir(dataDir: string): Promise<void> {
  const pid = postmasterOf(dataDir);
  if (pid !== undefined) {
    try {
      process.kill(pid, 'SIGQUIT');
      for (let tries = 0; tries < 500; tries += 1) {
        process.kill(pid, 0);
        await new Promise((done) => setTimeout(done, 10));
      }
    } catch {
      // It is gone.
    }
  }
  rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
}
