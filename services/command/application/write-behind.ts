/** Keeps the state tables behind the log: every 20,000 events or every second, whichever comes first. */
import { stateChangesOf } from '../../../lib/log/state/state-changes.js';
import type { StateBatch } from '../../../lib/log/state/state-changes.js';
import type { StateCheckpoint } from '../../../lib/log/state/rows.js';
import type { Log } from '../../../lib/base/logging.js';
import { pause } from '../../../lib/base/pause.js';
import type { Memory } from './memory.js';
import { Outage } from './outage.js';
import { smallerOf } from '../../../lib/base/bigints.js';

/** The state tables as the write-behind needs them. */
export interface StateWriter {
  write(
    changesAfter: (checkpoint: StateCheckpoint) => StateBatch | undefined,
  ): Promise<{ readonly position: bigint; readonly lsn: string }>;
  isDurable(lsn: string): Promise<boolean>;
}

const INTERVAL_MS = 1_000;
const EARLY_EVENTS = 20_000;
/** Events per transaction at most: it must not hold a snapshot for long. */
const EVENTS_PER_WRITE = 20_000;
const LOOK_MS = 50;

export class WriteBehind {
  readonly #memory: Memory;
  readonly #state: StateWriter;
  readonly #outage: Outage;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  /** Written, but not yet known to be on disk. */
  #pending: { readonly position: bigint; readonly lsn: string } | undefined;
  #written: bigint;

  constructor(memory: Memory, state: StateWriter, logger: Log) {
    this.#memory = memory;
    this.#state = state;
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
    let lastWrite_ms = 0;
    for (;;) {
      // The last write begins after the stop: it has all that was committed.
      const isLast = signal.aborted;
      const isDue =
        isLast ||
        performance.now() - lastWrite_ms >= INTERVAL_MS ||
        this.#memory.end.position - this.#written >= BigInt(EARLY_EVENTS);
      if (isDue) {
        lastWrite_ms = performance.now();
        try {
          await this.writeOnce();
          this.#outage.succeeded();
        } catch (error) {
          this.#outage.failed(error);
        }
      }
      if (isLast) return;
      await pause(LOOK_MS, signal);
    }
  }

  /** Writes one batch, and lets the tail go up to what is known to be on disk. */
  async writeOnce(): Promise<void> {
    if (this.#pending !== undefined && (await this.#state.isDurable(this.#pending.lsn))) {
      this.#memory.dropThrough(smallerOf(this.#pending.position, this.#memory.end.position));
      this.#pending = undefined;
    }
    if (this.#memory.end.position <= this.#written && this.#memory.tailSize === 0) return;
    const result = await this.#state.write((checkpoint) => this.#changesAfter(checkpoint));
    this.#written = result.position;
    // An older one that is still pending will be durable no later than this one.
    this.#pending = result;
  }

  #changesAfter({ position }: StateCheckpoint): StateBatch | undefined {
    // Below the tail: the database lost a checkpoint. The executor notices at its next fill and reads the log again.
    if (position < this.#memory.tailFrom) return undefined;
    const events = this.#memory.tailAfter(position).slice(0, EVENTS_PER_WRITE);
    const last = events.at(-1);
    if (last === undefined) return undefined;
    const next = this.#memory.tailAfter(last.position)[0];
    return {
      changes: stateChangesOf(events.map(({ event }) => event)),
      through: {
        epoch: last.event.epoch,
        position: last.position,
        hash: next === undefined ? this.#memory.end.hash : next.event.previousHash,
      },
    };
  }
}
