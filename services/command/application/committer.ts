/**
 * Appends the events of a flush to the log. The guard of the append makes it safe with any number of writers: either it
 * follows our last event, or nothing of it is written. An append whose outcome is unknown is sent again under the same guard:
 * what is absent may still commit while the log ends where it did, and only a second attempt excludes the first one.
 */
import { isSameBytes } from '../../../lib/base/bytes.js';
import type { Log } from '../../../lib/base/logging.js';
import { pause } from '../../../lib/base/pause.js';
import type { Clock } from '../../../lib/base/time.js';
import { type AppendOutcome, newEventOf } from '../../../lib/log/append.js';
import { epochStarted } from '../../../lib/log/epochs/epoch-started.js';
import type { RecordedEvent } from '../../../lib/log/recorded-event.js';
import type { Wakeups } from '../../../lib/log/wakeups.js';
import type { WriteFigures } from './figures.js';
import type { FlushTrace } from './flush-trace.js';
import type { Request } from './job.js';
import type { HeldLease } from './held-lease.js';
import type { LogFollower } from './log-follower.js';
import type { Memory } from './memory.js';
import { Outage } from '../../../lib/base/outage.js';
import type { Plan } from './plan.js';
import type { RequestIds } from './request-ids.js';
import type { WriteLog } from './write-log.js';

const RETRY_MS = 50;

/** The log may have moved past our last event: then nothing was appended, the memory has caught up, and all is decided anew. */
export type Commit = 'committed' | 'log_moved';

/** The database refused an append and rolled it back: nothing was changed. */
export class AppendRefused extends Error {
  override readonly name = 'AppendRefused';
  constructor(cause: unknown) {
    super('the database refused the append', { cause });
  }
}

/** Takes the events of a commit. It must not throw, and must not keep them. */
export type OnCommitted = (events: readonly Pick<RecordedEvent, 'position' | 'bytes' | 'hash'>[]) => void;

/** Of the epochs that this process begins: with each it also records where the log is written. */
export interface EpochWork {
  readonly isUnderWay: boolean;
  /** How often it has ended. */
  readonly done: number;
}

export interface CommitterDeps {
  readonly memory: Memory;
  readonly log: WriteLog;
  readonly follower: LogFollower;
  readonly wakeups: Wakeups;
  readonly logger: Log;
  readonly figures: Pick<WriteFigures, 'appends' | 'appendTimes'>;
  readonly clock: Clock;
  readonly shard: number;
  /** Absent where no other process may have the lease. */
  readonly lease: HeldLease | undefined;
  /** Called with the events of each commit, in order. */
  readonly onCommitted?: OnCommitted | undefined;
  /** Called before the event that begins a new epoch is given to `onCommitted`. */
  readonly onEpoch?: (() => void) | undefined;
  /** Whether a stop has waited long enough for a database that does not answer. */
  isOverdue(): boolean;
}

export class Committer {
  readonly #deps: CommitterDeps;
  readonly #outage: Outage;

  #epochWork: EpochWork = { isUnderWay: false, done: 0 };

  constructor(deps: CommitterDeps) {
    this.#deps = deps;
    this.#outage = new Outage(deps.logger, {
      failed: 'the outcome of an append is unknown; the executor asks the log until it is known',
      ended: 'the outcome of the append is known',
    });
  }

  /**
   * Appends the events of a plan, and takes them into memory. Request ids that turn out to be in the log are looked up.
   * All attempts are under the term in which the plan was decided, also if this process has taken the lease anew since.
   * @throws AppendRefused, and Error if a stop ends the wait for the outcome
   */
  async commit(
    plan: Plan,
    ids: RequestIds,
    term: bigint | undefined,
    trace: FlushTrace | undefined,
  ): Promise<Commit> {
    const append = () => this.#append(plan, term, trace);
    const result = await append();
    switch (result.outcome) {
      case 'appended':
        return this.#takeIn(plan);
      case 'refused':
        throw new AppendRefused(result.cause);
      case 'unknown':
        return this.#commitUnknown(plan, ids, append, result.cause);
      case 'behind':
      case 'duplicate_request':
      case 'foreign_history':
      case 'lease_lost':
        return this.#decideAnew(result.outcome, plan, ids);
    }
  }

  /** Sends the same append again until the log says whether it has the events. */
  async #commitUnknown(
    plan: Plan,
    ids: RequestIds,
    append: () => Promise<AppendOutcome>,
    firstCause: unknown,
  ): Promise<Commit> {
    let cause = firstCause;
    for (;;) {
      this.#outage.failed(cause);
      if (this.#deps.isOverdue()) {
        throw new Error('the outcome of an append is still unknown at the end', { cause });
      }
      await pause(RETRY_MS);
      const result = await append();
      switch (result.outcome) {
        case 'appended':
          this.#outage.succeeded();
          return this.#takeIn(plan);
        case 'refused':
        case 'unknown':
          // An earlier attempt may still commit, also when this one was refused.
          cause = result.cause;
          break;
        case 'behind':
        case 'duplicate_request':
        case 'foreign_history':
        case 'lease_lost': {
          // Now no attempt can commit any more: ours are in the log, others are in their place, or the term is over.
          const isCommitted = await this.#isInLog(plan.events[0]);
          this.#outage.succeeded();
          return isCommitted ? this.#takeIn(plan) : this.#decideAnew(result.outcome, plan, ids);
        }
      }
    }
  }

  async #append(plan: Plan, term: bigint | undefined, trace: FlushTrace | undefined): Promise<AppendOutcome> {
    const { figures, lease, log, memory } = this.#deps;
    const { position, hash } = memory.end;
    const began_ms = performance.now();
    const span = trace?.append(plan.events.length);
    const result = await log.append(position, hash, plan.events.map(newEventOf), term);
    figures.appendTimes.observe((performance.now() - began_ms) / 1000);
    figures.appends[result.outcome] += 1;
    if (result.outcome === 'lease_lost') lease?.lost(term);
    span?.end(result.outcome);
    return result;
  }

  #takeIn(plan: Plan): Commit {
    this.#deps.memory.commit(plan.events, plan.states);
    this.#deps.onCommitted?.(plan.events);
    this.#deps.wakeups.wake();
    return 'committed';
  }

  /** Nothing was appended, and it is known why. */
  async #decideAnew(
    outcome: 'behind' | 'duplicate_request' | 'foreign_history' | 'lease_lost',
    plan: Plan,
    ids: RequestIds,
  ): Promise<Commit> {
    if (outcome === 'duplicate_request')
      await ids.lookUp(plan.judged.flatMap(({ job }): readonly Request[] => job.requests));
    // Finds out too that the log was restored to an older end.
    await this.#deps.follower.catchUp();
    return 'log_moved';
  }

  /**
   * Tries once to begin the epoch that is owed: with it the log goes on where it ends now. If another process is faster, the memory
   * has its epoch afterwards.
   */
  async beginEpoch(): Promise<void> {
    const { done } = this.#epochWork;
    this.#epochWork = { isUnderWay: true, done };
    try {
      await this.#tryToBeginEpoch();
    } finally {
      this.#epochWork = { isUnderWay: false, done: done + 1 };
    }
  }

  /** What was read of the origin of the log while this changed is not to be believed: it may know of the new epoch but not yet its place. */
  get epochWork(): EpochWork {
    return this.#epochWork;
  }

  async #tryToBeginEpoch(): Promise<void> {
    const { memory, log, follower, clock, shard, lease, logger } = this.#deps;
    const term = lease?.term;
    const started = epochStarted(memory.end, follower.nextEpoch, shard, clock());
    const { position, hash } = memory.end;
    const result = await log.append(position, hash, [newEventOf(started)], term);
    if (result.outcome !== 'appended') {
      if (result.outcome === 'lease_lost') lease?.lost(term);
      if (result.outcome === 'refused' || result.outcome === 'unknown') {
        this.#outage.failed(result.cause);
        await pause(RETRY_MS);
      }
      const { epoch } = memory.end;
      await follower.catchUp();
      // Ours after all, where the outcome was unknown, or another process': in either case it has begun.
      if (memory.end.epoch > epoch) this.#deps.onEpoch?.();
      return;
    }
    this.#outage.succeeded();
    this.#deps.onEpoch?.();
    this.#takeIn({ events: [started], states: [], judged: [] });
    const { epoch } = started.event;
    logger.warn({ epoch, forkPosition: String(position) }, 'a new epoch of the log has begun');
    await this.#recordOrigin(epoch);
  }

  /** If the process ends before, another epoch begins at its next start: nothing is lost by that. */
  async #recordOrigin(epoch: number): Promise<void> {
    while (!this.#deps.isOverdue()) {
      try {
        await this.#deps.log.recordOrigin(epoch);
        this.#outage.succeeded();
        return;
      } catch (error) {
        this.#outage.failed(error);
        await pause(RETRY_MS);
      }
    }
  }

  /** Whether the log has this event at its position. */
  async #isInLog(event: RecordedEvent | undefined): Promise<boolean> {
    if (event === undefined) return true;
    const found = await this.#deps.follower.at(event.position);
    return found !== undefined && isSameBytes(found.hash, event.hash);
  }
}
