/**
 * The bounded queue before the executor, counted in commands. It is fair to ledgers: each that has commands waiting gets its turn,
 * in proportion to their number and not to the length of its backlog (start-time fair queueing). Jobs of one ledger, and those of
 * one sequence, keep the order in which they were queued.
 *
 * Every job has a start on a clock that counts commands, and the earliest start is taken first. A job starts where the last job
 * of its ledger ends, or now if the ledger has none waiting: so the first job of a quiet ledger comes before all but the first of
 * a flood. A job of several ledgers starts after the jobs of all of them, and later jobs of these start after it.
 */
import type { Job } from './job.js';

/** The jobs that keep their order: those of a ledger, by its id, or those of a sequence. */
interface Lane {
  readonly key: string | object;
  /** Where the last of its jobs ends. */
  end: number;
  /** How many commands of it wait. */
  commands: number;
}

interface Queued {
  readonly job: Job;
  readonly start: number;
  /** Milliseconds. */
  readonly queuedAt_ms: number;
  readonly lanes: readonly Lane[];
}

/** Beyond the limit there is room for a tenth of it, for ledgers of which less than a hundredth of it waits. */
const RESERVE_PART = 10;
const FEW_PART = 100;

export class JobQueue {
  /** By start; those before `#first` were taken. */
  #queued: Queued[] = [];
  #first = 0;
  #commands = 0;
  /** The clock: the start of the job that was taken last. */
  #now = 0;
  /** The lanes of jobs that wait. */
  readonly #lanes = new Map<string | object, Lane>();
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
    return this.#first === this.#queued.length;
  }

  /** False if there is no room for it: the job was not taken. */
  offer(job: Job): boolean {
    const { length: commands } = job.requests;
    const keys = keysOf(job);
    if (this.#commands + commands > this.limit && !this.#isInReserve(keys, commands)) return false;
    this.#add(job, keys);
    return true;
  }

  /**
   * Whether a job of a stream may be offered. Streams can be slowed, and leave half of the queue to callers who would be refused;
   * a flood of one ledger does not keep those of other ledgers waiting.
   * @param keys its ledgers, and its sequence
   */
  hasRoomForStream(keys: readonly (string | object)[], commands: number): boolean {
    return this.#commands + commands <= this.limit / 2 || this.#isInReserve(keys, commands);
  }

  /** Puts jobs back before all others, in their order. */
  putBack(jobs: readonly Job[]): void {
    const queuedAt_ms = performance.now();
    // All that wait start now or later.
    const again = jobs.map((job): Queued => ({ job, start: this.#now, queuedAt_ms, lanes: [] }));
    this.#queued = [...again, ...this.#queued.slice(this.#first)];
    this.#first = 0;
    for (const job of jobs) this.#commands += job.requests.length;
  }

  /** The next jobs, at most `max` commands of them but at least one job; an atomic batch goes alone. */
  take(max: number): Job[] {
    const taken = this.peek(max);
    const now_ms = performance.now();
    for (let index = this.#first; index < this.#first + taken.length; index += 1) {
      const queued = this.#queued[index];
      if (queued === undefined) break;
      this.#onTaken(now_ms - queued.queuedAt_ms);
      this.#leave(queued);
    }
    this.#first += taken.length;
    if (this.#first > 10_000 || this.isEmpty) {
      this.#queued = this.#queued.slice(this.#first);
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
    for (let index = this.#first; index < this.#queued.length; index += 1) {
      const job = this.#queued[index]?.job;
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

  #isInReserve(keys: readonly (string | object)[], commands: number): boolean {
    if (this.#commands + commands > this.limit + this.limit / RESERVE_PART) return false;
    const waiting = (key: string | object) => this.#lanes.get(key)?.commands ?? 0;
    return keys.every((key) => waiting(key) + commands <= this.limit / FEW_PART);
  }

  #add(job: Job, keys: readonly (string | object)[]): void {
    const { length: commands } = job.requests;
    const lanes = keys.map((key) => this.#lane(key));
    let start = this.#now;
    for (const { end } of lanes) if (end > start) start = end;
    for (const lane of lanes) {
      lane.end = start + commands;
      lane.commands += commands;
    }
    this.#insert({ job, start, queuedAt_ms: performance.now(), lanes });
    this.#commands += commands;
    const waiting = this.#waitForJobs;
    this.#waitForJobs = [];
    for (const resume of waiting) resume();
  }

  #lane(key: string | object): Lane {
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = { key, end: this.#now, commands: 0 };
      this.#lanes.set(key, lane);
    }
    return lane;
  }

  /** After all that start no later. Where one ledger alone is busy that is the end. */
  #insert(queued: Queued): void {
    const last = this.#queued.at(-1);
    if (last === undefined || last.start <= queued.start) {
      this.#queued.push(queued);
      return;
    }
    let low = this.#first;
    let high = this.#queued.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#queued[middle]?.start ?? 0) <= queued.start) low = middle + 1;
      else high = middle;
    }
    this.#queued.splice(low, 0, queued);
  }

  #leave({ job, start, lanes }: Queued): void {
    this.#now = start;
    this.#commands -= job.requests.length;
    for (const lane of lanes) {
      lane.commands -= job.requests.length;
      if (lane.commands === 0) this.#lanes.delete(lane.key);
    }
  }
}

/** The lanes of a job: nearly every job is of one ledger and of no sequence. */
function keysOf({ requests, sequence }: Job): readonly (string | object)[] {
  const [first] = requests;
  if (first === undefined) return [];
  const { ledgerId } = first.command;
  const isOfOne = requests.every(({ command }) => command.ledgerId === ledgerId);
  if (isOfOne && sequence === undefined) return [ledgerId];
  const keys = new Set<string | object>(requests.map(({ command }) => command.ledgerId));
  if (sequence !== undefined) keys.add(sequence);
  return [...keys];
}
