/** The processes of a stack, written to a file: if the stack is killed, its next start stops those that still run. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  identify,
  isRunning,
  type ProcessIdentity,
  waitUntilGone,
} from '../../services/standalone/engines/process-table.js';

/** How long a process may take to end after SIGTERM. */
const STOP_LIMIT_ms = 10_000;

export class Leftovers {
  readonly #file: string;
  #known: ProcessIdentity[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  /** Writes down a process as ours, with its start time: its id may later belong to another program. */
  add(pid: number): void {
    this.#known.push(identify(pid));
    mkdirSync(dirname(this.#file), { recursive: true });
    writeFileSync(this.#file, JSON.stringify(this.#known));
  }

  forget(): void {
    this.#known = [];
    rmSync(this.#file, { force: true });
  }

  /** Stops the processes of an earlier run that still run, the last started first. */
  async stop(): Promise<void> {
    for (const one of this.#read().reverse()) {
      if (!isRunning(one)) continue;
      signal(one.pid, 'SIGTERM');
      if (await waitUntilGone(one, STOP_LIMIT_ms)) continue;
      signal(one.pid, 'SIGKILL');
      await waitUntilGone(one, STOP_LIMIT_ms);
    }
    this.forget();
  }

  #read(): ProcessIdentity[] {
    try {
      return JSON.parse(readFileSync(this.#file, 'utf8')) as ProcessIdentity[];
    } catch {
      return [];
    }
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It is gone.
  }
}
