/** A server of the local stack as a child process: start it, wait until it answers, stop it; tests of faults kill it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pause } from '../../../lib/base/pause.js';

export type EngineName = 'postgres' | 'kafka' | 'redis' | 'mongodb' | 'clickhouse';

/** A server that runs. */
export interface RunningEngine {
  readonly name: string;
  /** How clients reach it. */
  readonly url: string;
  readonly pid: number;
  /** Sends SIGTERM, and SIGKILL if it has not ended after 10 s. Safe to call twice. */
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Resolves if it ends and neither stop nor kill was called. */
  readonly died: Promise<Error>;
}

/** Where an engine runs. */
export interface EnginePlace {
  readonly host: string;
  readonly port: number;
  /** The port that it names to its clients, where another one leads to it. */
  readonly advertised?: number;
  /** Of its data; created if it does not exist. */
  readonly directory: string;
}

/** A kind of server. */
export interface Engine {
  readonly name: EngineName;
  /** Installs what it needs, if it is not installed yet. @throws StartError naming what to install */
  install(): Promise<void>;
  /** @throws Error with the end of its log if it does not answer in time. */
  start(place: EnginePlace): Promise<RunningEngine>;
}

/** How a program is started. */
export interface ProgramOptions {
  readonly name: string;
  readonly url: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly directory: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Called every 50 ms until it resolves with true. */
  isReady(): Promise<boolean>;
  readonly limit_ms?: number;
}

const START_LIMIT_ms = 90_000;
const STOP_LIMIT_ms = 10_000;
const ASK_ms = 50;
const LOG_LINES = 15;

/** Starts a program and waits until it answers. It is detached: Ctrl-C does not reach it, so that the stack stops it in order. */
export async function startProgram(options: ProgramOptions): Promise<RunningEngine> {
  const { name, directory, isReady, limit_ms = START_LIMIT_ms } = options;
  mkdirSync(directory, { recursive: true });
  const logFile = join(directory, `${name}.log`);
  const log = openSync(logFile, 'a', 0o600);
  const child = spawn(options.command, options.args, {
    cwd: directory,
    stdio: ['ignore', log, log],
    detached: true,
    env: options.env ?? process.env,
  });
  closeSync(log);
  const engine = await engineOf(child, options.name, options.url);
  const until_ms = performance.now() + limit_ms;
  while (!(await isReady().catch(() => false))) {
    if (child.exitCode !== null || child.signalCode !== null || performance.now() > until_ms) {
      await engine.kill();
      throw new Error(`${name} did not start; its log ${logFile} ends: ${endOf(logFile)}`);
    }
    await pause(ASK_ms);
  }
  return engine;
}

/** The last lines of a log, which say why a program did not start. */
function endOf(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-LOG_LINES).join('\n');
}

async function engineOf(child: ChildProcess, name: string, url: string): Promise<RunningEngine> {
  const ended = once(child, 'exit');
  // Rejects if there is no such program.
  await once(child, 'spawn');
  const { pid } = child;
  if (pid === undefined) throw new Error(`${name} has no process`);
  let isToEnd = false;
  const end = async (signal: NodeJS.Signals) => {
    isToEnd = true;
    if (child.exitCode !== null || child.signalCode !== null) return;
    signalGroup(pid, signal);
    const timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), STOP_LIMIT_ms);
    await ended;
    clearTimeout(timer);
  };
  return {
    name,
    url,
    pid,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    died: ended.then(
      () =>
        new Promise((resolve) => {
          if (!isToEnd) resolve(new Error(`${name} (process ${String(pid)}) has ended`));
        }),
    ),
  };
}

/** Signals the program and its own child processes: a detached program leads a process group of its own. */
function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended.
  }
}

/** The root of the project: where deploy/ is, whether this runs from the source or from dist/. */
export function projectRoot(): string {
  for (let at = dirname(fileURLToPath(import.meta.url)); ; at = dirname(at)) {
    if (existsSync(join(at, 'deploy', 'kafka', 'pom.xml'))) return at;
    if (at === dirname(at))
      throw new Error('deploy/ is not to be found: run this from a checkout of Quittance');
  }
}

/** The directory of all that is installed for the stack; git ignores it. */
export function installRoot(): string {
  return join(projectRoot(), '.quittance-stack');
}
