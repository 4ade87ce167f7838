/** The bounded queue before the executor: first in, first out, counted in commands. */
import type { Job } from './job.js';

export class JobQueue {
  #jobs: Job[] = [];
  /** When each of them was queued, milliseconds. */
  #queuedAt_ms: number[] = [];
  /** The index of the next job; those before it were taken. */
  #first = 0;
  #commands = 0;
  #waitForJobs: (() => void)[] = [];
  #waitForRoom: (() => void)[] = [];

  readonly #onTaken: (wait_ms: number) => void;

  /** @param onTaken called with how long each job that is taken out has waited, milliseconds */
  constructor(
    readonly limit: number,
    onTaken: (wait_ms: number) => void,
  ) {
    this.#onTaken = onTaken;
  }

  /** How many commands wait. */
  get size(): number {
    return this.#commands;
  }

  get isEmpty(): boolean {
    return this.#first === this.#jobs.length;
  }

  /** False if the queue is full: the job was not taken. */
  offer(job: Job): boolean {
    if (this.#commands + job.requests.length > this.limit) return false;
    this.push(job);
    return true;
  }

  /** Queues a job regardless of the limit: for internal jobs, which are few. */
  push(job: Job): void {
    this.#jobs.push(job);
    this.#queuedAt_ms.push(performance.now());
    this.#commands += job.requests.length;
    const waiting = this.#waitForJobs;
    this.#waitForJobs = [];
    for (const resume of waiting) resume();
  }

  /** Puts jobs back before all others, in their order. */
  putBack(jobs: readonly Job[]): void {
    const now_ms = performance.now();
    this.#jobs = [...jobs, ...this.#jobs.slice(this.#first)];
    this.#queuedAt_ms = [...jobs.map(() => now_ms), ...this.#queuedAt_ms.slice(this.#first)];
    this.#first = 0;
    for (const job of jobs) this.#commands += job.requests.length;
  }

  /** The next jobs, at most `max` commands of them but at least one job; an atomic batch goes alone. */
  take(max: number): Job[] {
    const taken = this.peek(max);
    const now_ms = performance.now();
    for (let index = this.#first; index < this.#first + taken.length; index += 1) {
      this.#onTaken(now_ms - (this.#queuedAt_ms[index] ?? now_ms));
    }
    this.#first += taken.length;
    for (const job of taken) this.#commands -= job.requests.length;
    if (this.#first > 10_000 || this.isEmpty) {
      this.#jobs = this.#jobs.slice(this.#first);
      this.#queuedAt_ms = this.#queuedAt_ms.slice(this.#first);
      this.#first = 0;
    }
    const waiting = this.#waitForRoom;
    this.#waitForRoom = [];
    for (const resume of waiting) resume();
    return taken;
  }

  /** What `take` would take. */
  peek(max: number): Job[] {
    const next: Job[] = [];
    let size = 0;
    for (let index = this.#first; index < this.#jobs.length; index += 1) {
      const job = this.#jobs[index];
      if (job === undefined) break;
      if (next.length > 0 && (job.isAtomic || size + job.requests.length > max)) break;
      next.push(job);
      size += job.requests.length;
      if (job.isAtomic || size >= max) break;
    }
    return next;
  }

  /** Resolves when there is a job, or `wake` was called. */
  filled(): Promise<void> {
    if (!this.isEmpty) return Promise.resolve();
    return new Promise((resolve) => this.#waitForJobs.push(resolve));
  }

  /** Resolves when jobs were taken out since, or `wake` was called. */
  drained(): Promise<void> {
    return new Promise((resolve) => this.#waitForRoom.push(resolve));
  }

  /** Resolves all that wait in `filled` and `drained`. */
  wake(): void {
    for (const resume of [...this.#waitForJobs, ...this.#waitForRoom]) resume();
    this.#waitForJobs = [];
    this.#waitForRoom = [];
  }
}
