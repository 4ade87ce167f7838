/** Keeps the memory of the write side at the end of the log. Its reads are repeated until the database answers. */
import { smallerOf } from '../../../lib/base/bigints.js';
import { isSameBytes } from '../../../lib/base/bytes.js';
import type { Log } from '../../../lib/base/logging.js';
import { pause } from '../../../lib/base/pause.js';
import type { Clock } from '../../../lib/base/time.js';
import { UndecodableEvent } from '../../../lib/log/codec.js';
import type { LogPoint, RecordedEvent } from '../../../lib/log/recorded-event.js';
import type { Command } from '../domain/command.js';
import type { Job } from './job.js';
import { CheckpointLost, load, type Lookups, type StateReader } from './loader.js';
import type { Memory } from './memory.js';
import { Outage } from '../../../lib/base/outage.js';
import type { WriteLog } from './write-log.js';

const RETRY_MS = 50;
const PAGE_EVENTS = 1_000;

/** The database has another log than the one that was read at the start: nothing here is of it. */
export class OtherLog extends Error {
  override readonly name = 'OtherLog';
  constructor() {
    super('the database has another log than at the start of this process; start it again if that is meant');
  }
}

/** An event that only a later version of this program knows. */
export class NewerEvent extends Error {
  override readonly name = 'NewerEvent';
  constructor(position: bigint) {
    super(`the event at ${String(position)} is of a newer version; upgrade this program`);
  }
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
  /** The latest epoch of which something is known that the log does not have; -1: none. */
  #lostEpoch = -1;
  /** How often the memory was found not to be of the log. */
  #forks = 0;
  /** The hash of the first event of the log. */
  #genesis: Uint8Array | undefined;

  constructor(deps: FollowerDeps) {
    this.#deps = deps;
    this.#outage = new Outage(deps.logger, {
      failed: 'the database does not answer; the executor tries again',
      ended: 'the database answers the executor again',
    });
  }

  /** Whether the log has lost something since its last epoch began: before anything is appended, a new one must begin. */
  get owesEpoch(): boolean {
    return this.#lostEpoch >= this.#deps.memory.end.epoch;
  }

  /** The epoch to begin. A lost one may have had a greater number than the log has now: none is given twice. */
  get nextEpoch(): number {
    return Math.max(this.#lostEpoch, this.#deps.memory.end.epoch) + 1;
  }

  /** How often the memory was found not to be of the log: what was looked up before may be lost. */
  get forks(): number {
    return this.#forks;
  }

  /** Something of this epoch is known that the log does not have, or may not have. */
  noteLost(epoch: number): void {
    this.#lostEpoch = Math.max(this.#lostEpoch, epoch);
  }

  /**
   * Begins anew from the checkpoint of the state tables. Where the log does not have what the memory or the tables held, it was
   * restored to an older end, and a new epoch is owed. @throws OtherLog
   */
  async reload(): Promise<void> {
    const { memory } = this.#deps;
    const { end } = memory;
    await this.#requireSameLog();
    const isKept = await this.#hasPoint(end);
    memory.reset(await this.#statePoint());
    if (!isKept) this.#forked(end);
    await this.catchUp();
  }

  /**
   * Takes in what the log has after the end of the memory; begins anew if the log does not have that end.
   * @throws OtherLog, NewerEvent
   */
  async catchUp(): Promise<void> {
    const { memory, log } = this.#deps;
    for (;;) {
      const { position, hash } = memory.end;
      const hasEnd = position >= 0n;
      // The last event of the memory is read again: the log may have other events there, or end before it.
      const read = await this.#untilAnswered(() =>
        log.after(hasEnd ? position - 1n : -1n, hasEnd ? PAGE_EVENTS + 1 : PAGE_EVENTS),
      );
      const [first] = read;
      if (hasEnd && (first === undefined || !isSameBytes(first.hash, hash))) {
        await this.#untilAnswered(() => this.reload());
        return;
      }
      const events = hasEnd ? read.slice(1) : read;
      for (const recorded of events) {
        if (recorded.event.payload.case === undefined && !recorded.event.ignorable) {
          throw new NewerEvent(recorded.position);
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
    const { memory, log } = this.#deps;
    const head = await this.#untilAnswered(() => log.head());
    const { position, hash } = memory.end;
    if (head.position === position && isSameBytes(head.hash, hash)) return true;
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

  /** The database may have been replaced by one with another log, such as a new one. @throws OtherLog */
  async #requireSameLog(): Promise<void> {
    const first = await this.#deps.log.at(0n);
    if (first === undefined) {
      if (this.#genesis === undefined) return;
      throw new Error('the log has no first event: a restore may be under way');
    }
    this.#genesis ??= first.hash;
    if (!isSameBytes(first.hash, this.#genesis)) throw new OtherLog();
  }

  async #hasPoint({ position, hash }: Pick<LogPoint, 'position' | 'hash'>): Promise<boolean> {
    if (position < 0n) return true;
    const found = await this.#deps.log.at(position);
    return found !== undefined && isSameBytes(found.hash, hash);
  }

  /** The point that the state tables hold. They are written again if the log does not have it. */
  async #statePoint(): Promise<LogPoint> {
    const { log, logger } = this.#deps;
    for (;;) {
      const checkpoint = await log.checkpoint();
      const { epoch, position, hash } = checkpoint;
      if (position < 0n) return { epoch: 0, position, hash, recordedTime: 0n };
      const at = await log.at(position);
      if (at !== undefined && isSameBytes(at.hash, hash)) {
        return { epoch, position, hash, recordedTime: at.event.recordedTimeMicros };
      }
      const fields = { epoch, position: String(position) };
      logger.warn(
        fields,
        'the state tables hold what the log does not have: they are written again from the log',
      );
      this.noteLost(epoch);
      await log.refoldState(checkpoint);
    }
  }

  /** The log does not have the end of the memory. */
  #forked({ epoch, position }: LogPoint): void {
    this.#forks += 1;
    this.noteLost(epoch);
    this.#deps.logger.warn(
      { epoch, position: String(position) },
      'the log does not have the last event of the memory: it was restored to an older end, and all is read again',
    );
  }

  /** A caller that cannot wait for the database leaves on its own. */
  async #untilAnswered<T>(read: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        const answer = await read();
        this.#outage.succeeded();
        return answer;
      } catch (error) {
        if (isFinal(error) || this.#deps.isOverdue()) throw error;
        // A lost checkpoint was mended by reading the log again: the database has answered.
        if (!(error instanceof CheckpointLost)) this.#outage.failed(error);
        await pause(RETRY_MS);
      }
    }
  }
}

/** Whether no further try helps. */
function isFinal(error: unknown): boolean {
  return error instanceof OtherLog || error instanceof NewerEvent || error instanceof UndecodableEvent;
}
