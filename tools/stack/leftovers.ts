/** Processes of a stack whose parent was killed: the next start finds and stops them, and only them. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  identify,
  isRunning,
  type ProcessIdentity,
  waitUntilGone,
} from '../../services/standalone/engines/process-table.js';

const ASKED_ms = 10_000;

export class Leftovers {
  readonly #file: string;
  #known: ProcessIdentity[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  /** Notes a process as ours. A number that was given to another process since is told apart by its start. */
  add(pid: number): void {
    this.#known.push(identify(pid));
    mkdirSync(dirname(this.#file), { recursive: true });
    writeFileSync(this.#file, JSON.stringify(this.#known));
  }

  forget(): void {
    this.#known = [];
    rmSync(this.#file, { force: true });
  }

  /** Stops what an earlier run has left, the last started first. */
  async stop(): Promise<void> {
    for (const one of this.#read().reverse()) {
      if (!isRunning(one)) continue;
      signal(one.pid, 'SIGTERM');
      if (await waitUntilGone(one, ASKED_ms)) continue;
      signal(one.pid, 'SIGKILL');
      await waitUntilGone(one, ASKED_ms);
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
