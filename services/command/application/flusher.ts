/**
 * A flush: the jobs that it took are decided in memory, appended as one statement, and only then answered. If another process has
 * appended meanwhile, they are decided again.
 */
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import type { Clock } from '../../../lib/base/time.js';
import type { Tracer } from '../../../lib/observe/tracing.js';
import { CallError, fail } from '../../../lib/rpc/errors.js';
import type { Commit, Committer } from './committer.js';
import type { WriteFigures } from './figures.js';
import { FlushTrace } from './flush-trace.js';
import type { HeldLease } from './held-lease.js';
import type { Job, Outcome } from './job.js';
import type { LogFollower } from './log-follower.js';
import type { Memory } from './memory.js';
import { notHolder } from './not-holder.js';
import { batchResult, outcomeOf, restOf, toLookUp } from './outcomes.js';
import { type Plan, planFlush } from './plan.js';
import type { JobQueue } from './queue.js';
import { RequestIds } from './request-ids.js';

/** One suffices for equal ids; more mean that `needs` misses something that `decide` reads. */
const DEFERRALS = 10;

export interface FlusherDeps {
  readonly memory: Memory;
  readonly clock: Clock;
  readonly shard: number;
  readonly queue: JobQueue;
  readonly follower: LogFollower;
  readonly committer: Committer;
  readonly figures: WriteFigures;
  /** Absent where no other process may have the lease. */
  readonly lease: HeldLease | undefined;
  readonly tracer: Tracer | undefined;
  /** Commands per flush at most. */
  readonly flushLimit: number;
  /** Whether this process has the lease of its shard. */
  mayDecide(): boolean;
  /** Whether a stop has waited long enough for a database that does not answer. */
  isOverdue(): boolean;
}

export class Flusher {
  readonly #deps: FlusherDeps;
  /** How often a job was deferred, the rests of it included. */
  readonly #deferrals = new WeakMap<Job, number>();
  /** The plan that is being appended: the outcome of its jobs is not known until it is answered. */
  #committing: Plan | undefined;

  constructor(deps: FlusherDeps) {
    this.#deps = deps;
  }

  /** Whether the job's events are on their way to the log, so that its outcome is open. */
  isCommitting(job: Job): boolean {
    const found = this.#committing?.judged.find((each) => each.job === job || each.job.restOf === job);
    return found?.verdicts.some(({ verdict }) => verdict === 'commit') === true;
  }

  /** Decides jobs and answers each, which takes it out of the set. @throws what leaves the others without an answer */
  async flush(unanswered: Set<Job>): Promise<void> {
    const trace = FlushTrace.of(this.#deps.tracer, [...unanswered]);
    try {
      await this.#decideUntilAnswered(unanswered, trace);
    } finally {
      trace?.end();
    }
  }

  /** Begins a new epoch if the log has lost something: nothing else may be appended before. */
  async settleEpoch(mayGoOn = () => true): Promise<void> {
    const { follower, committer } = this.#deps;
    while (follower.owesEpoch && this.#deps.mayDecide() && !this.#deps.isOverdue() && mayGoOn()) {
      await committer.beginEpoch();
    }
  }

  async #decideUntilAnswered(unanswered: Set<Job>, trace: FlushTrace | undefined): Promise<void> {
    const { memory, clock, shard, follower } = this.#deps;
    let ids = new RequestIds(memory, follower);
    let { forks } = follower;
    for (;;) {
      dropExpired(unanswered);
      if (unanswered.size === 0) return;
      await this.settleEpoch(() => {
        dropExpired(unanswered);
        return unanswered.size > 0;
      });
      if (forks !== follower.forks) {
        // What was found under the ids may be lost.
        ({ forks } = follower);
        ids = new RequestIds(memory, follower);
      }
      await follower.load([...unanswered]);
      // A caller that left meanwhile was answered that nothing changed. From here to the append nothing is awaited.
      dropExpired(unanswered);
      if (!this.#deps.mayDecide()) {
        for (const job of unanswered) job.answer(notHolder());
        return;
      }
      const term = this.#deps.lease?.term;
      const plan = planFlush({
        jobs: [...unanswered],
        memory,
        now: clock(),
        shard,
        isStored: (ledgerId, requestId) => ids.isStored(ledgerId, requestId),
      });
      this.#committing = plan;
      try {
        if ((await this.#carryOut(plan, ids, term, trace)) === 'committed') {
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
  async #carryOut(
    plan: Plan,
    ids: RequestIds,
    term: bigint | undefined,
    trace: FlushTrace | undefined,
  ): Promise<Commit> {
    const { follower, committer, queue, flushLimit } = this.#deps;
    const prefetch = follower.prefetch(queue.peek(flushLimit));
    const [commit] = await Promise.all([
      plan.events.length > 0 ? committer.commit(plan, ids, term, trace) : this.#confirmEnd(),
      ids.lookUp(toLookUp(plan)),
    ]);
    await prefetch;
    return commit;
  }

  /** Errors, dry runs and replays are answered only if the log still ends where we are. */
  async #confirmEnd(): Promise<Commit> {
    return (await this.#deps.follower.isAtEnd()) ? 'committed' : 'log_moved';
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
      if (outcome !== undefined) this.#deps.figures.answered(type, outcome);
    }
  }

  /** Deferred jobs keep their place before all that came later. */
  #defer(jobs: readonly Job[]): void {
    const again = jobs.filter((job) => {
      this.#deps.follower.unload(job);
      const times = (this.#deferrals.get(job.restOf ?? job) ?? 0) + 1;
      this.#deferrals.set(job.restOf ?? job, times);
      if (times <= DEFERRALS) return true;
      const cause = new Error('the command reads what is never loaded');
      job.answer(fail(ErrorReason.INTERNAL, 'internal error', { cause }));
      return false;
    });
    this.#deps.queue.putBack(again);
  }
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
