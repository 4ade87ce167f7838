/** Events of the log in memory, in order and without a gap, within bounds; decoded when they are first asked for. */
import { decodeEvent } from './codec.js';
import { type PackedFlush, unpackFlush } from './packed-flush.js';
import type { RecordedEvent } from './recorded-event.js';

/** What is held at most. */
export interface HeldLimits {
  /** Beyond these the oldest are dropped. */
  readonly events: number;
  readonly size_bytes: number;
  /**
   * Decoded events take several times their bytes. Beyond these the ones that were decoded first are decoded again if they
   * are asked for again.
   */
  readonly decodedEvents: number;
}

/** Events that came together. */
interface Segment {
  /** Those before it are in the segment before. */
  readonly first: bigint;
  readonly last: bigint;
  readonly size_bytes: number;
  decoded: readonly RecordedEvent[] | undefined;
  readonly decode: () => readonly RecordedEvent[];
}

export class HeldEvents {
  readonly #limits: HeldLimits;
  #segments: Segment[] = [];
  #size_bytes = 0;
  /** In the order in which they were decoded. */
  readonly #decoded = new Set<Segment>();
  #decodedEvents = 0;

  constructor(limits: HeldLimits) {
    this.#limits = limits;
  }

  get count(): number {
    const [first, last] = [this.#segments[0], this.#segments.at(-1)];
    return first === undefined || last === undefined ? 0 : Number(last.last - first.first) + 1;
  }

  /** The position of the last one; undefined if there is none. */
  get last(): bigint | undefined {
    return this.#segments.at(-1)?.last;
  }

  /** Whether the event after a position is older than all that is held. */
  beginAfter(position: bigint): boolean {
    const [segment] = this.#segments;
    return segment !== undefined && segment.first > position + 1n;
  }

  addFlush(flush: PackedFlush): void {
    const { first, count, block } = flush;
    const last = first + BigInt(count) - 1n;
    this.#add(first, last, { size_bytes: block.byteLength, decode: () => unpackFlush(flush) });
  }

  /** Adds decoded events that follow each other. */
  addEvents(events: readonly RecordedEvent[]): void {
    const [first, last] = [events[0], events.at(-1)];
    if (first === undefined || last === undefined) return;
    const stored = events.map(({ position, bytes, hash }) => ({ position, bytes, hash }));
    const decode = () => stored.map(({ position, bytes, hash }) => decodeEvent(position, bytes, hash));
    const size_bytes = stored.reduce((size, { bytes }) => size + bytes.length, 0);
    const segment = this.#add(first.position, last.position, { size_bytes, decode });
    if (segment !== undefined) this.#keepDecoded(segment, events);
  }

  /** The events after a position, at most `limit`; none if the next one is not held. @throws UndecodableEvent */
  after(position: bigint, limit: number): readonly RecordedEvent[] {
    let next = position + 1n;
    let index = this.#indexOf(next);
    const parts: (readonly RecordedEvent[])[] = [];
    let count = 0;
    for (let segment = this.#segments[index]; segment !== undefined; segment = this.#segments[index]) {
      const more = Number(segment.last - next) + 1;
      if (count > 0 && count + more > limit) break;
      parts.push(eventsFrom(this.#eventsOf(segment), next));
      count += more;
      next = segment.last + 1n;
      index += 1;
    }
    const found = parts.length > 1 ? parts.flat() : (parts[0] ?? []);
    return found.length > limit ? found.slice(0, limit) : found;
  }

  /** Drops everything. */
  clear(): void {
    this.#dropOldest(this.#segments.length);
  }

  /** Drops what no reader needs any more. */
  dropThrough(position: bigint): void {
    let count = 0;
    for (const segment of this.#segments) {
      if (segment.last > position) break;
      count += 1;
    }
    this.#dropOldest(count);
  }

  /** Takes in what is new of it. What does not follow the end begins anew: readers find what lies between in the log. */
  #add(first: bigint, last: bigint, parts: Pick<Segment, 'size_bytes' | 'decode'>): Segment | undefined {
    const end = this.last;
    if (end !== undefined && last <= end) return undefined;
    if (end !== undefined && first > end + 1n) this.#dropOldest(this.#segments.length);
    const next = this.last === undefined ? first : this.last + 1n;
    const { size_bytes, decode } = parts;
    const segment: Segment = { first: next, last, size_bytes, decoded: undefined, decode };
    this.#segments.push(segment);
    this.#size_bytes += size_bytes;
    const { events, size_bytes: most_bytes } = this.#limits;
    while (this.#segments.length > 1 && (this.count > events || this.#size_bytes > most_bytes)) {
      this.#dropOldest(1);
    }
    return segment;
  }

  #eventsOf(segment: Segment): readonly RecordedEvent[] {
    if (segment.decoded !== undefined) return segment.decoded;
    const events = segment.decode();
    this.#keepDecoded(segment, events);
    return events;
  }

  #keepDecoded(segment: Segment, events: readonly RecordedEvent[]): void {
    segment.decoded = events;
    this.#decoded.add(segment);
    this.#decodedEvents += events.length;
    for (const oldest of this.#decoded) {
      if (this.#decodedEvents <= this.#limits.decodedEvents || oldest === segment) break;
      this.#forget(oldest);
    }
  }

  #forget(segment: Segment): void {
    if (!this.#decoded.delete(segment)) return;
    this.#decodedEvents -= segment.decoded?.length ?? 0;
    segment.decoded = undefined;
  }

  #dropOldest(count: number): void {
    for (const segment of this.#segments.splice(0, count)) {
      this.#size_bytes -= segment.size_bytes;
      this.#forget(segment);
    }
  }

  /** Where the segment of a position is; the number of segments if it is not held. */
  #indexOf(position: bigint): number {
    const segments = this.#segments;
    if (this.beginAfter(position - 1n)) return segments.length;
    let [low, high] = [0, segments.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const segment = segments[middle];
      if (segment !== undefined && segment.last < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function eventsFrom(events: readonly RecordedEvent[], position: bigint): readonly RecordedEvent[] {
  const [first] = events;
  return first === undefined || first.position >= position
    ? events
    : events.slice(Number(position - first.position));
}
