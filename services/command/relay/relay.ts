/**
 * The relay: sends the log to the bus, in order, each event at least once. It never holds up the write side: while the bus
 * is away it waits, and goes on from its cursor.
 */
import { lagOf, type LogLag } from '../../../lib/log/lag.js';
import type { LogReader } from '../../../lib/log/reader.js';
import { firstCursor, type RelayCursor, type RelayCursorStore } from '../../../lib/log/relay-cursor.js';
import type { Wakeups } from '../../../lib/log/wakeups.js';
import type { BusPublisher, OpenPublisher } from '../../../lib/log/bus.js';
import { epochStarts, forkAfter } from '../../../lib/log/epochs/forks.js';
import type { RecordedEvent } from '../../../lib/log/recorded-event.js';
import type { Log } from '../../../lib/base/logging.js';
import { pause } from '../../../lib/base/pause.js';
import { spanPointOfEvent, type Tracer } from '../../../lib/observe/tracing.js';
import { type Batch, batchOf, watermarksFor } from './batch.js';
import { isSameBytes } from '../../../lib/base/bytes.js';

export interface RelayDeps {
  readonly log: LogReader;
  readonly cursor: RelayCursorStore;
  readonly open: OpenPublisher;
  readonly partitions: number;
  partitionOf(ledgerId: string): number;
  readonly wakeups: Wakeups;
  readonly logger: Pick<Log, 'info' | 'warn'>;
  /** Tells the process that decides that the log does not have a point that was relayed. */
  reportLost(point: Pick<RelayCursor, 'epoch' | 'position'>): Promise<void>;
  /** Absent where traces are off. */
  readonly tracer?: Tracer | undefined;
  /** What spans call the place that is sent to. */
  readonly topic?: string;
  /** Called with whether the bus takes what is sent. */
  readonly onHealth?: (isUp: boolean) => void;
  /** Called for each batch that the bus has stored. */
  readonly onSent?: (messages: number, events: number) => void;
  readonly onError?: () => void;
}

/** Events per batch: with a message for each partition that has none, at most 1,000 (kafkajs groups them in quadratic time). */
const PAGE_EVENTS = 900;
/**
 * Batches do not follow each other closer than this: at a steady rate of single commits each would be a batch of its own, and
 * what a batch costs the broker and every reader is much more than what an event does.
 */
const LINGER_ms = 8;
/**
 * A partition without events gets a watermark as often while the log moves. Each is a write of every view: at 20 ms and 12
 * partitions they were 1,800 per second, several times what the payments cost.
 */
export const WATERMARK_ms = 100;
/** The same while the log stands still, so that readers know that the relay lives. */
export const IDLE_WATERMARK_ms = 1_000;
const SAVE_ms = 100;
/** How long a commit may go unnoticed whose wake-up was lost. */
const POLL_ms = 200;
const BACKOFF_MAX_ms = 1_000;

export class Relay {
  readonly #deps: RelayDeps;
  readonly #stop = new AbortController();
  #cursor: RelayCursor;
  /** The point of the cursor; undefined before the first event is sent. */
  #at: RecordedEvent | undefined;
  /** When each partition last got a watermark, and which. */
  readonly #watermarks: { at_ms: number; position: bigint }[];
  #publisher: BusPublisher | undefined;
  #savedAt_ms = 0;
  #sentAt_ms = 0;
  #saving: Promise<void> = Promise.resolve();
  #running: Promise<void> = Promise.resolve();
  #failures = 0;

  constructor(deps: RelayDeps) {
    this.#deps = deps;
    this.#cursor = firstCursor(deps.partitions);
    this.#watermarks = Array.from({ length: deps.partitions }, () => ({ at_ms: 0, position: -1n }));
  }

  /** Up to where the bus has the log. */
  get position(): bigint {
    return this.#cursor.position;
  }

  /** Whether the last attempt to send succeeded. */
  get isUp(): boolean {
    return this.#failures === 0;
  }

  /** Begins; what is away is waited for. */
  start(): void {
    this.#running = this.#run();
  }

  /** Ends after the batch under way, and keeps the cursor. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#saving;
    await this.#deps.cursor.save(this.#cursor).catch(() => undefined);
    await this.#publisher?.close().catch(() => undefined);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    let isLoaded = false;
    while (!signal.aborted) {
      try {
        if (!isLoaded) await this.#load();
        isLoaded = true;
        await this.#turn();
      } catch (error) {
        await this.#failed(error);
      }
    }
  }

  /** The cursor as it was stored. */
  async #load(): Promise<void> {
    const { cursor, log, partitions } = this.#deps;
    const stored = await cursor.read();
    if (stored.position < 0n || stored.lasts.length !== partitions) return;
    const found = await log.at(stored.position);
    this.#cursor = stored;
    this.#at = found;
    if (found === undefined || !isSameBytes(found.hash, stored.hash)) await this.#backToFork();
  }

  /**
   * The log does not have the event of the cursor: it was restored to an older end. What it has from the fork on is sent once the
   * new epoch has begun, before which nothing tells it from what was lost.
   */
  async #backToFork(): Promise<void> {
    const { log, logger, partitions, reportLost } = this.#deps;
    const { position, epoch } = this.#cursor;
    const fork = forkAfter(await epochStarts(log), epoch);
    if (fork === undefined) {
      await reportLost(this.#cursor);
      throw new Error('the log has lost what was relayed, and its new epoch has not begun');
    }
    if (fork >= position) {
      logger.warn(
        { position: String(position) },
        'the log is not the one that was relayed: from its beginning',
      );
      this.#cursor = firstCursor(partitions);
      this.#at = undefined;
      return;
    }
    const at = await log.at(fork);
    if (at === undefined) throw new Error('the log has lost its fork while it was read');
    logger.warn(
      { position: String(position), fork: String(fork) },
      'the log was restored to an older end: the relay goes on after the fork',
    );
    // A reader at or beyond the fork has missed nothing; one before it reads what lies between in the log.
    const lasts = Array.from({ length: partitions }, () => fork);
    this.#cursor = { epoch: at.event.epoch, position: fork, hash: at.hash, lasts };
    this.#at = at;
  }

  /** Sends what there is, or waits for more. */
  async #turn(): Promise<void> {
    const { wakeups } = this.#deps;
    const early_ms = this.#sentAt_ms + LINGER_ms - performance.now();
    if (early_ms > 0) await pause(early_ms, this.#stop.signal);
    const since = wakeups.count;
    const events = await this.#readOn();
    if (events === undefined) return;
    if (events.length > 0) {
      await this.#relay(events);
      return;
    }
    if (await this.#sendWatermarks()) return;
    await wakeups.wait(this.#wait_ms(), this.#stop.signal, since);
  }

  /** Page after page, each read while the one before is sent. */
  async #relay(first: readonly RecordedEvent[]): Promise<void> {
    let events = first;
    while (events.length > 0) {
      const [first, last] = [events[0], events.at(-1)];
      if (first === undefined || last === undefined) return;
      // The log may be restored between two pages: the next turn of the relay finds out.
      const follows = this.#cursor.position < 0n || isSameBytes(first.event.previousHash, this.#cursor.hash);
      if (!follows) return;
      const next = events.length < PAGE_EVENTS ? undefined : this.#read(last.position);
      // It is awaited later; a rejection until then must not count as unhandled.
      next?.catch(() => undefined);
      await this.#send(this.#batch(events), events.length);
      this.#save();
      if (next === undefined || this.#stop.signal.aborted) return;
      events = await next;
    }
  }

  #batch(events: readonly RecordedEvent[]): Batch {
    const now_ms = performance.now();
    const isDue = (partition: number) => now_ms - (this.#watermarks[partition]?.at_ms ?? 0) >= WATERMARK_ms;
    return batchOf(events, this.#cursor, this.#deps, isDue);
  }

  /** Sends watermarks to the partitions whose last one is old enough. Returns whether there were any. */
  async #sendWatermarks(): Promise<boolean> {
    const at = this.#at;
    if (at === undefined) return false;
    const now_ms = performance.now();
    const due = this.#watermarks.flatMap(({ at_ms, position }, partition) => {
      const every_ms = position < this.#cursor.position ? WATERMARK_ms : IDLE_WATERMARK_ms;
      return now_ms - at_ms >= every_ms ? [partition] : [];
    });
    if (due.length === 0) return false;
    await this.#send(watermarksFor(due, at, this.#cursor), 0);
    this.#save();
    return true;
  }

  /** How long until the next watermark is due; not longer than a lost wake-up may go unnoticed. */
  #wait_ms(): number {
    const now_ms = performance.now();
    const dues = this.#watermarks.map(
      ({ at_ms, position }) =>
        at_ms + (position < this.#cursor.position ? WATERMARK_ms : IDLE_WATERMARK_ms) - now_ms,
    );
    return Math.max(1, Math.min(POLL_ms, ...dues));
  }

  async #send({ messages, cursor, at }: Batch, events: number): Promise<void> {
    const began_ms = Date.now();
    this.#publisher ??= await this.#deps.open();
    await this.#publisher.publish(messages);
    this.#trace(messages, began_ms);
    const at_ms = performance.now();
    this.#sentAt_ms = at_ms;
    for (const { partition, watermark } of messages) {
      if (watermark !== undefined) this.#watermarks[partition] = { at_ms, position: watermark.position };
    }
    this.#cursor = cursor;
    this.#at = at;
    this.#deps.onSent?.(messages.length, events);
    if (this.#failures > 0) this.#deps.logger.info({}, 'the relay goes on');
    this.#failures = 0;
    this.#deps.onHealth?.(true);
  }

  /** Each event has a span in the trace of the call that made it. */
  #trace(messages: Batch['messages'], began_ms: number): void {
    const { tracer, topic = '' } = this.#deps;
    if (tracer === undefined) return;
    for (const { partition, record } of messages) {
      const parent = record && spanPointOfEvent(record.event, record.hash);
      if (record === undefined || parent === undefined) continue;
      const attributes = {
        'messaging.system': 'kafka',
        'messaging.destination.name': topic,
        'messaging.destination.partition.id': String(partition),
        'quittance.position': Number(record.position),
      };
      tracer.start({ name: 'publish', kind: 'producer', parent, attributes, began_ms })?.end();
    }
  }

  /** Nothing is known of the batch that was under way: a new publisher begins at the cursor. */
  async #failed(error: unknown): Promise<void> {
    this.#failures += 1;
    const { logger, onHealth, onError } = this.#deps;
    if (this.#failures === 1) logger.warn({ err: error }, 'the relay cannot send, and tries again');
    onHealth?.(false);
    onError?.();
    const publisher = this.#publisher;
    this.#publisher = undefined;
    await publisher?.close().catch(() => undefined);
    // Commits go on meanwhile; they do not end the pause.
    await pause(Math.min(BACKOFF_MAX_ms, 50 * 2 ** Math.min(this.#failures, 10)), this.#stop.signal);
  }

  /** What comes after the cursor, read with the event there; undefined if that is not what was sent: the cursor has moved. */
  async #readOn(): Promise<readonly RecordedEvent[] | undefined> {
    const { position, hash } = this.#cursor;
    if (position < 0n) return this.#read(position);
    const [at, ...events] = await this.#read(position - 1n);
    if (at !== undefined && isSameBytes(at.hash, hash)) return events;
    await this.#backToFork();
    return undefined;
  }

  #read(after: bigint): Promise<readonly RecordedEvent[]> {
    return this.#deps.log.page({
      after,
      through: null,
      limit: PAGE_EVENTS,
      ledgerId: null,
      streamId: null,
    });
  }

  /** Saves the cursor every now and then, without waiting: readers know by its position what is sent again. */
  #save(): void {
    const now_ms = performance.now();
    if (now_ms - this.#savedAt_ms < SAVE_ms) return;
    this.#savedAt_ms = now_ms;
    const { cursor, logger } = this.#deps;
    const current = this.#cursor;
    this.#saving = this.#saving
      .then(() => cursor.save(current))
      .catch((error: unknown) => {
        logger.warn({ err: error }, 'the cursor of the relay was not saved');
      });
  }

  /** How far the bus is behind the log, exactly. */
  lag(): Promise<LogLag> {
    return lagOf(this.#deps.log, this.#cursor.position);
  }
}
