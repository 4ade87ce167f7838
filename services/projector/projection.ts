/** A projection: keeps one view up with the bus, and says how it is doing. */
import { isSameBytes } from '../../lib/base/bytes.js';
import { pause, TIMER_MAX_MS } from '../../lib/base/pause.js';
import type { BusBatch, EventBus } from '../../lib/log/bus.js';
import { lagOf, type LogLag } from '../../lib/log/lag.js';
import type { LogReader } from '../../lib/log/reader.js';
import {
  type Checkpoint,
  type View,
  type ViewGenerations,
  type ViewId,
  ViewMissingError,
} from '../../lib/views/view.js';
import type { DeadLetter } from '../../lib/views/parked/dead-letter.js';
import { parkedAt } from '../../lib/views/parked/parked.js';
import { GenerationGoneError } from '../../lib/views/view-errors.js';
import type { AppliedBatch } from './apply-trace.js';
import { busFailure, ProjectionFailure, storeFailure, viewMissing } from './failure.js';
import { type Clock, systemClock } from '../../lib/base/time.js';
import { MOST_DEAD_LETTERS } from '../../lib/views/parked/most-dead-letters.js';
import { RETRY_PAUSES_MS } from './apply-batch.js';
import { ParkedMemory } from './parked-memory.js';
import { applyNext, type Feed, resumeFrom } from './feed.js';
import { type Retried, retryLetter } from './dead-letters/retry.js';
import { Forks } from './forks.js';
import { Gate } from './gate.js';
import { Positions } from './positions.js';
import type { ProjectorLog } from './projector-log.js';

/** What a projection is doing, as in ops.v1.ProjectionState. */
export type RunState = 'running' | 'paused' | 'failed';

/** What a projection needs. */
export interface ProjectionDeps {
  readonly id: ViewId;
  readonly generations: ViewGenerations<View>;
  readonly bus: EventBus;
  readonly log: LogReader;
  readonly logger: ProjectorLog;
  /** Called with each new state, and again when it fails for another kind of reason. */
  readonly onState?: (state: RunState) => void;
  /** Called with each batch applied. */
  readonly onApplied?: (batch: AppliedBatch) => void;
  /** How long to wait after the n-th failure in a row, in milliseconds. */
  readonly backoff_ms?: (failures: number) => number;
  /** Pauses between the tries of one batch, in milliseconds. */
  readonly pauses_ms?: readonly number[];
  /** A partition that would have more parked events stops the projection. */
  readonly mostDeadLetters?: number;
  readonly clock?: Clock;
  /**
   * Makes the view where its store holds none: it is new, or the store lost it. Undefined: another process
   * makes it. By default its first generation, which the bus then fills.
   */
  readonly make?: () => Promise<View | undefined>;
}

/** How far behind a projection is, exactly. */
export interface Lag extends LogLag {
  /** Of the partition that is farthest behind; the last known one while the store is away. */
  readonly checkpoint: Checkpoint;
}

/**
 * What the projection is doing. Each call of `resume`, and each failure, leads out of one state into another.
 */
type State =
  /** It looks for the generation that serves. */
  | { readonly kind: 'opening' }
  | { readonly kind: 'running' }
  /** Until it is resumed, or until the process ends: a restart runs all projections. */
  | { readonly kind: 'paused' }
  /** It is tried again after a while if the failure passes by itself, else when it is resumed. */
  | { readonly kind: 'failed'; readonly failure: ProjectionFailure; readonly failuresInARow: number };

/** One attempt to run, or one pause. */
interface Turn {
  readonly end: AbortController;
  /** Resolves when the turn has ended, with the batch under way. Never rejects. */
  readonly ended: Promise<void>;
}

/** 100 ms, doubled with each failure, to 5 s at most: soon back when the store is, no storm meanwhile. */
function defaultBackoff_ms(failures: number): number {
  return Math.min(5_000, 100 * 2 ** Math.min(failures - 1, 10));
}

/** The projection of one view in this process. */
export class Projection {
  readonly id: ViewId;
  readonly #deps: ProjectionDeps;
  readonly #gate = new Gate();
  readonly #stop = new AbortController();
  readonly #positions = new Positions();
  readonly #forks: Forks;
  readonly #parked = new ParkedMemory();
  #state: State = { kind: 'opening' };
  /** The generation that is written and serves; undefined until it was found. */
  #view: View | undefined;
  #turn: Turn = { end: new AbortController(), ended: Promise.resolve() };
  #loop: Promise<void> | undefined;
  #onOpened: () => void = () => undefined;
  #hasParked = false;

  constructor(deps: ProjectionDeps) {
    this.id = deps.id;
    this.#deps = deps;
    this.#forks = new Forks(deps.log);
  }

  /**
   * Begins; resolves when the first attempt to open the view's store has ended, or at once if it is paused.
   */
  start(): Promise<void> {
    const opened = new Promise<void>((resolve) => (this.#onOpened = resolve));
    this.#loop ??= this.#run();
    return this.#state.kind === 'opening' ? opened : Promise.resolve();
  }

  /** Ends after the batch under way. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#turn.end.abort();
    await this.#loop;
  }

  get state(): RunState {
    const { kind } = this.#state;
    return kind === 'opening' ? 'running' : kind;
  }

  /** Why it failed; undefined unless it did. */
  get failure(): ProjectionFailure | undefined {
    return this.#state.kind === 'failed' ? this.#state.failure : undefined;
  }

  /** Whether events are parked in a partition that this process writes. */
  get hasParked(): boolean {
    return this.#hasParked;
  }

  /** The generation that is written and serves; undefined until it was found. */
  get view(): View | undefined {
    return this.#view;
  }

  /** Stops after the batch under way, and resolves then. */
  async pause(): Promise<void> {
    this.#become({ kind: 'paused' });
    this.#turn.end.abort();
    await this.#turn.ended;
  }

  /** Goes on, after a pause or a failure: what failed is tried again at once. */
  resume(): void {
    this.#become({ kind: this.#view === undefined ? 'opening' : 'running' });
    this.#turn.end.abort();
  }

  /** Runs something while no batch is being applied: what the view holds stands still meanwhile. */
  frozen<T>(work: () => Promise<T>): Promise<T> {
    return this.#gate.freeze(work);
  }

  /** Tries a dead letter again, while no batch is being applied. @throws the error of a store that is away */
  async retryLetter(letter: DeadLetter): Promise<Retried> {
    const { log, logger, generations, clock = systemClock } = this.#deps;
    const view = this.#view ?? (await generations.current());
    const parked = this.#parked;
    return this.#gate.freeze(async () => {
      // Of a partition that another process applies nothing is kept here.
      const isOwn = parked.has(letter.partition);
      const retried = await retryLetter({ view, parked, log, clock, logger }, letter);
      if (isOwn) await parked.of(view, letter.partition);
      else parked.forget(letter.partition);
      this.#noteParked();
      // What had to stop since too much was parked may go on.
      if (this.failure?.kind === 'too_many_parked' && retried.outcome === 'applied') this.resume();
      return retried;
    });
  }

  /** Goes on with another generation, which must be as far as the present one. Call it within `frozen`. */
  adopt(view: View, checkpoints: readonly Checkpoint[]): void {
    this.#view = view;
    this.#positions.forgetAll();
    this.#parked.forgetAll();
    for (const checkpoint of checkpoints) this.#positions.set(checkpoint);
    // What failed with the old generation may succeed with the new one.
    if (this.#state.kind === 'failed') this.#turn.end.abort();
  }

  /**
   * Goes on with the generation that serves, if that is another: a rebuild in another process has switched.
   */
  async followSwitch(): Promise<void> {
    const view = this.#view;
    if (view === undefined) return;
    const serving = await this.#deps.generations.current();
    if (serving.generation === view.generation) return;
    // Its checkpoints are read with the next batch; the events that it lacks then come from the log.
    await this.#gate.freeze(async () => {
      if (this.#view === view) this.adopt(serving, []);
    });
  }

  /**
   * Looks whether the log has where the view stands. If not, it begins again, and fails as a view of a lost history: the bus
   * does not say so until a new epoch has begun.
   */
  async compareWithLog(): Promise<void> {
    if (this.#state.kind !== 'running') return;
    const { end } = this.#turn;
    for (const checkpoint of this.#positions.farthestOfEpochs()) {
      if (await hasPoint(this.#deps.log, checkpoint)) continue;
      this.#positions.forgetAll();
      end.abort();
      return;
    }
  }

  /**
   * How many events are dead letters, over all partitions.
   * @throws the error of the view's store
   */
  async deadLetters(): Promise<number> {
    const { bus, generations } = this.#deps;
    const view = this.#view ?? (await generations.current());
    const checkpoints = await Promise.all(
      Array.from({ length: bus.partitions }, (_, partition) => view.checkpoint(partition)),
    );
    return checkpoints.reduce((sum, checkpoint) => sum + parkedAt(checkpoint).count, 0);
  }

  /** How far behind it is. Reads the log's end; the view's store only if nothing is known of it yet. */
  async lag(): Promise<Lag> {
    const { log, bus, generations } = this.#deps;
    const view = async () => this.#view ?? (await generations.current());
    const checkpoint = await this.#positions.farthestBehind(view, bus.partitions);
    return { checkpoint, ...(await lagOf(log, checkpoint.position)) };
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const end = new AbortController();
      const isPaused = this.#state.kind === 'paused';
      const ended = isPaused ? pause(TIMER_MAX_MS, end.signal) : this.#attempt(end.signal);
      this.#turn = { end, ended };
      await ended;
    }
  }

  /** Consumes until the signal aborts; after a failure waits until it is to be tried again. */
  async #attempt(signal: AbortSignal): Promise<void> {
    try {
      await this.#consume(signal);
    } catch (error) {
      const failure = error instanceof ProjectionFailure ? error : busFailure(error);
      // What the bus throws when it has to end is no failure.
      const wait_ms = signal.aborted && failure !== error ? 0 : this.#failed(failure);
      this.#onOpened();
      await pause(wait_ms, signal);
    }
  }

  /** Consumes until the signal aborts. @throws ProjectionFailure, or the error of the bus */
  async #consume(signal: AbortSignal): Promise<void> {
    const { bus } = this.#deps;
    await this.#open();
    await bus.consume(
      {
        offsetOf: (partition) => this.#offsetOf(partition),
        handle: (batch) => this.#gate.pass(() => this.#handle(batch, signal)),
        released: (partition) => {
          this.#positions.forget(partition);
          this.#parked.forget(partition);
          this.#noteParked();
        },
      },
      signal,
    );
    if (!signal.aborted) throw busFailure(new Error('the bus ended without being asked to'));
  }

  async #open(): Promise<void> {
    try {
      this.#view ??= await this.#findOrMake();
    } catch (error) {
      throw error instanceof ProjectionFailure ? error : storeFailure(this.id, error);
    }
    if (this.#state.kind === 'opening') this.#become({ kind: 'running' });
    this.#onOpened();
  }

  async #findOrMake(): Promise<View> {
    const { generations, log, logger, make = () => firstOf(generations) } = this.#deps;
    try {
      return await generations.current();
    } catch (error) {
      if (!(error instanceof ViewMissingError)) throw error;
      // The log has no event but the one that names it: it is the first start, and nothing can be lost.
      const isFirst = (await log.head()).position <= 0n;
      logger[isFirst ? 'info' : 'warn']({ projection: this.id }, 'the store holds no such view: it is made');
      const made = await make();
      if (made === undefined) throw viewMissing(this.id, error);
      return made;
    }
  }

  async #offsetOf(partition: number): Promise<bigint> {
    const { offset } = await resumeFrom(this.#feed(), partition).catch((error: unknown) => {
      this.#forgetLostView(error);
      throw error;
    });
    // Store and log answer again, with one history. Whether an event can be applied shows only when it is.
    const kind = this.failure?.kind;
    if (kind === 'store' || kind === 'bus' || kind === 'history_lost') this.#recovered();
    return offset;
  }

  async #handle(batch: BusBatch, signal: AbortSignal): Promise<void> {
    // A bus may hand over what it had fetched before the signal.
    signal.throwIfAborted();
    const began_ms = Date.now();
    await applyNext(this.#feed(), batch, signal).catch((error: unknown) => {
      this.#forgetLostView(error);
      throw error;
    });
    this.#deps.onApplied?.({ events: batch.events, began_ms });
    this.#noteParked();
    if (this.#state.kind === 'failed') this.#recovered();
  }

  /**
   * If the view or its generation is not there any more, it is looked for again before anything is applied.
   */
  #forgetLostView(error: unknown): void {
    let cause = error;
    while (!(cause instanceof ViewMissingError || cause instanceof GenerationGoneError)) {
      if (!(cause instanceof Error)) return;
      ({ cause } = cause);
    }
    this.#view = undefined;
    this.#positions.forgetAll();
    this.#parked.forgetAll();
  }

  #feed(): Feed {
    if (this.#view === undefined) throw new Error('consumed before the view was opened');
    const {
      bus,
      log,
      logger,
      clock = systemClock,
      pauses_ms = RETRY_PAUSES_MS,
      mostDeadLetters = MOST_DEAD_LETTERS,
    } = this.#deps;
    const memory = { positions: this.#positions, forks: this.#forks, parked: this.#parked };
    return { view: this.#view, ...memory, bus, log, logger, clock, pauses_ms, mostDeadLetters };
  }

  /** Gives how long to wait before the next attempt, milliseconds. */
  #failed(failure: ProjectionFailure): number {
    const { logger, backoff_ms = defaultBackoff_ms } = this.#deps;
    const failuresInARow = this.#state.kind === 'failed' ? this.#state.failuresInARow + 1 : 1;
    const fields = { projection: this.id, kind: failure.kind, failures: failuresInARow, err: failure };
    if (failure.passes) logger.warn(fields, 'the projection failed and is tried again');
    else logger.error(fields, 'the projection has stopped');
    // It may have been paused while its last batch failed: it stays so.
    if (this.#state.kind !== 'paused') this.#become({ kind: 'failed', failure, failuresInARow });
    return failure.passes ? backoff_ms(failuresInARow) : TIMER_MAX_MS;
  }

  /** Tells of the first event that is parked here, and when none is any more. */
  #noteParked(): void {
    const hasParked = this.#parked.count > 0;
    if (hasParked === this.#hasParked) return;
    this.#hasParked = hasParked;
    this.#deps.onState?.(this.state);
  }

  #recovered(): void {
    this.#deps.logger.info({ projection: this.id }, 'the projection goes on');
    this.#become({ kind: 'running' });
  }

  #become(state: State): void {
    const [before, failedBy] = [this.state, this.failure?.kind];
    this.#state = state;
    if (this.state !== before || this.failure?.kind !== failedBy) this.#deps.onState?.(this.state);
  }
}

/** Whether the log has a point. */
async function hasPoint(log: LogReader, { position, hash }: Checkpoint): Promise<boolean> {
  if (position < 0n) return true;
  const found = await log.at(position);
  return found !== undefined && isSameBytes(found.hash, hash);
}

async function firstOf(generations: ViewGenerations<View>): Promise<View> {
  await generations.migrate();
  return generations.current();
}
