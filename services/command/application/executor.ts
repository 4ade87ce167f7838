/**
 * The executor: group commit with one writer's order. The jobs that wait when an append returns are decided in memory,
 * appended as one statement, and only then answered. Appends are never pipelined; what the next flush needs is loaded while
 * this one commits. Correctness rests on the guard of the append alone, never on being the only process.
 */
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import type { Log } from '../../../lib/base/logging.js';
import type { Tracer } from '../../../lib/observe/tracing.js';
import type { Clock } from '../../../lib/base/time.js';
import { Wakeups } from '../../../lib/log/wakeups.js';
import { CallError, fail, toCallError } from '../../../lib/rpc/errors.js';
import { unreachable } from '../domain/invariant.js';
import { ClockGuard } from './clock-guard.js';
import { AppendRefused, type Commit, Committer, type OnCommitted } from './committer.js';
import type { AtomicJob, Decided, Job, Outcome, Request, Result, SeparateJob } from './job.js';
import { WriteFigures } from './figures.js';
import { FlushTrace } from './flush-trace.js';
import type { StateReader } from './loader.js';
import { LogFollower } from './log-follower.js';
import type { Memory } from './memory.js';
import { OriginWatch } from './origin-watch.js';
import { notHolder } from './not-holder.js';
import { type Plan, planFlush, type Verdict } from './plan.js';
import { JobQueue } from './queue.js';
import { replayBatch, replayRequest } from './replay.js';
import { RequestIds } from './request-ids.js';
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
  /** Whether this process has the lease of its shard; absent where no other process may have it. */
  readonly isHolder?: (() => boolean) | undefined;
  /** Called when the executor can no longer decide: what it read is of a newer version, or not our history. */
  onHalt(cause: Error): void;
}

/** How often a process without the lease takes in what the holder has committed. */
const FOLLOW_MS = 1_000;
/** How long a stop waits for the database. */
const STOP_LIMIT_MS = 5_000;
/** A flush waits no longer for jobs that still arrive. An append costs PostgreSQL some 0.5 ms beside what its events cost. */
const GATHER_MS = 2;
/** One suffices for equal ids; more mean that `needs` misses something that `decide` reads. */
const DEFERRALS = 10;

export class Executor {
  readonly queue: JobQueue;
  readonly figures = new WriteFigures();
  readonly #deps: ExecutorDeps;
  readonly #follower: LogFollower;
  readonly #committer: Committer;
  readonly #clockGuard: ClockGuard;
  readonly #originWatch: OriginWatch;
  /** Whether the memory has to be compared with the log before the next flush. */
  #isSuspicious = false;
  /** How often a job was deferred, the rests of it included. */
  readonly #deferrals = new WeakMap<Job, number>();
  #running: Promise<void> | undefined;
  #stoppedAt_ms: number | undefined;
  #halted: Error | undefined;
  /** Ends the waits between the looks of a process that follows the log. */
  readonly #turns = new Wakeups();
  readonly #unhurried = new AbortController();
  #flushing: Promise<void> = Promise.resolve();
  /** The plan that is being appended: the outcome of its jobs is not known until it is answered. */
  #committing: Plan | undefined;

  constructor(deps: ExecutorDeps) {
    const { memory, log, state, clock, wakeups, logger, onCommitted, onEpoch, shard } = deps;
    const isOverdue = () => this.#isOverdue();
    this.#deps = deps;
    const { figures } = this;
    this.queue = new JobQueue(deps.queueLimit, (wait_ms) => figures.queueWaits.observe(wait_ms / 1000));
    const { lookups } = figures;
    const follower = new LogFollower({ memory, log, state, clock, logger, lookups, isOverdue });
    this.#follower = follower;
    this.#committer = new Committer({
      memory,
      log,
      follower,
      wakeups,
      logger,
      clock,
      shard,
      figures,
      onCommitted,
      onEpoch,
      isOverdue,
    });
    this.#clockGuard = new ClockGuard(clock, log, logger);
    this.#originWatch = new OriginWatch({
      log,
      memory,
      logger,
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
    const found = this.#committing?.judged.find((each) => each.job === job || each.job.restOf === job);
    return found?.verdicts.some(({ verdict }) => verdict === 'commit') === true;
  }

  #isOverdue(): boolean {
    return this.#stoppedAt_ms !== undefined && performance.now() - this.#stoppedAt_ms > STOP_LIMIT_MS;
  }

  #unavailable(): CallError | undefined {
    return this.#unfit() ?? (this.#mayDecide() ? undefined : notHolder());
  }

  #mayDecide(): boolean {
    return this.#deps.isHolder?.() ?? true;
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
      await this.#settleEpoch();
    } catch (error) {
      if (this.#stoppedAt_ms === undefined) this.#halt(error);
    }
  }

  /** Begins a new epoch if the log has lost something: nothing else may be appended before. */
  async #settleEpoch(mayGoOn = () => true): Promise<void> {
    while (this.#follower.owesEpoch && this.#mayDecide() && !this.#isOverdue() && mayGoOn()) {
      await this.#committer.beginEpoch();
    }
  }

  async #flush(jobs: readonly Job[]): Promise<void> {
    const unanswered = new Set(jobs);
    const trace = FlushTrace.of(this.#deps.tracer, jobs);
    try {
      await this.#decideUntilAnswered(unanswered, trace);
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
    } finally {
      trace?.end();
    }
  }

  async #decideUntilAnswered(unanswered: Set<Job>, trace: FlushTrace | undefined): Promise<void> {
    const { memory, clock, shard } = this.#deps;
    let ids = new RequestIds(memory, this.#follower);
    let { forks } = this.#follower;
    for (;;) {
      dropExpired(unanswered);
      if (unanswered.size === 0) return;
      await this.#settleEpoch(() => {
        dropExpired(unanswered);
        return unanswered.size > 0;
      });
      if (forks !== this.#follower.forks) {
        // What was found under the ids may be lost.
        ({ forks } = this.#follower);
        ids = new RequestIds(memory, this.#follower);
      }
      await this.#follower.load([...unanswered]);
      // A caller that left meanwhile was answered that nothing changed. From here to the append nothing is awaited.
      dropExpired(unanswered);
      if (!this.#mayDecide()) {
        for (const job of unanswered) job.answer(notHolder());
        return;
      }
      const plan = planFlush({
        jobs: [...unanswered],
        memory,
        now: clock(),
        shard,
        isStored: (ledgerId, requestId) => ids.isStored(ledgerId, requestId),
      });
      this.#committing = plan;
      try {
        if ((await this.#carryOut(plan, ids, trace)) === 'committed') {
          trace?.committed(plan.events);
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
  async #carryOut(plan: Plan, ids: RequestIds, trace: FlushTrace | undefined): Promise<Commit> {
    const prefetch = this.#follower.prefetch(this.queue.peek(this.#deps.flushLimit));
    const [commit] = await Promise.all([
      plan.events.length > 0 ? this.#committer.commit(plan, ids, trace) : this.#confirmEnd(),
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
    for (const { job, verdicts } of plan.judged) {
      unanswered.delete(job);
      if (job.isAtomic) {
        const [verdict] = verdicts;
        const result = verdict === undefined ? undefined : batchResult(job, verdict, ids);
        if (result === undefined) deferred.push(job);
        else job.answer(result);
        this.#count(job, result);
        continue;
      }
      const outcomes = verdicts.map((verdict, index) => outcomeOf(job.requests[index], verdict, ids));
      this.#count(job, outcomes);
      const rest = restOf(job, outcomes);
      if (rest === undefined) job.answer(outcomes.filter((outcome) => outcome !== undefined));
      else deferred.push(rest);
    }
    this.#defer(deferred);
  }

  /** Counts the outcomes of a job; those that are decided later are counted then. */
  #count(job: Job, result: readonly (Outcome | undefined)[] | CallError | undefined): void {
    if (result === undefined) return;
    for (const [index, { type }] of job.requests.entries()) {
      const outcome = result instanceof CallError ? result : result[index];
      if (outcome !== undefined) this.figures.answered(type, outcome);
    }
  }

  /** Deferred jobs keep their place before all that came later. */
  #defer(jobs: readonly Job[]): void {
    const again = jobs.filter((job) => {
      this.#follower.unload(job);
      const times = (this.#deferrals.get(job.restOf ?? job) ?? 0) + 1;
      this.#deferrals.set(job.restOf ?? job, times);
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
    while (!this.queue.isEmpty) {
      for (const job of this.queue.take(Number.MAX_SAFE_INTEGER)) job.answer(stopped);
    }
    this.#deps.onHalt(cause);
  }
}

/** A request id may be in the log though its command was decided to an error: a retry must be answered by the log. */
function toLookUp({ judged }: Plan): Request[] {
  const requests: Request[] = [];
  for (const { job, verdicts } of judged) {
    for (const [index, { verdict }] of verdicts.entries()) {
      if (verdict === 'commit' || verdict === 'deferred') continue;
      requests.push(...(job.isAtomic ? job.requests : job.requests.slice(index, index + 1)));
    }
  }
  return requests;
}

/** What a command comes to; undefined if it is decided in the next flush. */
function outcomeOf(request: Request | undefined, verdict: Verdict, ids: RequestIds): Outcome | undefined {
  if (request === undefined) throw new Error('a verdict is on a request');
  const decidedOf = (decided: readonly Decided[]): Outcome => {
    const [only] = decided;
    if (only === undefined) throw new Error('a command that was decided has its decision');
    return only;
  };
  switch (verdict.verdict) {
    case 'commit':
      return decidedOf(verdict.decided);
    case 'dry_run':
      return ids.has(request) ? replayRequest(request, ids.eventsOf) : decidedOf(verdict.decided);
    case 'refused':
      return ids.has(request) ? replayRequest(request, ids.eventsOf) : verdict.error;
    case 'replay':
      return replayRequest(request, ids.eventsOf);
    case 'deferred':
      return undefined;
    default:
      return unreachable(verdict);
  }
}

/** The same for an atomic batch. */
function batchResult(job: AtomicJob, verdict: Verdict, ids: RequestIds): Result | undefined {
  const isStored = () => job.requests.some((request) => ids.has(request));
  switch (verdict.verdict) {
    case 'commit':
      return verdict.decided;
    case 'dry_run':
      return isStored() ? replayBatch(job, ids.eventsOf) : verdict.decided;
    case 'refused':
      return isStored() ? replayBatch(job, ids.eventsOf) : verdict.error;
    case 'replay':
      return replayBatch(job, ids.eventsOf);
    case 'deferred':
      return undefined;
    default:
      return unreachable(verdict);
  }
}

/** The job of the commands that have no outcome yet; undefined if there are none, the job itself if it has no outcome at all. */
function restOf(job: SeparateJob, outcomes: readonly (Outcome | undefined)[]): SeparateJob | undefined {
  const open = outcomes.flatMap((outcome, index) => (outcome === undefined ? [index] : []));
  if (open.length === 0) return undefined;
  if (open.length === outcomes.length) return job;
  return {
    isAtomic: false,
    requests: job.requests.filter((_, index) => open.includes(index)),
    caller: job.caller,
    restOf: job.restOf ?? job,
    answer: (result) => {
      const late = open.map((_, place) => (result instanceof CallError ? result : result[place]));
      const all = outcomes.map((outcome, index) => outcome ?? late[open.indexOf(index)]);
      job.answer(all.filter((outcome) => outcome !== undefined));
    },
  };
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
