/**
 * Watches over the processes of a stack and does to them what it is asked: to try what a loss does. With `restart` it starts
 * again what has ended, as an orchestrator would: soon at first, later after longer and longer waits, and not for ever.
 */
import { pause } from '../../lib/base/pause.js';
import type { RunningEngine } from './engines/engine.js';
import { hasEnded } from '../../lib/process/proc.js';
import { treeOf } from './processes.js';

/** What may be done to a process of a stack that runs. */
export const ACTIONS = ['kill', 'stop', 'start', 'freeze', 'thaw', 'lose'] as const;

export type Action = (typeof ACTIONS)[number];

/** A process as it is now. */
export interface ProcessReport {
  readonly name: string;
  readonly state: ProcessState;
  readonly pid: number;
  readonly url: string;
  /** How often it was started again. */
  readonly restarts: number;
}

/** waiting: it has ended and is started again soon. stopped: it stays away until it is asked to start. */
export type ProcessState = 'running' | 'frozen' | 'waiting' | 'stopped';

export interface SupervisorOptions {
  readonly parts: readonly RunningEngine[];
  /** Starts a part again, where it was. The object stands for the new process from then on. */
  restart(part: RunningEngine): Promise<void>;
  /** Kills a part, deletes its data and starts it empty. @throws Error with a sentence if it has none, or none that may go */
  lose(part: RunningEngine): Promise<void>;
  /** Whether what has ended is started again. */
  readonly isRestarting: boolean;
  readonly log: (line: string) => void;
  /** Waits; rejects when the signal aborts. Default: the time that it says. */
  readonly wait?: (duration_ms: number, signal: AbortSignal) => Promise<void>;
}

/** A process is started again after this long, and twice as long after each time that it does not stay. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** A process that has run this long is counted from the beginning. */
const STEADY_MS = 60_000;
/** After so many times in a row it is given up. */
export const MOST_RESTARTS = 10;

/** What is known of a part. */
interface Watched {
  readonly part: RunningEngine;
  state: ProcessState;
  restarts: number;
  /** Times in a row that it did not stay. */
  failures: number;
  started_ms: number;
  /** Whether it is to stay away when it ends. */
  isAsked: boolean;
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #watched: readonly Watched[];
  readonly #closing = new AbortController();
  readonly #working = new Set<Promise<void>>();
  #fail: (error: Error) => void = () => undefined;
  /** Resolves with why the stack cannot go on: a part has ended and is not started again, or not any more. */
  readonly failed: Promise<Error>;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
    this.#watched = options.parts.map((part) => ({
      part,
      state: 'running',
      restarts: 0,
      failures: 0,
      started_ms: performance.now(),
      isAsked: false,
    }));
    for (const one of this.#watched) this.#watch(one);
  }

  /** All processes, in the order in which they were started. */
  list(): readonly ProcessReport[] {
    return this.#watched.map(({ part, state, restarts }) => ({
      name: part.name,
      state,
      pid: part.pid,
      url: part.url,
      restarts,
    }));
  }

  /** Does something to a process. @returns what was done, a sentence. @throws Error with a sentence that says why not */
  async do(action: Action, name: string): Promise<string> {
    const one = this.#watched.find(({ part }) => part.name === name);
    if (one === undefined) {
      const names = this.#watched.map(({ part }) => part.name).join(', ');
      throw new Error(`there is no ${name}; there are ${names}`);
    }
    switch (action) {
      case 'kill':
        return this.#kill(one);
      case 'stop':
        return this.#stop(one);
      case 'start':
        return this.#start(one);
      case 'freeze':
        return this.#freeze(one);
      case 'thaw':
        return this.#thaw(one);
      case 'lose':
        return this.#lose(one);
    }
  }

  /** Starts nothing more; resolves when nothing is being started. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#working);
    for (const one of this.#watched) if (one.state === 'frozen') this.#thaw(one);
  }

  /** It ends as if the machine had killed it. Without restarts it stays away. */
  #kill(one: Watched): string {
    const { part } = one;
    this.#requireProcess(one);
    one.isAsked = !this.#options.isRestarting;
    const { pid } = part;
    signalAll(part, 'SIGKILL');
    const later = one.isAsked ? `; --start ${part.name} brings it back` : '';
    return `${part.name} (process ${String(pid)}) is killed${later}`;
  }

  async #stop(one: Watched): Promise<string> {
    const { part } = one;
    this.#requireProcess(one);
    if (one.state === 'frozen') this.#thaw(one);
    one.isAsked = true;
    await part.stop();
    one.state = 'stopped';
    return `${part.name} is stopped; --start ${part.name} brings it back`;
  }

  async #start(one: Watched): Promise<string> {
    const { part } = one;
    if (one.state !== 'stopped') throw new Error(`${part.name} is ${one.state}`);
    await this.#starting(one, this.#options.restart(part));
    return `${part.name} runs (process ${String(part.pid)})`;
  }

  /** Takes note of what becomes of a start. */
  async #starting(one: Watched, start: Promise<void>): Promise<void> {
    one.state = 'waiting';
    try {
      await start;
    } catch (error) {
      one.state = hasEnded(one.part.pid) ? 'stopped' : 'running';
      throw error;
    }
    this.#begun(one);
  }

  #freeze(one: Watched): string {
    const { part } = one;
    if (one.state !== 'running') throw new Error(`${part.name} is ${one.state}`);
    signalAll(part, 'SIGSTOP');
    one.state = 'frozen';
    return `${part.name} is frozen; --thaw ${part.name} lets it go on`;
  }

  #thaw(one: Watched): string {
    const { part } = one;
    if (one.state !== 'frozen') throw new Error(`${part.name} is ${one.state}`);
    signalAll(part, 'SIGCONT');
    one.state = 'running';
    return `${part.name} goes on`;
  }

  /** It is killed, its data is deleted, and it starts empty. */
  async #lose(one: Watched): Promise<string> {
    const { part } = one;
    this.#requireProcess(one);
    one.isAsked = true;
    await this.#starting(one, this.#options.lose(part)).finally(() => {
      one.isAsked = false;
    });
    return `${part.name} has lost its data and runs (process ${String(part.pid)})`;
  }

  #requireProcess({ part, state }: Watched): void {
    if (state === 'stopped' || state === 'waiting') throw new Error(`${part.name} is ${state}`);
  }

  #begun(one: Watched): void {
    one.state = 'running';
    one.isAsked = false;
    one.started_ms = performance.now();
    this.#watch(one);
  }

  #watch(one: Watched): void {
    const { pid } = one.part;
    void one.part.died.then((error) => {
      // Another process may stand for the part by now.
      if (one.part.pid === pid) this.#hasEnded(one, error);
    });
  }

  #hasEnded(one: Watched, error: Error): void {
    const { log, isRestarting } = this.#options;
    if (this.#closing.signal.aborted) return;
    one.state = 'stopped';
    if (one.isAsked) return;
    if (!isRestarting) {
      this.#fail(error);
      return;
    }
    log(error.message);
    if (performance.now() - one.started_ms > STEADY_MS) one.failures = 0;
    const work = this.#bringBack(one).finally(() => this.#working.delete(work));
    this.#working.add(work);
  }

  async #bringBack(one: Watched): Promise<void> {
    const { log, restart, wait = pause } = this.#options;
    const { part } = one;
    const { signal } = this.#closing;
    for (;;) {
      if (one.failures >= MOST_RESTARTS) {
        this.#fail(new Error(`${part.name} did not stay up ${String(MOST_RESTARTS)} times in a row`));
        return;
      }
      const wait_ms = Math.min(FIRST_WAIT_MS * 2 ** one.failures, LONGEST_WAIT_MS);
      one.failures += 1;
      one.state = 'waiting';
      const times = `${String(one.failures)} of ${String(MOST_RESTARTS)}`;
      log(`${part.name} is started again in ${String(wait_ms / 1000)} s (${times})`);
      await wait(wait_ms, signal).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await restart(part);
        one.restarts += 1;
        log(`${part.name} runs again (process ${String(part.pid)})`);
        this.#begun(one);
        return;
      } catch (error) {
        log(`${part.name} does not start: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
}

/** All processes of a part: it may have started others. */
function signalAll({ pid }: RunningEngine, signal: NodeJS.Signals): void {
  if (hasEnded(pid)) return;
  for (const each of treeOf(pid)) {
    try {
      process.kill(each, signal);
    } catch {
      // It has ended.
    }
  }
}
