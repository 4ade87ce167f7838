/**
 * Keeps the state tables behind the log: every 20,000 events or every 10 seconds, whichever comes first. Large writes are
 * cheap, since an account is written once for all that happened to it: 25 microseconds of PostgreSQL per payment by 200 events,
 * 16 by 2,500, 5 by 20,000.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { smallerOf } from '../../../lib/base/bigints.js';
import { eventOf } from '../../../lib/log/codec.js';
import type { Log } from '../../../lib/base/logging.js';
import { pause } from '../../../lib/base/pause.js';
import type { StateCheckpoint } from '../../../lib/log/state/rows.js';
import { type StateBatch, StateFold } from '../../../lib/log/state/state-changes.js';
import type { Memory } from './memory.js';
import { Outage } from '../../../lib/base/outage.js';

/** The state tables as the write-behind needs them. */
export interface StateWriter {
  write(
    changesAfter: (checkpoint: StateCheckpoint) => Promise<StateBatch | undefined>,
  ): Promise<{ readonly position: bigint; readonly lsn: string }>;
  isDurable(lsn: string): Promise<boolean>;
}

export interface WriteBehindOptions {
  /** A write begins at the latest so long after the one before. */
  readonly interval_ms: number;
  /** It begins earlier when so many events wait; a write takes at most so many: it must not hold a snapshot for long. */
  readonly eventsPerWrite: number;
}

const LOOK_MS = 50;
/** How often PostgreSQL is asked whether the last write is on disk; it takes up to 0.6 s by its own clock. */
const DURABLE_LOOK_MS = 250;
/** Events folded without a pause: commands wait meanwhile. */
const EVENTS_PER_TURN = 250;
/** Events that memory lets go of without a pause; 20,000 at once took up to 50 ms (measured). */
const EVENTS_PER_DROP = 1_000n;

export class WriteBehind {
  readonly #memory: Memory;
  readonly #state: StateWriter;
  readonly #options: WriteBehindOptions;
  readonly #outage: Outage;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  /** Written, but not yet known to be on disk. */
  #pending: { readonly position: bigint; readonly lsn: string; readonly epoch: number } | undefined;
  #written: bigint;

  constructor(memory: Memory, state: StateWriter, logger: Log, options: WriteBehindOptions) {
    this.#memory = memory;
    this.#state = state;
    this.#options = options;
    this.#outage = new Outage(logger, {
      failed: 'the state tables cannot be written; the write-behind tries again',
      ended: 'the state tables are written again',
    });
    this.#written = memory.tailFrom;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Writes what is there, then ends. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    let lastWrite_ms = performance.now();
    let lastLook_ms = lastWrite_ms;
    while (!signal.aborted) {
      const now_ms = performance.now();
      try {
        if (now_ms - lastLook_ms >= DURABLE_LOOK_MS) {
          lastLook_ms = now_ms;
          await this.#letTailGo();
        }
        if (this.#isDue(now_ms - lastWrite_ms)) {
          lastWrite_ms = now_ms;
          await this.writeOnce();
        }
        this.#outage.succeeded();
      } catch (error) {
        this.#outage.failed(error);
      }
      await pause(LOOK_MS, signal);
    }
    await this.#writeRest();
  }

  /** Begins after the stop: it has all that was committed. Gives up when a write brings the tables no further. */
  async #writeRest(): Promise<void> {
    try {
      for (let before: bigint | undefined; this.#written !== before;) {
        if (this.#memory.end.position <= this.#written) return;
        before = this.#written;
        await this.writeOnce();
      }
    } catch (error) {
      this.#outage.failed(error);
    }
  }

  #isDue(sinceLastWrite_ms: number): boolean {
    const { interval_ms, eventsPerWrite } = this.#options;
    return (
      sinceLastWrite_ms >= interval_ms || this.#memory.end.position - this.#written >= BigInt(eventsPerWrite)
    );
  }

  /** Writes one batch. */
  async writeOnce(): Promise<void> {
    // A restored log ends before what was written.
    if (this.#memory.end.position < this.#written) this.#written = this.#memory.tailFrom;
    if (this.#memory.end.position <= this.#written && this.#memory.tailSize === 0) return;
    const { epoch } = this.#memory.end;
    const { position, lsn } = await this.#state.write((checkpoint) => this.#changesAfter(checkpoint));
    this.#written = position;
    // An older one that is still pending will be durable no later than this one.
    this.#pending = { position, lsn, epoch };
  }

  /** Lets the tail go up to what is known to be on disk. */
  async #letTailGo(): Promise<void> {
    const pending = this.#pending;
    if (pending === undefined || !(await this.#state.isDurable(pending.lsn))) return;
    const memory = this.#memory;
    // What was written in an earlier epoch may have been lost with it: the next write says what is on disk.
    while (pending.epoch === memory.end.epoch) {
      const through = smallerOf(pending.position, memory.end.position);
      if (memory.tailFrom >= through) break;
      memory.dropThrough(smallerOf(memory.tailFrom + EVENTS_PER_DROP, through));
      await nextTurn();
    }
    if (this.#pending === pending) this.#pending = undefined;
  }

  async #changesAfter({ position }: StateCheckpoint): Promise<StateBatch | undefined> {
    // Below the tail: the database lost a checkpoint. The executor notices at its next fill and reads the log again.
    if (position < this.#memory.tailFrom) return undefined;
    const events = this.#memory.tailAfter(position).slice(0, this.#options.eventsPerWrite);
    const last = events.at(-1);
    if (last === undefined) return undefined;
    const { epoch, hash } = last;
    const through = { epoch, position: last.position, hash };
    const fold = new StateFold();
    for (const [index, { bytes }] of events.entries()) {
      if (index % EVENTS_PER_TURN === EVENTS_PER_TURN - 1) await nextTurn();
      fold.add(eventOf(bytes));
    }
    return { changes: fold.changes(), through };
  }
}
