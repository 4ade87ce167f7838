/** A view in memory, with generations, that can be made to fail. */
import type { DeadLetter } from '../lib/views/parked/dead-letter.js';
import { NOTHING_PARKED, type Parked, parkedAt } from '../lib/views/parked/parked.js';
import {
  type Checkpoint,
  type DeadLetters,
  emptyCheckpoint,
  type RowPage,
  type View,
  type ViewGenerations,
  type ViewRow,
  UnknownEventError,
  type Unparking,
  type ViewBatch,
  type ViewId,
  ViewMissingError,
} from '../lib/views/view.js';
import { GenerationGoneError, MissedEventsError, ParkedChangedError } from '../lib/views/view-errors.js';

/** What is wrong with the store at the moment. */
export interface Faults {
  /** Thrown by everything. */
  away?: Error | undefined;
  /** Thrown by `apply` of a batch that holds this position. */
  unapplicable?: { readonly position: bigint; readonly error: Error } | undefined;
  /** `apply` says that it does not know the event at this position. */
  unknown?: bigint | undefined;
  /** Called after the data was written and before the checkpoint. */
  midway?: (() => void) | undefined;
  /** What `apply` waits for. */
  gate?: Promise<void> | undefined;
}

/** Counts how often each position was applied, and keeps one row for each. */
export class FakeView<I extends ViewId = ViewId> implements View {
  readonly store = 'memory';
  readonly counts = new Map<bigint, number>();
  readonly checkpoints = new Map<number, Checkpoint>();
  readonly rewritten = new Map<string, ViewRow>();
  readonly letters = new Map<bigint, DeadLetter>();
  batches = 0;
  polls = 0;
  gone = false;

  constructor(
    readonly generation: number,
    readonly faults: Faults,
    readonly id: I,
  ) {}

  async apply(batch: ViewBatch): Promise<void> {
    await this.faults.gate;
    this.#present();
    const { unknown, unapplicable } = this.faults;
    const before = this.#checkpoint(batch.partition);
    if (batch.after !== undefined && batch.after > before.position) {
      throw new MissedEventsError(batch.partition, before.position, batch.after);
    }
    const { parking } = batch;
    this.#requireParked(batch.partition, parking?.from ?? NOTHING_PARKED);
    const fresh = batch.events.filter(({ position }) => position > before.position);
    if (unknown !== undefined && fresh.some(({ position }) => position === unknown)) {
      throw new UnknownEventError(unknown);
    }
    if (unapplicable !== undefined && fresh.some(({ position }) => position === unapplicable.position)) {
      throw unapplicable.error;
    }
    this.faults.midway?.();
    this.batches++;
    for (const { position } of fresh) this.counts.set(position, (this.counts.get(position) ?? 0) + 1);
    const { partition, offset, watermark } = batch;
    for (const letter of parking?.letters ?? []) this.letters.set(letter.position, letter);
    if (watermark.position >= before.position) {
      const at = { ...watermark, partition, offset };
      this.checkpoints.set(partition, parking === undefined ? at : { ...at, parked: parking.to });
    }
  }

  async deadLetters(partition: number): Promise<DeadLetters> {
    await Promise.resolve();
    this.#present();
    const letters = [...this.letters.values()].filter((letter) => letter.partition === partition);
    letters.sort((one, other) => Number(one.position - other.position));
    return { parked: parkedAt(this.#checkpoint(partition)), letters };
  }

  async unpark({ partition, events, from, to, letters }: Unparking): Promise<void> {
    await Promise.resolve();
    this.#present();
    this.#requireParked(partition, from);
    const { unapplicable } = this.faults;
    if (unapplicable !== undefined && events.some(({ position }) => position === unapplicable.position))
      throw unapplicable.error;
    for (const { position } of events) {
      this.counts.set(position, (this.counts.get(position) ?? 0) + 1);
      this.letters.delete(position);
    }
    for (const letter of letters) this.letters.set(letter.position, letter);
    this.checkpoints.set(partition, { ...this.#checkpoint(partition), parked: to });
  }

  #requireParked(partition: number, from: Parked): void {
    const { version } = parkedAt(this.#checkpoint(partition));
    if (version !== from.version) throw new ParkedChangedError(partition, version);
  }

  async checkpoint(partition: number): Promise<Checkpoint> {
    this.polls++;
    await Promise.resolve();
    this.#present();
    return this.#checkpoint(partition);
  }

  async rows({ afterKey, limit }: RowPage): Promise<readonly ViewRow[]> {
    await Promise.resolve();
    this.#present();
    const keyOf = (position: bigint) => `event:${String(position).padStart(8, '0')}`;
    return [...this.counts.keys()]
      .sort((one, other) => Number(one - other))
      .filter((position) => afterKey === null || keyOf(position) > afterKey)
      .slice(0, limit)
      .map((position) => {
        const key = keyOf(position);
        return this.rewritten.get(key) ?? { key, position, content: 'seen' };
      });
  }

  #checkpoint(partition: number): Checkpoint {
    return this.checkpoints.get(partition) ?? emptyCheckpoint(partition);
  }

  #present(): void {
    if (this.gone) throw new GenerationGoneError(this.id, this.generation, undefined);
    if (this.faults.away !== undefined) throw this.faults.away;
  }
}

export class FakeGenerations<I extends ViewId = ViewId> implements ViewGenerations<FakeView<I>> {
  readonly faults: Faults = {};
  readonly all = new Map<number, FakeView<I>>();
  serving: number | undefined;
  pointerReads = 0;
  #last = 0;

  constructor(readonly id: I) {}

  async migrate(): Promise<void> {
    if (this.serving === undefined) this.serving = (await this.create()).generation;
  }

  async current(): Promise<FakeView<I>> {
    this.pointerReads++;
    await Promise.resolve();
    if (this.faults.away !== undefined) throw this.faults.away;
    const found = this.serving === undefined ? undefined : this.all.get(this.serving);
    if (found === undefined) throw new ViewMissingError(this.id);
    return found;
  }

  async create(): Promise<FakeView<I>> {
    await Promise.resolve();
    if (this.faults.away !== undefined) throw this.faults.away;
    const view = new FakeView(++this.#last, this.faults, this.id);
    this.all.set(view.generation, view);
    return view;
  }

  async switchTo(generation: number): Promise<void> {
    await Promise.resolve();
    this.serving = generation;
  }

  async drop(generation: number): Promise<void> {
    await Promise.resolve();
    if (generation === this.serving) throw new Error('it serves');
    const found = this.all.get(generation);
    if (found !== undefined) found.gone = true;
    this.all.delete(generation);
  }

  /** As if the store had been emptied. */
  lose(): void {
    for (const view of this.all.values()) view.gone = true;
    this.all.clear();
    this.serving = undefined;
  }

  list(): Promise<readonly number[]> {
    return Promise.resolve([...this.all.keys()]);
  }
}
