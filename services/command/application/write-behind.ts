/** Keeps the state tables behind the log: every 20,000 events or every second, whichever comes first. */
import { stateChangesOf } from '../../../lib/log/state/state-changes.js';
import type { StateBatch } from '../../../lib/log/state/state-changes.js';
import type { StateCheckpoint } from '../../../lib/log/state/rows.js';
import type { Log } from '../../../lib/base/logging.js';
import type { Memory } from './memory.js';
import { smallerOf } from '../../../lib/base/bigints.js';

/** The state tables as the write-behind needs them. */
export interface StateWriter {
  write(
    changesAfter: (checkpoint: StateCheckpoint) => StateBatch | undefined,
  ): Promise<{ readonly position: bigint; readonly lsn: string }>;
  isDurable(lsn: string): Promise<boolean>;
}

const INTERVAL_ms = 1_000;
const EVENTS_EARLY = 20_000;
/** Events in one transaction at most: it must not hold a snapshot for long. */
const EVENTS_A_WRITE = 20_000;
const LOOK_ms = 50;

export class WriteBehind {
  private stopping = false;
  private running: Promise<void> | undefined;
  /** Written, but not yet known to be on disk. */
  private pending: { readonly position: bigint; readonly lsn: string } | undefined;
  private written: bigint;

  constructor(
    private readonly memory: Memory,
    private readonly state: StateWriter,
    private readonly logger: Log,
  ) {
    this.written = memory.tailFrom;
  }

  start(): void {
    this.running = this.run();
  }

  /** Writes what is there, then ends. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
  }

  private async run(): Promise<void> {
    let lastWrite_ms = 0;
    for (;;) {
      const isDue =
        this.stopping ||
        performance.now() - lastWrite_ms >= INTERVAL_ms ||
        this.memory.end.position - this.written >= BigInt(EVENTS_EARLY);
      if (isDue) {
        lastWrite_ms = performance.now();
        try {
          await this.writeOnce();
        } catch (error) {
          this.logger.warn({ err: error }, 'the state tables could not be written; trying again');
        }
      }
      if (this.stopping) return;
      await new Promise((resolve) => setTimeout(resolve, LOOK_ms));
    }
  }

  /** Writes one batch, and lets the tail go up to what is known to be on disk. */
  async writeOnce(): Promise<void> {
    if (this.pending !== undefined && (await this.state.isDurable(this.pending.lsn))) {
      this.memory.dropThrough(smallerOf(this.pending.position, this.memory.end.position));
      this.pending = undefined;
    }
    if (this.memory.end.position <= this.written && this.memory.tailSize === 0) return;
    const result = await this.state.write((checkpoint) => this.changesAfter(checkpoint));
    this.written = result.position;
    // An older one that is still pending will be durable no later than this one.
    this.pending = result;
  }

  private changesAfter({ position }: StateCheckpoint): StateBatch | undefined {
    // Below the tail: the database lost a checkpoint. The executor notices at its next fill and reads the log again.
    if (position < this.memory.tailFrom) return undefined;
    const events = this.memory.tailAfter(position).slice(0, EVENTS_A_WRITE);
    const last = events.at(-1);
    if (last === undefined) return undefined;
    const next = this.memory.tailAfter(last.position)[0];
    return {
      changes: stateChangesOf(events.map(({ event }) => event)),
      through: {
        epoch: last.event.epoch,
        position: last.position,
        hash: next === undefined ? this.memory.end.hash : next.event.previousHash,
      },
    };
  }
}
