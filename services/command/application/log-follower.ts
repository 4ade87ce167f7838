/** Keeps the memory of the write side at the end of the log. Its reads are repeated until the database answers. */
import { smallerOf } from '../../../lib/base/bigints.js';
import { isSameBytes } from '../../../lib/base/bytes.js';
import type { Log } from '../../../lib/base/logging.js';
import { pause } from '../../../lib/base/pause.js';
import type { Clock } from '../../../lib/base/time.js';
import { UndecodableEvent } from '../../../lib/log/codec.js';
import type { RecordedEvent } from '../../../lib/log/recorded-event.js';
import type { Command } from '../domain/command.js';
import type { Job } from './job.js';
import { CheckpointLost, load, type Lookups, type StateReader } from './loader.js';
import type { Memory } from './memory.js';
import { Outage } from './outage.js';
import type { WriteLog } from './write-log.js';

const RETRY_MS = 50;
const PAGE_EVENTS = 1_000;

/** The history in memory or in the state tables is not that of the log. */
export class HistoryDiverged extends Error {
  override readonly name = 'HistoryDiverged';
}

export interface FollowerDeps {
  readonly memory: Memory;
  readonly log: WriteLog;
  readonly state: StateReader;
  readonly clock: Clock;
  readonly logger: Log;
  readonly lookups: Lookups;
  /** Whether a stop has waited long enough for a database that does not answer. */
  isOverdue(): boolean;
}

export class LogFollower {
  readonly #deps: FollowerDeps;
  readonly #outage: Outage;
  /** Jobs whose commands the memory has everything for, as long as it forgets nothing. */
  #loaded = new WeakSet<Job>();
  #loadedUntil = 0;
  /** The position of the state tables when the tail was last let go. */
  #checkpoint = -1n;

  constructor(deps: FollowerDeps) {
    this.#deps = deps;
    this.#outage = new Outage(deps.logger, {
      failed: 'the database does not answer; the executor tries again',
      ended: 'the database answers the executor again',
    });
  }

  /** Begins anew from the checkpoint of the state tables. @throws HistoryDiverged */
  async reload(): Promise<void> {
    const { log, memory } = this.#deps;
    const checkpoint = await log.checkpoint();
    const at = checkpoint.position < 0n ? undefined : await log.at(checkpoint.position);
    if (checkpoint.position >= 0n && (at === undefined || !isSameBytes(at.hash, checkpoint.hash))) {
      throw new HistoryDiverged(
        `the state tables are at position ${String(checkpoint.position)}, which the log does not have: was it restored?`,
      );
    }
    memory.reset({
      epoch: checkpoint.epoch,
      position: checkpoint.position,
      hash: checkpoint.hash,
      recordedTime: at?.event.recordedTimeMicros ?? 0n,
    });
    await this.catchUp();
  }

  /** Takes in what the log has after the end of the memory. @throws Error for an event of a newer version */
  async catchUp(): Promise<void> {
    const { memory, log } = this.#deps;
    for (;;) {
      const events = await this.#untilAnswered(() => log.after(memory.end.position, PAGE_EVENTS));
      for (const recorded of events) {
        if (recorded.event.payload.case === undefined && !recorded.event.ignorable) {
          throw new Error(
            `the event at ${String(recorded.position)} is of a newer version; upgrade this program`,
          );
        }
        memory.absorb(recorded);
      }
      if (events.length < PAGE_EVENTS) return;
    }
  }

  /**
   * Lets the tail go up to where another process has written the state tables. What was there at the look before is on disk by
   * now; if a crash of the database loses it all the same, the next load finds out.
   */
  async letTailGo(): Promise<void> {
    const { memory, log } = this.#deps;
    const before = this.#checkpoint;
    const { position } = await this.#untilAnswered(() => log.checkpoint());
    this.#checkpoint = position;
    memory.dropThrough(smallerOf(before, smallerOf(position, memory.end.position)));
  }

  /** Whether the log ends where the memory does, read after the call. If not, the memory is at its end afterwards. */
  async isAtEnd(): Promise<boolean> {
    const head = await this.#untilAnswered(() => this.#deps.log.head());
    if (head.position === this.#deps.memory.end.position) return true;
    await this.catchUp();
    return false;
  }

  /** Loads what the commands of jobs read and the memory does not know. */
  async load(jobs: readonly Job[]): Promise<void> {
    const { memory, state, clock, logger, lookups } = this.#deps;
    const commands = this.#commandsToLoad(jobs);
    if (commands.length === 0) return;
    await this.#untilAnswered(async () => {
      try {
        await load({ memory, reader: state, lookups }, commands, clock());
      } catch (error) {
        if (!(error instanceof CheckpointLost)) throw error;
        logger.warn('the state tables have lost a checkpoint; the executor reads the log again from theirs');
        await this.reload();
        throw error;
      }
    });
  }

  /** Loads ahead of time. What could not be loaded is asked for again by `load`. */
  async prefetch(jobs: readonly Job[]): Promise<void> {
    const { memory, state, clock, lookups } = this.#deps;
    const commands = this.#commandsToLoad(jobs);
    if (commands.length === 0) return;
    const { forgotten } = memory;
    try {
      await load({ memory, reader: state, lookups }, commands, clock());
      if (memory.forgotten === forgotten) for (const job of jobs) this.#loaded.add(job);
    } catch {
      // Then `load` asks again, and waits for the database.
    }
  }

  /** A job that met something that was not loaded is looked up anew. */
  unload(job: Job): void {
    this.#loaded.delete(job);
  }

  /** The commands that no earlier look-up found everything for that they read. A hold that is due asks for more. */
  #commandsToLoad(jobs: readonly Job[]): readonly Command[] {
    const { memory, clock } = this.#deps;
    if (memory.forgotten !== this.#loadedUntil) {
      this.#loadedUntil = memory.forgotten;
      this.#loaded = new WeakSet();
    }
    const open = memory.holds.hasDue(clock()) ? jobs : jobs.filter((job) => !this.#loaded.has(job));
    return open.flatMap(({ requests }) => requests.map(({ command }) => command));
  }

  /** The event at a position. */
  at(position: bigint): Promise<RecordedEvent | undefined> {
    return this.#untilAnswered(() => this.#deps.log.at(position));
  }

  /** The events of commands by request id. */
  requests(...keys: Parameters<WriteLog['requests']>): ReturnType<WriteLog['requests']> {
    return this.#untilAnswered(() => this.#deps.log.requests(...keys));
  }

  /** A caller that cannot wait for the database leaves on its own. */
  async #untilAnswered<T>(read: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        const answer = await read();
        this.#outage.succeeded();
        return answer;
      } catch (error) {
        const isFinal = error instanceof HistoryDiverged || error instanceof UndecodableEvent;
        if (isFinal || this.#deps.isOverdue()) throw error;
        // A lost checkpoint was mended by reading the log again: the database has answered.
        if (!(error instanceof CheckpointLost)) this.#outage.failed(error);
        await pause(RETRY_MS);
      }
    }
  }
}
