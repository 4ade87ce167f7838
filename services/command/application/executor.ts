/**
 * The executor: group commit with one writer's order. What waits when an append returns is decided in memory, appended as
 * one statement, and only then answered. Appends are never pipelined; what the next flush needs is loaded while this one
 * commits. Correctness rests on the guard of the append alone, never on being the only process.
 */
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import type { RecordedEvent } from '../../../lib/log/recorded-event.js';
import { CallError, fail, toCallError } from '../../../lib/rpc/errors.js';
import type { Log } from '../../../lib/base/logging.js';
import type { Clock } from '../../../lib/base/time.js';
import { UndecodableEvent } from '../../../lib/log/codec.js';
import { streamIdOf } from '../../../lib/log/stream-id.js';
import type { Wakeups } from '../../../lib/log/wakeups.js';
import { type AtomicJob, failJob, type Job, type Request, requestsOf, type SingleJob } from './job.js';
import { CheckpointLost, load, type StateReader } from './loader.js';
import { entityKey, type Memory } from './memory.js';
import { type Plan, planFlush } from './plan.js';
import { JobQueue } from './queue.js';
import { replay, replayAtomic } from './replay.js';
import type { WriteLog } from './write-log.js';
import { pause } from '../../../lib/base/pause.js';
import { isSameBytes } from '../../../lib/base/bytes.js';

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
  /** Commands a flush at most. */
  readonly flushLimit: number;
  /** Events in the retained tail at most. */
  readonly tailLimit: number;
  /** Called when the executor can no longer decide: what it read is of a newer version, or not our history. */
  onHalt(cause: Error): void;
}

/** How far this process's clock may be from the database's, microseconds. */
const CLOCK_TOLERANCE = 1_000_000n;
const CLOCK_CHECK_ms = 10_000;
const RETRY_ms = 50;
/** A database that is away is worth a line every five seconds. */
const TRIES_A_WARNING = 100;
/** How long a stop waits for the database. */
const STOP_LIMIT_ms = 5_000;
const PAGE = 1_000;
/** One suffices for equal ids; more mean that `needs` misses something that `decide` reads. */
const DEFERRALS = 10;

/** Stored events by entityKey of ledger and request id. */
type Stored = Map<string, RecordedEvent[]>;

/** Our history is not the log's. */
export class HistoryDiverged extends Error {
  override readonly name = 'HistoryDiverged';
}

/** The database refused an append and rolled it back: nothing was changed. */
class AppendRefused extends Error {
  override readonly name = 'AppendRefused';
  constructor(cause: unknown) {
    super('the database refused the append', { cause });
  }
}

export class Executor {
  readonly queue: JobQueue;
  private running: Promise<void> | undefined;
  private stopping = false;
  private stoppedAt_ms = Infinity;
  private halted: Error | undefined;
  private clockIsOff = false;
  private clockCheck: NodeJS.Timeout | undefined;
  private readonly deferrals = new WeakMap<Job, number>();
  /** Jobs that are being appended: their outcome is not known until it is. */
  private committing: readonly Job[] = [];

  constructor(private readonly deps: ExecutorDeps) {
    this.queue = new JobQueue(deps.queueLimit);
  }

  /** Catches up with the log, then decides until `stop`. */
  async start(): Promise<void> {
    await this.reload();
    await this.checkClock();
    this.clockCheck = setInterval(() => {
      this.checkClock().catch((error: unknown) => {
        this.deps.logger.warn({ err: error }, 'the clock could not be compared with the database');
      });
    }, CLOCK_CHECK_ms);
    this.running = this.run();
  }

  /** Decides what waits, then ends. New jobs are refused from now on. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.stoppedAt_ms = performance.now();
    this.queue.wake();
    clearInterval(this.clockCheck);
    await this.running;
  }

  /** Whether commands are decided now. */
  get isServing(): boolean {
    return this.unavailable() === undefined;
  }

  /** Queues a job; its `settle` or `fail` is called exactly once. */
  submit(job: Job): void {
    const unavailable = this.unavailable();
    if (unavailable !== undefined) {
      failJob(job, unavailable);
    } else if (this.deps.memory.tailSize > this.deps.tailLimit) {
      failJob(job, full('the state tables are behind; the write side waits for them'));
    } else if (!this.queue.offer(job)) {
      failJob(job, full('the command queue is full'));
    }
  }

  /** Whether the job's events are on their way to the log, so that its outcome is open. */
  isCommitting(job: Job): boolean {
    return this.committing.includes(job);
  }

  /** Whether a stop has waited long enough for a database that does not answer. */
  private isOverdue(): boolean {
    return performance.now() - this.stoppedAt_ms > STOP_LIMIT_ms;
  }

  private unavailable(): CallError | undefined {
    if (this.halted !== undefined) {
      return fail(ErrorReason.NOT_SERVING, 'the command service has stopped deciding; its log says why');
    }
    if (this.stopping) return fail(ErrorReason.NOT_SERVING, 'the command service is shutting down');
    if (this.clockIsOff) {
      return fail(ErrorReason.NOT_SERVING, "the server's clock is over a second from the database's");
    }
    return undefined;
  }

  private async run(): Promise<void> {
    while (!(this.stopping && this.queue.isEmpty)) {
      await this.queue.filled();
      // Whatever arrives in this turn of the event loop shares the append.
      await new Promise(setImmediate);
      const jobs = this.queue.take(this.deps.flushLimit);
      if (jobs.length === 0) continue;
      await this.flush(jobs);
    }
  }

  private async flush(jobs: readonly Job[]): Promise<void> {
    const unsettled = new Set(jobs);
    try {
      await this.flushUntilSettled(unsettled);
    } catch (error) {
      if (error instanceof AppendRefused) {
        this.deps.logger.error({ err: error.cause }, 'the database refused an append');
        for (const job of unsettled) failJob(job, toCallError(error.cause));
        return;
      }
      this.halt(error);
      for (const job of unsettled) {
        failJob(
          job,
          fail(ErrorReason.OUTCOME_UNKNOWN, 'the outcome is unknown; retry with the same request_id', {
            cause: error,
          }),
        );
      }
    }
  }

  private async flushUntilSettled(unsettled: Set<Job>): Promise<void> {
    const { memory } = this.deps;
    const stored: Stored = new Map();
    for (;;) {
      dropDead(unsettled);
      if (unsettled.size === 0) return;
      await this.loadFor([...unsettled]);
      // Whoever left meanwhile was told that nothing changed. From here to the append nothing is awaited.
      dropDead(unsettled);
      const plan = planFlush({
        jobs: [...unsettled],
        memory,
        now: this.deps.clock(),
        shard: this.deps.shard,
        isStored: (ledgerId, requestId) =>
          stored.has(entityKey(ledgerId, requestId)) ||
          memory.requestPosition(ledgerId, requestId) !== undefined,
      });
      try {
        if (await this.carryOut(plan, stored)) {
          this.settle(plan, stored, unsettled);
          return;
        }
      } finally {
        // Not before they are answered: until then who leaves must not be told that nothing changed.
        this.committing = [];
      }
    }
  }

  /** Appends, or makes sure that nobody else did, and looks up ids. False: the log has moved, decide again. */
  private async carryOut(plan: Plan, stored: Stored): Promise<boolean> {
    const asking = [...plan.refused, ...plan.dry, ...plan.replays.map((job) => ({ job }))].map(
      ({ job }) => job,
    );
    const prefetch = this.prefetch();
    const [isDone] = await Promise.all([
      plan.events.length > 0 ? this.append(plan, stored) : this.isAtEnd(),
      this.lookUp(asking.flatMap(requestsOf), stored),
    ]);
    await prefetch;
    return isDone;
  }

  private async append(plan: Plan, stored: Stored): Promise<boolean> {
    const { memory, log } = this.deps;
    const first = plan.events[0];
    if (first === undefined) return true;
    const events = plan.events.map(toNewEvent);
    this.committing = plan.planned.map(({ job }) => job);
    for (let isRetry = false; ; isRetry = true) {
      const { position, hash } = memory.end;
      const result = await log.append(position, hash, events);
      switch (result.outcome) {
        case 'appended':
          memory.commit(plan.events, plan.states);
          this.deps.wakeups.wake();
          return true;
        case 'unknown':
          // What is absent may still commit while the log ends where it did: the same append again excludes it.
          this.deps.logger.warn({ err: result.cause }, 'the outcome of an append is unknown; asking the log');
          if (this.isOverdue()) throw new Error('the outcome of an append is unknown at the end');
          await pause(RETRY_ms);
          continue;
        case 'refused':
          // An earlier attempt may still be in the log: only the log can tell.
          if (!isRetry) throw new AppendRefused(result.cause);
          if (this.isOverdue()) throw new Error('the outcome of an append is unknown at the end');
          await pause(RETRY_ms);
          continue;
        case 'behind':
        case 'duplicate_request':
        case 'foreign_history':
          if (isRetry && (await this.isOurs(first))) {
            memory.commit(plan.events, plan.states);
            this.deps.wakeups.wake();
            return true;
          }
      }
      if (result.outcome === 'foreign_history') {
        throw new Error(`the log does not have our event at position ${String(position)}: was it restored?`);
      }
      if (result.outcome === 'duplicate_request') {
        await this.lookUp(
          plan.planned.flatMap(({ job }) => requestsOf(job)),
          stored,
        );
      }
      await this.catchUp();
      return false;
    }
  }

  /** Whether an append whose outcome was unknown is in the log after all. */
  private async isOurs(first: RecordedEvent): Promise<boolean> {
    const found = await this.untilAnswered(() => this.deps.log.at(first.position));
    return found !== undefined && isSameBytes(found.hash, first.hash);
  }

  /** Whether the log still ends where we are: only then may errors, dry runs and replays be answered. */
  private async isAtEnd(): Promise<boolean> {
    const head = await this.untilAnswered(() => this.deps.log.head());
    if (head.position === this.deps.memory.end.position) return true;
    await this.catchUp();
    return false;
  }

  private async lookUp(requests: readonly Request[], stored: Stored): Promise<void> {
    const keys = requests
      .map(({ command }) => ({ ledgerId: command.ledgerId, requestId: command.requestId }))
      .filter(({ ledgerId, requestId }) => requestId !== '' && !stored.has(entityKey(ledgerId, requestId)));
    if (keys.length === 0) return;
    const found = await this.untilAnswered(() => this.deps.log.requests(keys));
    for (const { ledgerId, requestId, recorded } of found) {
      const key = entityKey(ledgerId, requestId);
      const events = stored.get(key);
      if (events === undefined) stored.set(key, [recorded]);
      else events.push(recorded);
    }
  }

  private settle(plan: Plan, stored: Stored, unsettled: Set<Job>): void {
    const storedOf = ({ command }: Request) => stored.get(entityKey(command.ledgerId, command.requestId));
    for (const { job, items } of plan.planned) {
      if (job.shape === 'atomic') job.settle(items);
      else if (items[0] !== undefined) job.settle({ ok: true, decided: items[0] });
      unsettled.delete(job);
    }
    for (const { job, error } of plan.refused) {
      if (requestsOf(job).some((request) => storedOf(request) !== undefined)) settleReplay(job, storedOf);
      else failJob(job, error);
      unsettled.delete(job);
    }
    for (const { job, decided } of plan.dry) {
      if (storedOf(job.request) !== undefined) settleReplay(job, storedOf);
      else job.settle({ ok: true, decided });
      unsettled.delete(job);
    }
    for (const job of plan.replays) {
      settleReplay(job, storedOf);
      unsettled.delete(job);
    }
    this.defer(plan.deferred);
    for (const job of plan.deferred) unsettled.delete(job);
  }

  /** The deferred ones keep their place before all that came later. */
  private defer(jobs: readonly Job[]): void {
    const again = jobs.filter((job) => {
      const times = (this.deferrals.get(job) ?? 0) + 1;
      this.deferrals.set(job, times);
      if (times <= DEFERRALS) return true;
      failJob(
        job,
        fail(ErrorReason.INTERNAL, 'internal error', { cause: new Error('it reads what is never loaded') }),
      );
      return false;
    });
    this.queue.putBack(again);
  }

  private async prefetch(): Promise<void> {
    const next = this.queue.peek(this.deps.flushLimit);
    const commands = next.flatMap(requestsOf).map(({ command }) => command);
    // Only a prefetch: what it could not load, the flush itself asks for again.
    await load(this.deps.memory, this.deps.state, commands).catch(() => undefined);
  }

  private async loadFor(jobs: readonly Job[]): Promise<void> {
    const commands = jobs.flatMap(requestsOf).map(({ command }) => command);
    await this.untilAnswered(async () => {
      try {
        await load(this.deps.memory, this.deps.state, commands);
      } catch (error) {
        if (!(error instanceof CheckpointLost)) throw error;
        this.deps.logger.warn('the state tables have lost a checkpoint; reading the log again from theirs');
        await this.reload();
        throw error;
      }
    });
  }

  /** Begins anew from the checkpoint of the state tables. */
  private async reload(): Promise<void> {
    const checkpoint = await this.deps.log.checkpoint();
    const at = checkpoint.position < 0n ? undefined : await this.deps.log.at(checkpoint.position);
    if (checkpoint.position >= 0n && (at === undefined || !isSameBytes(at.hash, checkpoint.hash))) {
      throw new HistoryDiverged(
        `the state tables are at position ${String(checkpoint.position)}, which the log does not have: was it restored?`,
      );
    }
    this.deps.memory.reset({ ...checkpoint, recordedTime: at?.event.recordedTimeMicros ?? 0n });
    await this.catchUp();
  }

  private async catchUp(): Promise<void> {
    const { memory, log } = this.deps;
    for (;;) {
      const events = await this.untilAnswered(() => log.after(memory.end.position, PAGE));
      for (const recorded of events) {
        if (recorded.event.payload.case === undefined && !recorded.event.ignorable) {
          throw new Error(
            `the event at ${String(recorded.position)} is of a newer version; upgrade this program`,
          );
        }
        memory.absorb(recorded);
      }
      if (events.length < PAGE) return;
    }
  }

  /** Reads are repeated until the database answers: a caller who cannot wait leaves. */
  private async untilAnswered<T>(read: () => Promise<T>): Promise<T> {
    for (let tries = 0; ; tries += 1) {
      try {
        return await read();
      } catch (error) {
        if (this.isOverdue() || error instanceof HistoryDiverged || error instanceof UndecodableEvent)
          throw error;
        if (tries % TRIES_A_WARNING === 0) {
          this.deps.logger.warn({ err: error }, 'the database did not answer; trying again');
        }
        await pause(RETRY_ms);
      }
    }
  }

  private async checkClock(): Promise<void> {
    const before = this.deps.clock();
    const database = await this.deps.log.now();
    const after = this.deps.clock();
    const isOff = database < before - CLOCK_TOLERANCE || database > after + CLOCK_TOLERANCE;
    if (isOff !== this.clockIsOff) {
      this.deps.logger.error({ isOff }, "this process's clock against the database's: over a second apart?");
    }
    this.clockIsOff = isOff;
  }

  private halt(error: unknown): void {
    const cause = error instanceof Error ? error : new Error(String(error));
    this.halted = cause;
    this.deps.logger.fatal({ err: cause }, 'the executor stops deciding');
    for (const job of this.queue.take(Number.MAX_SAFE_INTEGER)) {
      failJob(job, fail(ErrorReason.NOT_SERVING, 'the command service has stopped deciding'));
    }
    this.deps.onHalt(cause);
  }
}

function settleReplay(
  job: SingleJob | AtomicJob,
  storedOf: (request: Request) => RecordedEvent[] | undefined,
): void {
  if (job.shape === 'single') {
    job.settle(replay(job.request, storedOf(job.request) ?? []));
    return;
  }
  const replayed = replayAtomic(job, storedOf);
  if (replayed instanceof CallError) job.fail(replayed);
  else job.settle(replayed);
}

/** Answers those whose deadline passed or whose caller has left, and takes them out: they are not decided. */
function dropDead(jobs: Set<Job>): void {
  const now_ms = Date.now();
  for (const job of jobs) {
    const { caller } = job;
    if (caller === undefined) continue;
    if (caller.aborted !== undefined) {
      failJob(job, caller.aborted);
    } else if (caller.deadline_ms !== undefined && caller.deadline_ms <= now_ms) {
      failJob(job, fail(ErrorReason.DEADLINE_EXCEEDED, 'the deadline passed before the command was decided'));
    } else {
      continue;
    }
    jobs.delete(job);
  }
}

function toNewEvent({ event, bytes, hash }: RecordedEvent) {
  return {
    bytes,
    hash,
    ledgerId: event.ledgerId,
    streamId: streamIdOf(event),
    requestId: event.requestId.length === 0 ? undefined : event.requestId,
    ordinal: event.ordinal,
    recordedTime: event.recordedTimeMicros,
  };
}

function full(message: string): CallError {
  return fail(ErrorReason.QUEUE_FULL, message);
}
