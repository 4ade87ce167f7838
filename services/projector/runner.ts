/** A projection: keeps one view up with the bus, and says how it is doing. */
import type { LogReader } from '../../lib/log/reader.js';
import type { BusBatch, EventBus } from '../../lib/log/bus.js';
import type { LogPoint } from '../../lib/log/recorded-event.js';
import {
  type Checkpoint,
  UnknownEventError,
  type View,
  type ViewGenerations,
  type ViewId,
  ViewMissingError,
} from '../../lib/views/view.js';
import { GenerationGoneError, MissedEventsError } from '../../lib/views/view-errors.js';
import { applyBatch } from './apply-batch.js';
import {
  busFailure,
  eventFailure,
  historyLost,
  ProjectionFailure,
  storeFailure,
  viewMissing,
} from './failure.js';
import { fillTo } from './fill.js';
import { Gate } from './gate.js';
import { pause, TIMER_MAX_MS } from '../../lib/base/pause.js';
import { isSameBytes } from '../../lib/base/bytes.js';

/** Where the projector writes its log lines; pino has this shape. */
export interface ProjectorLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What a projection is doing, as in ops.v1.ProjectionState. */
export type RunState = 'running' | 'paused' | 'failed';

/** What a projection needs. */
export interface ProjectionDeps {
  readonly id: ViewId;
  readonly generations: ViewGenerations<View>;
  readonly bus: EventBus;
  readonly log: LogReader;
  readonly logger: ProjectorLog;
  /** Told of each change of state. */
  readonly onState?: (state: RunState) => void;
  /** Told of each batch applied. */
  readonly onApplied?: (events: number) => void;
  /** How long to wait after the n-th failure in a row, in milliseconds. */
  readonly backoff_ms?: (failures: number) => number;
  /** Pauses between the tries of one batch, in milliseconds. */
  readonly pauses_ms?: readonly number[];
  /**
   * Makes the view where its store holds none: new, or it was lost. Undefined: another process is about it.
   * By default its first generation, which the bus then fills.
   */
  readonly make?: () => Promise<View | undefined>;
}

/** How far behind a projection is, exactly. */
export interface Lag {
  /** The partition that is farthest behind; the last that is known while the store is away. */
  readonly checkpoint: Checkpoint;
  readonly head: LogPoint;
  /** head.position - checkpoint.position. */
  readonly events: bigint;
  /** How long the oldest event that is not applied has been in the log, microseconds; 0n if none. */
  readonly time: bigint;
}

/** 100 ms, doubled with each failure, to 5 s at most: soon back when the store is, no storm meanwhile. */
function defaultBackoff_ms(failures: number): number {
  return Math.min(5_000, 100 * 2 ** Math.min(failures - 1, 10));
}

/** One a view. Pausing lasts as long as the process: a restart runs all projections. */
export class Projection {
  readonly id: ViewId;
  readonly #deps: ProjectionDeps;
  readonly #gate = new Gate();
  readonly #stop = new AbortController();
  /** Where each partition is, as far as this process knows. */
  readonly #known = new Map<number, Checkpoint>();
  /** Where each partition was when anything was last heard of it: shown while its store is away. */
  readonly #last = new Map<number, Checkpoint>();
  #view: View | undefined;
  #paused = false;
  #failure: ProjectionFailure | undefined;
  #failures = 0;
  /** Ends the consumption under way, or the pause between two. */
  #turn = new AbortController();
  #loop: Promise<void> | undefined;
  #consuming: Promise<void> = Promise.resolve();
  #opened: () => void = () => {};

  constructor(deps: ProjectionDeps) {
    this.id = deps.id;
    this.#deps = deps;
  }

  /** Begins; resolves when the view's store was opened, or failed to be for the first time (it is tried again then), or not at all while paused. */
  start(): Promise<void> {
    const opened = new Promise<void>((resolve) => (this.#opened = resolve));
    this.#loop ??= this.#run();
    return opened;
  }

  /** Ends after the batch under way. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#turn.abort();
    await this.#loop;
  }

  get state(): RunState {
    if (this.#paused) return 'paused';
    return this.#failure === undefined ? 'running' : 'failed';
  }

  /** Why it failed; undefined unless it did. */
  get failure(): ProjectionFailure | undefined {
    return this.#failure;
  }

  /** The generation that is written and serves; undefined until its store was reached. */
  get view(): View | undefined {
    return this.#view;
  }

  /** Stops after the batch under way, and resolves then. */
  async pause(): Promise<void> {
    this.#change(() => (this.#paused = true));
    this.#turn.abort();
    await this.#consuming;
  }

  /** Goes on, after a pause or a failure: what failed is tried again at once. */
  resume(): void {
    this.#change(() => {
      this.#paused = false;
      this.#failure = undefined;
    });
    this.#failures = 0;
    this.#turn.abort();
  }

  /** Runs something while no batch is being applied: what the view holds stands still meanwhile. */
  frozen<T>(work: () => Promise<T>): Promise<T> {
    return this.#gate.freeze(work);
  }

  /** Goes on with another generation, which must be as far as the present one. Call it within `frozen`. */
  adopt(view: View, checkpoints: readonly Checkpoint[]): void {
    this.#view = view;
    this.#known.clear();
    for (const checkpoint of checkpoints) this.#known.set(checkpoint.partition, checkpoint);
    // What failed may be well with the new one.
    if (this.#failure !== undefined) this.#turn.abort();
  }

  /** Goes on with the generation that serves, if that is another: a rebuild in another process has switched. */
  async followSwitch(): Promise<void> {
    const view = this.#view;
    if (view === undefined) return;
    const serving = await this.#deps.generations.current();
    if (serving.generation === view.generation) return;
    // Where it stands is read with the next batch; what it lacks then comes from the log.
    await this.#gate.freeze(async () => {
      if (this.#view === view) this.adopt(serving, []);
    });
  }

  /** How far behind it is. Reads the log's end; the view's store only if nothing is known of it yet. */
  async lag(): Promise<Lag> {
    const { log, bus } = this.#deps;
    const head = await log.head();
    const known = await this.#checkpoints(bus.partitions);
    const checkpoint = known.reduce((one, other) => (other.position < one.position ? other : one));
    // Between the two reads it may have applied what came after that end.
    if (checkpoint.position >= head.position) return { checkpoint, head, events: 0n, time: 0n };
    const after = checkpoint.position;
    const [[oldest], now] = await Promise.all([
      log.page({ after, through: null, limit: 1, ledgerId: null, streamId: null }),
      log.now(),
    ]);
    const waiting = oldest === undefined ? 0n : now - oldest.event.recordedTimeMicros;
    return { checkpoint, head, events: head.position - after, time: waiting > 0n ? waiting : 0n };
  }

  /** Of all partitions of which anything is known, here or in the store. @throws whatever the store throws if of none */
  async #checkpoints(partitions: number): Promise<Checkpoint[]> {
    const all = Array.from({ length: partitions }, (_, partition) => partition);
    const read = await Promise.allSettled(all.map((partition) => this.#checkpoint(partition)));
    const found = read.flatMap((one, partition) => {
      if (one.status === 'fulfilled') this.#last.set(partition, one.value);
      const at = one.status === 'fulfilled' ? one.value : this.#last.get(partition);
      return at === undefined ? [] : [at];
    });
    const [failed] = read.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
    if (found.length === 0) throw failed;
    return found;
  }

  async #checkpoint(partition: number): Promise<Checkpoint> {
    const known = this.#known.get(partition);
    if (known !== undefined) return known;
    const view = this.#view ?? (await this.#deps.generations.current());
    return view.checkpoint(partition);
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.#turn = new AbortController();
      const { signal } = this.#turn;
      if (this.#paused) {
        this.#opened();
        await pause(TIMER_MAX_MS, signal);
        continue;
      }
      const consuming = this.#consume(signal);
      this.#consuming = consuming.catch(() => undefined);
      try {
        await consuming;
      } catch (error) {
        if (signal.aborted && !(error instanceof ProjectionFailure)) continue;
        const failure = error instanceof ProjectionFailure ? error : busFailure(error);
        this.#failed(failure);
        const pause_ms = (this.#deps.backoff_ms ?? defaultBackoff_ms)(this.#failures);
        await pause(failure.passes ? pause_ms : TIMER_MAX_MS, signal);
      }
    }
  }

  /** Consumes until the signal aborts. @throws ProjectionFailure, or whatever the bus throws. */
  async #consume(signal: AbortSignal): Promise<void> {
    const { bus } = this.#deps;
    await this.#open();
    await bus.consume(
      {
        offsetOf: (partition) => this.#offsetOf(partition),
        handle: (batch) => this.#gate.pass(() => this.#handle(batch, signal)),
        released: (partition) => {
          const at = this.#known.get(partition);
          if (at !== undefined) this.#last.set(partition, at);
          this.#known.delete(partition);
        },
      },
      signal,
    );
    if (!signal.aborted) throw busFailure(new Error('the bus ended by itself'));
  }

  async #open(): Promise<void> {
    try {
      this.#view ??= await this.#current();
    } catch (error) {
      throw error instanceof ProjectionFailure ? error : storeFailure(this.id, error);
    } finally {
      this.#opened();
    }
  }

  async #current(): Promise<View> {
    const { generations, logger, make = () => firstOf(generations) } = this.#deps;
    try {
      return await generations.current();
    } catch (error) {
      if (!(error instanceof ViewMissingError)) throw error;
      logger.warn({ projection: this.id }, 'the store holds no such view: it is made');
      const made = await make();
      if (made === undefined) throw viewMissing(this.id, error);
      return made;
    }
  }

  async #offsetOf(partition: number): Promise<bigint> {
    const view = this.#serving();
    const checkpoint = await view.checkpoint(partition).catch((error: unknown) => {
      this.#forget(error);
      throw storeFailure(this.id, error);
    });
    this.#known.set(partition, checkpoint);
    await this.#sameHistory(checkpoint);
    // Store and log answer again, with one history. Whether an event can be applied shows only when it is.
    const kind = this.#failure?.kind;
    if (kind === 'store' || kind === 'bus' || kind === 'history_lost') this.#recovered();
    return checkpoint.offset;
  }

  /** @throws ProjectionFailure if the log has another event where the view stands, or none: it was restored since. */
  async #sameHistory(checkpoint: Checkpoint): Promise<void> {
    if (checkpoint.position < 0n) return;
    const record = await this.#deps.log.at(checkpoint.position);
    const same = record !== undefined && isSameBytes(record.hash, checkpoint.hash);
    if (!same) throw historyLost(this.id, checkpoint.position);
  }

  async #handle(batch: BusBatch, signal: AbortSignal): Promise<void> {
    // A bus may hand over what it had fetched before the signal.
    signal.throwIfAborted();
    const view = this.#serving();
    await this.#follows(view, batch);
    try {
      await this.#fillGap(view, batch, signal);
      await applyBatch(view, batch, signal, this.#deps.pauses_ms).catch(async (error: unknown) => {
        if (!(error instanceof MissedEventsError)) throw error;
        // The store went back behind what we knew of it: it was replaced by an older copy.
        this.#known.delete(batch.partition);
        await this.#fillGap(view, batch, signal);
        await applyBatch(view, batch, signal, this.#deps.pauses_ms);
      });
    } catch (error) {
      this.#forget(error);
      // What came before the culprit is in.
      const at = await view.checkpoint(batch.partition).catch(() => undefined);
      if (at !== undefined) this.#known.set(batch.partition, at);
      throw error;
    }
    this.#known.set(batch.partition, {
      ...batch.watermark,
      partition: batch.partition,
      offset: batch.offset,
    });
    this.#deps.onApplied?.(batch.events.length);
    if (this.#failure !== undefined) this.#recovered();
  }

  /** A view that is not there any more, or not this generation of it, is looked for again before anything is applied. */
  #forget(error: unknown): void {
    let cause = error;
    while (!(cause instanceof ViewMissingError || cause instanceof GenerationGoneError)) {
      if (!(cause instanceof Error)) return;
      ({ cause } = cause);
    }
    this.#view = undefined;
    this.#known.clear();
  }

  /** What the bus does not have any more, or never had, comes from the log. */
  async #fillGap(view: View, batch: BusBatch, signal: AbortSignal): Promise<void> {
    const { partition, after } = batch;
    if (after === undefined) return;
    const { bus, log, logger } = this.#deps;
    const at = this.#known.get(partition) ?? (await view.checkpoint(partition));
    if (after <= at.position) return;
    const fields = { projection: this.id, partition, from: String(at.position), to: String(after) };
    logger.warn(fields, 'the bus does not have what comes next: it is read from the log');
    const isGap = Array.from({ length: bus.partitions }, (_, one) => one === partition);
    const filling = {
      ...{ log, bus, view, signal, offsetAt: () => -1n, onProgress: () => undefined },
      filled: isGap.map((isIt) => (isIt ? at.position : after)),
    };
    const targets = isGap.map(() => after);
    await fillTo(filling, targets).catch((error: unknown) => {
      throw error instanceof UnknownEventError ? eventFailure(error.position, error) : error;
    });
  }

  /** @throws ProjectionFailure if the batch goes on from another history than the view's: the log was restored since. */
  async #follows(view: View, { partition, events }: BusBatch): Promise<void> {
    const first = events[0];
    if (first === undefined) return;
    const at = this.#known.get(partition) ?? (await view.checkpoint(partition));
    // In one of several partitions the event before is most often another partition's.
    if (first.position !== at.position + 1n || at.position < 0n) return;
    const same = isSameBytes(first.event.previousHash, at.hash);
    if (!same) throw historyLost(this.id, at.position);
  }

  #serving(): View {
    if (this.#view === undefined) throw new Error('consumed before it was opened');
    return this.#view;
  }

  #failed(failure: ProjectionFailure): void {
    this.#failures++;
    const { logger } = this.#deps;
    const fields = { projection: this.id, kind: failure.kind, failures: this.#failures, err: failure };
    if (failure.passes) logger.warn(fields, 'the projection failed and is tried again');
    else logger.error(fields, 'the projection has stopped');
    this.#change(() => (this.#failure = failure));
  }

  #recovered(): void {
    this.#failures = 0;
    this.#deps.logger.info({ projection: this.id }, 'the projection goes on');
    this.#change(() => (this.#failure = undefined));
  }

  #change(mutate: () => void): void {
    const before = this.state;
    mutate();
    if (this.state !== before) this.#deps.onState?.(this.state);
  }
}

async function firstOf(generations: ViewGenerations<View>): Promise<View> {
  await generations.migrate();
  return generations.current();
}
