/**
 * The executor: group commit with one writer's order. The jobs that wait when an append returns are decided in memory,
 * appended as one statement, and only then answered. Appends are never pipelined; what the next flush needs is loaded while
 * this one commits. Correctness rests on the guard of the append alone, never on being the only process.
 */
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import type { Log } from '../../../lib/base/logging.js';
import type { Clock } from '../../../lib/base/time.js';
import type { Wakeups } from '../../../lib/log/wakeups.js';
import { type CallError, fail, toCallError } from '../../../lib/rpc/errors.js';
import type { Command } from '../domain/command.js';
import { unreachable } from '../domain/invariant.js';
import { ClockGuard } from './clock-guard.js';
import { AppendRefused, type Commit, Committer, type OnCommitted } from './committer.js';
import type { Job } from './job.js';
import type { StateReader } from './loader.js';
import { LogFollower } from './log-follower.js';
import type { Memory } from './memory.js';
import { type Plan, planFlush } from './plan.js';
import { JobQueue } from './queue.js';
import { replay } from './replay.js';
import { RequestIds } from './request-ids.js';
import type { WriteLog } from './write-log.js';

export interface ExecutorDeps {
  readonly memory: Memory;
  readonly log: WriteLog;
  readonly state: StateReader;
  readonly clock: Clock;
  readonly wakeups: Wakeups;
  readonly logger: Log;
  readonly shard: number;
  /** Commands in the queue at most. */
  readonly queueLimit: number;
  /** Commands per flush at most. */
  readonly flushLimit: number;
  /** Events in the retained tail at most. */
  readonly tailLimit: number;
  /** Called with the events of each commit, in order. */
  readonly onCommitted?: OnCommitted | undefined;
  /** Called when the executor can no longer decide: what it read is of a newer version, or not our history. */
  onHalt(cause: Error): void;
}

/** How long a stop waits for the database. */
const STOP_LIMIT_MS = 5_000;
/** One suffices for equal ids; more mean that `needs` misses something that `decide` reads. */
const DEFERRALS = 10;

export class Executor {
  readonly queue: JobQueue;
  readonly #deps: ExecutorDeps;
  readonly #follower: LogFollower;
  readonly #committer: Committer;
  readonly #clockGuard: ClockGuard;
  readonly #deferrals = new WeakMap<Job, number>();
  #running: Promise<void> | undefined;
  #stoppedAt_ms: number | undefined;
  #halted: Error | undefined;
  /** The plan that is being appended: the outcome of its jobs is not known until it is answered. */
  #committing: Plan | undefined;

  constructor(deps: ExecutorDeps) {
    const { memory, log, state, clock, wakeups, logger, onCommitted } = deps;
    const isOverdue = () =>
      this.#stoppedAt_ms !== undefined && performance.now() - this.#stoppedAt_ms > STOP_LIMIT_MS;
    this.#deps = deps;
    this.queue = new JobQueue(deps.queueLimit);
    const follower = new LogFollower({ memory, log, state, clock, logger, isOverdue });
    this.#follower = follower;
    this.#committer = new Committer({ memory, log, follower, wakeups, logger, onCommitted, isOverdue });
    this.#clockGuard = new ClockGuard(clock, log, logger);
  }

  /** Catches up with the log, then decides until `stop`. */
  async start(): Promise<void> {
    await this.#follower.reload();
    await this.#clockGuard.start();
    this.#running = this.#run();
  }

  /** Decides what waits, then ends. New jobs are refused from now on. */
  async stop(): Promise<void> {
    this.#stoppedAt_ms = performance.now();
    this.queue.wake();
    this.#clockGuard.stop();
    await this.#running;
  }

  /** Whether commands are decided now. */
  get isServing(): boolean {
    return this.#unavailable() === undefined;
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
    return this.#committing?.verdicts.get(job)?.verdict === 'commit';
  }

  #unavailable(): CallError | undefined {
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
      await this.queue.filled();
      // The jobs that arrive in this turn of the event loop share the append.
      await new Promise(setImmediate);
      const jobs = this.queue.take(this.#deps.flushLimit);
      if (jobs.length > 0) await this.#flush(jobs);
    }
  }

  async #flush(jobs: readonly Job[]): Promise<void> {
    const unanswered = new Set(jobs);
    try {
      await this.#decideUntilAnswered(unanswered);
    } catch (error) {
      if (error instanceof AppendRefused) {
        this.#deps.logger.error({ err: error.cause }, 'the database refused an append');
        answerAll(unanswered, toCallError(error.cause));
        return;
      }
      this.#halt(error);
      const message = 'the outcome is unknown; retry with the same request_id';
      answerAll(unanswered, fail(ErrorReason.OUTCOME_UNKNOWN, message, { cause: error }));
    }
  }

  async #decideUntilAnswered(unanswered: Set<Job>): Promise<void> {
    const { memory, clock, shard } = this.#deps;
    const ids = new RequestIds(memory, this.#follower);
    for (;;) {
      dropExpired(unanswered);
      if (unanswered.size === 0) return;
      await this.#follower.load(commandsOf(unanswered));
      // A caller that left meanwhile was answered that nothing changed. From here to the append nothing is awaited.
      dropExpired(unanswered);
      const plan = planFlush({
        jobs: [...unanswered],
        memory,
        now: clock(),
        shard,
        isStored: (ledgerId, requestId) => ids.isStored(ledgerId, requestId),
      });
      this.#committing = plan;
      try {
        if ((await this.#carryOut(plan, ids)) === 'committed') {
          this.#answer(plan, ids, unanswered);
          return;
        }
      } finally {
        // Only after the answers: until then a caller that leaves must not be answered that nothing changed.
        this.#committing = undefined;
      }
    }
  }

  /** Appends, or makes sure that no other process did, and looks up the ids of what is not answered by the append. */
  async #carryOut(plan: Plan, ids: RequestIds): Promise<Commit> {
    const prefetch = this.#follower.prefetch(commandsOf(this.queue.peek(this.#deps.flushLimit)));
    const [commit] = await Promise.all([
      plan.events.length > 0 ? this.#committer.commit(plan, ids) : this.#confirmEnd(),
      ids.lookUp(toLookUp(plan)),
    ]);
    await prefetch;
    return commit;
  }

  /** Errors, dry runs and replays are answered only if the log still ends where we are. */
  async #confirmEnd(): Promise<Commit> {
    return (await this.#follower.isAtEnd()) ? 'committed' : 'log_moved';
  }

  #answer(plan: Plan, ids: RequestIds, unanswered: Set<Job>): void {
    const deferred: Job[] = [];
    for (const [job, verdict] of plan.verdicts) {
      switch (verdict.verdict) {
        case 'commit':
          job.answer(verdict.decided);
          break;
        case 'dry_run':
          job.answer(ids.hasAnyOf(job) ? replay(job, ids.eventsOf) : verdict.decided);
          break;
        case 'refused':
          job.answer(ids.hasAnyOf(job) ? replay(job, ids.eventsOf) : verdict.error);
          break;
        case 'replay':
          job.answer(replay(job, ids.eventsOf));
          break;
        case 'deferred':
          deferred.push(job);
          break;
        default:
          unreachable(verdict);
      }
      unanswered.delete(job);
    }
    this.#defer(deferred);
  }

  /** Deferred jobs keep their place before all that came later. */
  #defer(jobs: readonly Job[]): void {
    const again = jobs.filter((job) => {
      const times = (this.#deferrals.get(job) ?? 0) + 1;
      this.#deferrals.set(job, times);
      if (times <= DEFERRALS) return true;
      const cause = new Error('the command reads what is never loaded');
      job.answer(fail(ErrorReason.INTERNAL, 'internal error', { cause }));
      return false;
    });
    this.queue.putBack(again);
  }

  #halt(error: unknown): void {
    const cause = error instanceof Error ? error : new Error(String(error));
    this.#halted = cause;
    this.#deps.logger.fatal({ err: cause }, 'the executor stops deciding');
    const stopped = fail(ErrorReason.NOT_SERVING, 'the command service has stopped deciding');
    while (!this.queue.isEmpty) answerAll(this.queue.take(Number.MAX_SAFE_INTEGER), stopped);
    this.#deps.onHalt(cause);
  }
}

function commandsOf(jobs: Iterable<Job>): readonly Command[] {
  return [...jobs].flatMap(({ requests }) => requests.map(({ command }) => command));
}

/** A request id may be in the log though its command was decided to an error: a retry must be answered by the log. */
function toLookUp(plan: Plan): Job[] {
  return [...plan.verdicts].flatMap(([job, { verdict }]) =>
    verdict === 'refused' || verdict === 'dry_run' || verdict === 'replay' ? [job] : [],
  );
}

function answerAll(jobs: Iterable<Job>, error: CallError): void {
  for (const job of jobs) job.answer(error);
}

/** Answers the jobs whose deadline has passed or whose caller has left, and takes them out: they are not decided. */
function dropExpired(jobs: Set<Job>): void {
  const now_ms = Date.now();
  for (const job of jobs) {
    const { caller } = job;
    if (caller === undefined) continue;
    if (caller.aborted !== undefined) {
      job.answer(caller.aborted);
    } else if (caller.deadline_ms !== undefined && caller.deadline_ms <= now_ms) {
      job.answer(fail(ErrorReason.DEADLINE_EXCEEDED, 'the deadline passed before the command was decided'));
    } else {
      continue;
    }
    jobs.delete(job);
  }
}

function queueFull(message: string): CallError {
  return fail(ErrorReason.QUEUE_FULL, message);
}
