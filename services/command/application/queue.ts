/** The bounded queue before the executor: first in, first out, counted in commands. */
import { type Job, sizeOf } from './job.js';

export class JobQueue {
  private jobs: Job[] = [];
  private first = 0;
  private commands = 0;
  private waiting: (() => void)[] = [];
  private roomWaiting: (() => void)[] = [];

  constructor(readonly limit: number) {}

  /** How many commands wait. */
  get size(): number {
    return this.commands;
  }

  get isEmpty(): boolean {
    return this.first === this.jobs.length;
  }

  /** False if the queue is full: the job was not taken. */
  offer(job: Job): boolean {
    if (this.commands + sizeOf(job) > this.limit) return false;
    this.push(job);
    return true;
  }

  /** Puts a job in whatever the limit says: for jobs of our own, which are few. */
  push(job: Job): void {
    this.jobs.push(job);
    this.commands += sizeOf(job);
    const { waiting } = this;
    this.waiting = [];
    for (const resume of waiting) resume();
  }

  /** Puts jobs back before all others, in their order. */
  putBack(jobs: readonly Job[]): void {
    this.jobs = [...jobs, ...this.jobs.slice(this.first)];
    this.first = 0;
    for (const job of jobs) this.commands += sizeOf(job);
  }

  /** The next jobs, at most `max` commands of them but at least one job; an atomic batch goes alone. */
  take(max: number): Job[] {
    const taken = this.peek(max);
    this.first += taken.length;
    for (const job of taken) this.commands -= sizeOf(job);
    if (this.first > 10_000 || this.isEmpty) {
      this.jobs = this.jobs.slice(this.first);
      this.first = 0;
    }
    const { roomWaiting } = this;
    this.roomWaiting = [];
    for (const resume of roomWaiting) resume();
    return taken;
  }

  /** What `take` would take. */
  peek(max: number): Job[] {
    const next: Job[] = [];
    let size = 0;
    for (let index = this.first; index < this.jobs.length; index += 1) {
      const job = this.jobs[index];
      if (job === undefined) break;
      const isAtomic = job.shape === 'atomic';
      if (next.length > 0 && (isAtomic || size + sizeOf(job) > max)) break;
      next.push(job);
      size += sizeOf(job);
      if (isAtomic || size >= max) break;
    }
    return next;
  }

  /** Resolves when there is a job, or `wake` was called. */
  filled(): Promise<void> {
    if (!this.isEmpty) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** Resolves when jobs were taken out since, or `wake` was called. */
  drained(): Promise<void> {
    return new Promise((resolve) => this.roomWaiting.push(resolve));
  }

  /** Wakes everyone who waits here. */
  wake(): void {
    for (const resume of [...this.waiting, ...this.roomWaiting]) resume();
    this.waiting = [];
    this.roomWaiting = [];
  }
}
