/** Leaves out of the bus what the log has lost: a bus keeps it, and gives it to views that are new or behind. */
import type { BusBatch } from '../../lib/log/bus.js';
import { type EpochStart, epochStarts, isLost } from '../../lib/log/epochs/forks.js';
import type { LogReader } from '../../lib/log/reader.js';
import { pointOf } from '../../lib/log/recorded-event.js';

export class Forks {
  readonly #log: LogReader;
  #starts: readonly EpochStart[] = [];
  /** The epoch of the log when its forks were read. */
  #epoch = 0;

  constructor(log: LogReader) {
    this.#log = log;
  }

  /** Reads where epochs begin, if one has begun since. */
  async read(): Promise<void> {
    const { epoch } = await this.#log.head();
    if (epoch === this.#epoch) return;
    this.#starts = await epochStarts(this.#log);
    this.#epoch = epoch;
  }

  /** The part of a batch that is in the log; undefined if nothing of it is. */
  async surviving(batch: BusBatch): Promise<BusBatch | undefined> {
    const { events, watermark } = batch;
    if (watermark.epoch > this.#epoch) await this.read();
    const starts = this.#starts;
    // The watermark is at or beyond every event.
    if (!isLost(starts, watermark)) return batch;
    const kept = events.filter(({ event, position }) => !isLost(starts, { epoch: event.epoch, position }));
    const last = kept.at(-1);
    return last === undefined ? undefined : { ...batch, events: kept, watermark: pointOf(last) };
  }
}
