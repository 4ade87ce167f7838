/** The processes of a benchmark: servers on directories of their own, the echo server, and programs that run to an end. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from '../lib/process/free-port.js';

/** Something that listens. */
export interface Listening {
  readonly host: string;
  readonly port: number;
  stop(): Promise<void>;
}

/** A server of the platform, with the socket of its PostgreSQL. */
export interface RunningServer extends Listening {
  readonly pid: number;
  /** Sent as bearer with every call, where the server authenticates: see bench/README.md. */
  readonly token: string | undefined;
  readonly postgres: { readonly host: string; readonly port: string };
  /** Resident memory of the server's process in bytes; undefined where the system does not say. */
  memory(): number | undefined;
}

/** The folder of this build, seen from dist/bench. */
const BUILD = fileURLToPath(new URL('../', import.meta.url));
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 30_000;

/**
 * Starts a standalone server, as built, on a new directory and free ports.
 * @param build the folder that the build wrote
 */
export async function startServer(build: string = BUILD): Promise<RunningServer> {
  const directory = mkdtempSync(join(tmpdir(), 'quittance-bench-'));
  const dataDir = join(directory, 'data');
  const [port, connectPort] = [await freePort(), await freePort()];
  // As npm start has it.
  const options = ['--enable-source-maps', '--max-semi-space-size=32'];
  const child = spawn(process.execPath, [...options, join(build, 'services/standalone/main.js')], {
    env: {
      ...process.env,
      QUITTANCE_DATA_DIR: dataDir,
      QUITTANCE_GRPC_PORT: String(port),
      QUITTANCE_CONNECT_PORT: String(connectPort),
      QUITTANCE_LOG_LEVEL: 'info',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await untilPrinted(child, '"ready"');
  } catch (error) {
    await end(child);
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
  return {
    host: '127.0.0.1',
    port,
    pid: child.pid ?? 0,
    token: process.env['QUITTANCE_CLI_TOKEN'],
    postgres: { host: join(dataDir, 'postgres'), port: '5432' },
    memory: () => residentBytes(child.pid),
    stop: async () => {
      await end(child);
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Starts a server that answers one method with the same bytes. */
export async function startEcho(path: string, answer: string): Promise<Listening> {
  const child = spawn(process.execPath, [built('bench/echo/main.js'), path, answer], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = Number(await untilPrinted(child, '\n'));
  return { host: '127.0.0.1', port, stop: () => end(child) };
}

/**
 * Runs one of our built programs to its end.
 * @returns the last line of its standard output
 */
export async function runBuilt(
  path: string,
  args: readonly string[],
  onLine: (line: string) => void = () => undefined,
): Promise<string> {
  const child = spawn(process.execPath, [built(path), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  let last = '';
  for await (const line of createInterface({ input: child.stdout })) {
    last = line;
    onLine(line);
  }
  const [code] = (await ended) as [number | null];
  if (code !== 0) throw new Error(`${path} ended with ${String(code)}`);
  return last;
}

/** Runs a program to its end. @returns its standard output; undefined if there is no such program. */
export async function runProgram(name: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(name, [...args]);
    return stdout;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The path of a file of this build. */
function built(path: string): string {
  return join(BUILD, path);
}

async function untilPrinted(child: ChildProcess, what: string): Promise<string> {
  let printed = '';
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the server did not start in time')), START_LIMIT_MS);
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`the server ended with ${String(code)} before it was ready:\n${printed}`));
    });
    child.stdout?.on('data', (chunk: Buffer) => {
      // Read on after the start: a full pipe would stop the server.
      if (printed.includes(what)) return;
      printed += chunk.toString();
      if (!printed.includes(what)) return;
      clearTimeout(timer);
      resolve(printed);
    });
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  await gone;
  clearTimeout(timer);
}

function residentBytes(pid: number | undefined): number | undefined {
  try {
    const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  } catch {
    return undefined;
  }
}
