/**
 * The executor: group commit with one writer's order. The jobs that wait when an append returns are the next flush. Appends are
 * never pipelined; what the next flush needs is loaded while this one commits. Correctness rests on the append, which looks at the
 * end of the log and at the lease, never on being the only process.
 */
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import type { Log } from '../../../lib/base/logging.js';
import type { Tracer } from '../../../lib/observe/tracing.js';
import type { Clock } from '../../../lib/base/time.js';
import { Wakeups } from '../../../lib/log/wakeups.js';
import { type CallError, fail, toCallError } from '../../../lib/rpc/errors.js';
import { ClockGuard } from './clock-guard.js';
import { AppendRefused, Committer, type OnCommitted } from './committer.js';
import { WriteFigures } from './figures.js';
import { Flusher } from './flusher.js';
import type { HeldLease } from './held-lease.js';
import type { Job } from './job.js';
import type { StateReader } from './loader.js';
import { LogFollower } from './log-follower.js';
import type { Memory } from './memory.js';
import { OriginWatch } from './origin-watch.js';
import { notHolder } from './not-holder.js';
import { JobQueue } from './queue.js';
import type { WriteLog } from './write-log.js';

export interface ExecutorDeps {
  readonly memory: Memory;
  readonly log: WriteLog;
  readonly state: StateReader;
  readonly clock: Clock;
  readonly wakeups: Wakeups;
  readonly logger: Log;
  /** Absent where traces are off. */
  readonly tracer?: Tracer | undefined;
  readonly shard: number;
  /** Commands in the queue at most. */
  readonly queueLimit: number;
  /** Commands per flush at most. */
  readonly flushLimit: number;
  /** Events in the retained tail at most. */
  readonly tailLimit: number;
  /** Called with the events of each commit, in order. */
  readonly onCommitted?: OnCommitted | undefined;
  /** Called before the event that begins a new epoch is given to `onCommitted`. */
  readonly onEpoch?: (() => void) | undefined;
  /** The lease of its shard; absent where no other process may have it. */
  readonly lease?: HeldLease | undefined;
  /** Called when the executor can no longer decide: what it read is of a newer version, or not our history. */
  onHalt(cause: Error): void;
}

/** How often a process without the lease takes in what the holder has committed. */
const FOLLOW_MS = 1_000;
/** How long a stop waits for the database. */
const STOP_LIMIT_MS = 5_000;
/** A flush waits no longer for jobs that still arrive. An append costs PostgreSQL some 0.5 ms beside what its events cost. */
const GATHER_MS = 2;

export class Executor {
  readonly queue: JobQueue;
  readonly figures = new WriteFigures();
  readonly #deps: ExecutorDeps;
  readonly #follower: LogFollower;
  readonly #flusher: Flusher;
  readonly #clockGuard: ClockGuard;
  readonly #originWatch: OriginWatch;
  /** Whether the memory has to be compared with the log before the next flush. */
  #isSuspicious = false;
  #running: Promise<void> | undefined;
  #stoppedAt_ms: number | undefined;
  #halted: Error | undefined;
  /** Ends the waits between the looks of a process that follows the log. */
  readonly #turns = new Wakeups();
  readonly #unhurried = new AbortController();
  #flushing: Promise<void> = Promise.resolve();

  constructor(deps: ExecutorDeps) {
    const { memory, log, state, clock, wakeups, logger, lease, onCommitted, onEpoch, shard } = deps;
    const isOverdue = () => this.#isOverdue();
    this.#deps = deps;
    const { figures } = this;
    this.queue = new JobQueue(deps.queueLimit, (wait_ms) => figures.queueWaits.observe(wait_ms / 1000));
    const { lookups } = figures;
    const follower = new LogFollower({ memory, log, state, clock, logger, lookups, isOverdue });
    this.#follower = follower;
    const committer = new Committer({
      memory,
      log,
      follower,
      wakeups,
      logger,
      clock,
      shard,
      lease,
      figures,
      onCommitted,
      onEpoch,
      isOverdue,
    });
    this.#flusher = new Flusher({
      memory,
      clock,
      shard,
      queue: this.queue,
      follower,
      committer,
      figures,
      lease,
      tracer: deps.tracer,
      flushLimit: deps.flushLimit,
      mayDecide: () => this.#mayDecide(),
      isOverdue,
    });
    this.#clockGuard = new ClockGuard(clock, log, logger);
    this.#originWatch = new OriginWatch({
      log,
      memory,
      logger,
      epochWork: () => committer.epochWork,
      onSuspicion: (lostEpoch) => this.#suspect(lostEpoch),
    });
  }

  /** Catches up with the log, then decides until `stop`. */
  async start(): Promise<void> {
    await this.#follower.reload();
    await this.#clockGuard.start();
    await this.#originWatch.start();
    this.#running = this.#run();
  }

  /** Decides what waits, then ends. New jobs are refused from now on. */
  async stop(): Promise<void> {
    this.#stoppedAt_ms = performance.now();
    this.standingChanged();
    this.#clockGuard.stop();
    await this.#originWatch.stop();
    await this.#running;
  }

  /** Whether commands are decided now. */
  get isServing(): boolean {
    return this.#unavailable() === undefined;
  }

  /** Whether commands could be decided if this process had the lease. */
  get isFit(): boolean {
    return this.#unfit() === undefined;
  }

  /** To be called when this process has taken the lease or lost it. */
  standingChanged(): void {
    this.queue.wake();
    this.#turns.wake();
  }

  /** Resolves when the flush that is under way has ended. Without the lease no other one follows. */
  async settled(): Promise<void> {
    await this.#flushing;
  }

  /** Queues a job; its `answer` is called exactly once. */
  submit(job: Job): void {
    const unavailable = this.#unavailable();
    if (unavailable !== undefined) {
      job.answer(unavailable);
    } else if (this.#deps.memory.tailSize > this.#deps.tailLimit) {
      job.answer(queueFull('the state tables are behind; the write side waits for them'));
    } else if (!this.queue.offer(job)) {
      job.answer(queueFull('the command queue is full'));
    }
  }

  /** Whether the job's events are on their way to the log, so that its outcome is open. */
  isCommitting(job: Job): boolean {
    return this.#flusher.isCommitting(job);
  }

  #isOverdue(): boolean {
    return this.#stoppedAt_ms !== undefined && performance.now() - this.#stoppedAt_ms > STOP_LIMIT_MS;
  }

  #unavailable(): CallError | undefined {
    return this.#unfit() ?? (this.#mayDecide() ? undefined : notHolder());
  }

  #mayDecide(): boolean {
    const { lease } = this.#deps;
    return lease === undefined || lease.term !== undefined;
  }

  #unfit(): CallError | undefined {
    if (this.#halted !== undefined) {
      return fail(ErrorReason.NOT_SERVING, 'the command service has stopped deciding; its log says why');
    }
    if (this.#stoppedAt_ms !== undefined) {
      return fail(ErrorReason.NOT_SERVING, 'the command service is shutting down');
    }
    if (this.#clockGuard.isOff) {
      return fail(ErrorReason.NOT_SERVING, "the server's clock is over a second from the database's");
    }
    return undefined;
  }

  async #run(): Promise<void> {
    while (this.#stoppedAt_ms === undefined || !this.queue.isEmpty) {
      if (!this.#mayDecide() && this.queue.isEmpty) {
        await this.#follow();
        continue;
      }
      if (!this.#mustCompare()) await this.queue.filled();
      if (this.#mustCompare()) await this.#compareWithLog();
      await this.#gathered();
      const jobs = this.queue.take(this.#deps.flushLimit);
      if (jobs.length === 0) continue;
      const began_ms = performance.now();
      this.#flushing = this.#flush(jobs);
      await this.#flushing;
      this.figures.flushTimes.observe((performance.now() - began_ms) / 1000);
      this.figures.flushSizes.observe(jobs.reduce((commands, job) => commands + job.requests.length, 0));
    }
  }

  /** The jobs of this turn of the event loop share an append, and those of the next turns as long as each brings more. */
  async #gathered(): Promise<void> {
    const { queue } = this;
    const until_ms = performance.now() + GATHER_MS;
    let before: number;
    do {
      before = queue.size;
      await new Promise(setImmediate);
    } while (queue.size > before && queue.size < this.#deps.flushLimit && performance.now() < until_ms);
  }

  /** Takes in what the holder of the lease has committed, so that a take-over finds the memory at the end of the log. */
  async #follow(): Promise<void> {
    const since = this.#turns.count;
    try {
      await this.#follower.catchUp();
      await this.#follower.letTailGo();
    } catch (error) {
      if (this.#stoppedAt_ms === undefined && this.#halted === undefined) this.#halt(error);
    }
    await this.#turns.wait(FOLLOW_MS, this.#unhurried.signal, since);
  }

  /** The log may have been restored: what it has is compared before anything more is decided. */
  #suspect(lostEpoch: number | undefined): void {
    if (lostEpoch !== undefined) this.#follower.noteLost(lostEpoch);
    this.#isSuspicious = true;
    this.queue.wake();
  }

  #mustCompare(): boolean {
    if (this.#halted !== undefined || this.#isOverdue()) return false;
    return this.#isSuspicious || (this.#follower.owesEpoch && this.#mayDecide());
  }

  async #compareWithLog(): Promise<void> {
    this.#isSuspicious = false;
    try {
      await this.#follower.catchUp();
      await this.#flusher.settleEpoch();
    } catch (error) {
      if (this.#stoppedAt_ms === undefined) this.#halt(error);
    }
  }

  async #flush(jobs: readonly Job[]): Promise<void> {
    const unanswered = new Set(jobs);
    try {
      await this.#flusher.flush(unanswered);
    } catch (error) {
      if (error instanceof AppendRefused) {
        this.#deps.logger.error({ err: error.cause }, 'the database refused an append');
        for (const job of unanswered) job.answer(toCallError(error.cause));
        return;
      }
      this.#halt(error);
      const message = 'the outcome is unknown; retry with the same request_id';
      const unknown = fail(ErrorReason.OUTCOME_UNKNOWN, message, { cause: error });
      for (const job of unanswered) job.answer(unknown);
    }
  }

  #halt(error: unknown): void {
    const cause = error instanceof Error ? error : new Error(String(error));
    this.#halted = cause;
    this.#deps.logger.fatal({ err: cause }, 'the executor stops deciding');
    const stopped = fail(ErrorReason.NOT_SERVING, 'the command service has stopped deciding');
    while (!this.queue.isEmpty) {
      for (const job of this.queue.take(Number.MAX_SAFE_INTEGER)) job.answer(stopped);
    }
    this.#deps.onHalt(cause);
  }
}

function queueFull(message: string): CallError {
  return fail(ErrorReason.QUEUE_FULL, message);
}
