/**
 * The end of the log in memory. Several readers, each at a place of its own, share what is read and decoded. Events come by
 * hand-over from the writer, or from the log: at the start, after a gap, and for a reader that is behind all that is held.
 */
import type { LogReader } from './reader.js';
import { HeldEvents, type HeldLimits } from './held-events.js';
import type { PackedFlush } from './packed-flush.js';
import type { RecordedEvent } from './recorded-event.js';
import type { Wakeups } from './wakeups.js';

export const TAIL_LIMITS: HeldLimits = {
  events: 50_000,
  size_bytes: 32 * 1024 * 1024,
  decodedEvents: 10_000,
};

/** Events per page of the log, and at most in one answer. */
export const PAGE_EVENTS = 1_000;

/** How long a reader waits for a hand-over or a hint before it looks into the log. */
const POLL_MS = 200;

/** The log was restored to an older end: its readers begin again where their stores are. */
export class LogForked extends Error {
  override readonly name = 'LogForked';
  constructor() {
    super('the log was restored to an older end while it was followed');
  }
}

export class LogTail {
  readonly #log: Pick<LogReader, 'page'>;
  readonly #wakeups: Wakeups;
  readonly #held: HeldEvents;
  readonly #places = new Set<TailPlace>();
  /** Pages that are being read, by the position before them. */
  readonly #reading = new Map<bigint, Promise<readonly RecordedEvent[]>>();
  /** Wake-ups that were hand-overs; the others are hints that the log has grown. */
  #handOvers = 0;
  /** How often a new epoch has begun: what was read before may be of a history that is lost. */
  #forks = 0;

  /** @param wakeups woken when the log may have grown without a hand-over */
  constructor(log: Pick<LogReader, 'page'>, wakeups: Wakeups, limits = TAIL_LIMITS) {
    this.#log = log;
    this.#wakeups = wakeups;
    this.#held = new HeldEvents(limits);
  }

  /** How many events are held for readers. */
  get heldEvents(): number {
    return this.#held.count;
  }

  /** Takes what was just committed. Nothing is decoded before a reader asks. */
  handOver(flush: PackedFlush): void {
    this.#held.addFlush(flush);
    this.#dropPassed();
    this.#handOvers += 1;
    this.#wakeups.wake();
  }

  /** A new epoch of the log begins: nothing that was read before is given any more. */
  forked(): void {
    this.#forks += 1;
    this.#held.clear();
    this.#reading.clear();
    this.#wakeups.wake();
  }

  /** A place after a position; leave it at the end. */
  enter(position: bigint): TailPlace {
    const place = new TailPlace(position, {
      wakeups: this.#wakeups,
      hints: () => this.#wakeups.count - this.#handOvers,
      forks: () => this.#forks,
      held: this.#held,
      read: (after) => this.#read(after),
      moved: () => this.#dropPassed(),
      left: () => {
        this.#places.delete(place);
        this.#dropPassed();
      },
    });
    this.#places.add(place);
    return place;
  }

  /** One read for all readers at the same place. */
  #read(after: bigint): Promise<readonly RecordedEvent[]> {
    const reading = this.#reading.get(after);
    if (reading !== undefined) return reading;
    const page = this.#readPage(after).finally(() => {
      if (this.#reading.get(after) === page) this.#reading.delete(after);
    });
    this.#reading.set(after, page);
    // A reader that has left does not await it: a rejection must not count as unhandled then.
    page.catch(() => undefined);
    return page;
  }

  async #readPage(after: bigint): Promise<readonly RecordedEvent[]> {
    const page = { after, through: null, limit: PAGE_EVENTS, ledgerId: null, streamId: null };
    const forks = this.#forks;
    const events = await this.#log.page(page);
    if (this.#forks !== forks) throw new LogForked();
    this.#held.addEvents(events);
    this.#dropPassed();
    return events;
  }

  #dropPassed(): void {
    let least: bigint | undefined;
    for (const { position } of this.#places) if (least === undefined || position < least) least = position;
    const passed = least ?? this.#held.last;
    if (passed !== undefined) this.#held.dropThrough(passed);
  }
}

/** What a place needs of its tail. */
interface PlaceParts {
  readonly wakeups: Wakeups;
  /** How many hints there were that the log has grown. */
  hints(): number;
  /** How often a new epoch has begun. */
  forks(): number;
  readonly held: HeldEvents;
  /** A page of the log. */
  read(after: bigint): Promise<readonly RecordedEvent[]>;
  moved(): void;
  left(): void;
}

/** Where a reader of the tail is. */
export class TailPlace {
  readonly #parts: PlaceParts;
  readonly #forks: number;
  #position: bigint;
  /** The hints at the last look that found nothing more in the log; undefined: it has to be looked. */
  #hints: number | undefined;
  /** The page after the place. */
  #ahead: Promise<readonly RecordedEvent[]> | undefined;

  constructor(position: bigint, parts: PlaceParts) {
    this.#position = position;
    this.#parts = parts;
    this.#forks = parts.forks();
  }

  /** The last event that was given. */
  get position(): bigint {
    return this.#position;
  }

  /** Whether a whole page is held that comes next. */
  get hasPage(): boolean {
    const { held } = this.#parts;
    return held.last !== undefined && held.last - this.#position >= BigInt(PAGE_EVENTS);
  }

  /**
   * The events after the place, at most a page; the place moves behind them. Waits until there is one; gives none if the
   * signal aborts. @throws LogForked, UndecodableEvent, and the errors of the log
   */
  async next(signal: AbortSignal): Promise<readonly RecordedEvent[]> {
    const { wakeups, held, hints, forks } = this.#parts;
    while (!signal.aborted) {
      if (forks() !== this.#forks) throw new LogForked();
      const since = wakeups.count;
      const seen = hints();
      const ready = this.#ahead === undefined ? held.after(this.#position, PAGE_EVENTS) : [];
      if (ready.length > 0) return this.#moveBehind(ready);
      if (this.#hints !== seen || held.beginAfter(this.#position)) {
        const events = await this.#look();
        if (events.length > 0) return this.#moveBehind(events);
        this.#hints = seen;
      }
      await wakeups.wait(POLL_MS, signal, since);
      // Without any wake-up it has to be looked: one may have been lost.
      if (wakeups.count === since) this.#hints = undefined;
    }
    return [];
  }

  /** The reader needs nothing more. Resolves when nothing is read for it any more. */
  async leave(): Promise<void> {
    this.#parts.left();
    await this.#ahead?.catch(() => undefined);
  }

  async #look(): Promise<readonly RecordedEvent[]> {
    const page = this.#ahead ?? this.#parts.read(this.#position);
    this.#ahead = undefined;
    this.#hints = undefined;
    const events = await page;
    const last = events.at(-1);
    // The next page is read while this one is applied.
    if (last !== undefined && events.length === PAGE_EVENTS) this.#ahead = this.#parts.read(last.position);
    return events;
  }

  #moveBehind(events: readonly RecordedEvent[]): readonly RecordedEvent[] {
    this.#position = events.at(-1)?.position ?? this.#position;
    this.#parts.moved();
    return events;
  }
}
