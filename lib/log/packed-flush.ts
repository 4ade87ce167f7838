/** The events of a commit as one block of memory, which moves from one thread to another without a copy. */
import { decodeEvent } from './codec.js';
import type { RecordedEvent } from './recorded-event.js';

/** An event as it is stored, not decoded. */
export type StoredEvent = Pick<RecordedEvent, 'position' | 'bytes' | 'hash'>;

export interface PackedFlush {
  /** The position of the first event; the others follow without a gap. */
  readonly first: bigint;
  readonly count: number;
  /** Where each event ends among the bytes (4 bytes each), their hashes (32 each), then the bytes. */
  readonly block: ArrayBuffer;
}

const END_BYTES = Uint32Array.BYTES_PER_ELEMENT;
const HASH_BYTES = 32;

/** Copies events that follow each other; there is at least one. */
export function packFlush(events: readonly StoredEvent[]): PackedFlush {
  const [head] = events;
  if (head === undefined) throw new Error('a flush has an event');
  const count = events.length;
  const start = count * (END_BYTES + HASH_BYTES);
  const block = new ArrayBuffer(start + events.reduce((size, { bytes }) => size + bytes.length, 0));
  const all = new Uint8Array(block);
  const ends = new Uint32Array(block, 0, count);
  let end = 0;
  events.forEach(({ bytes, hash }, index) => {
    all.set(hash, count * END_BYTES + index * HASH_BYTES);
    all.set(bytes, start + end);
    end += bytes.length;
    ends[index] = end;
  });
  return { first: head.position, count, block };
}

/** Decodes the events. They hold on to the block. @throws UndecodableEvent */
export function unpackFlush({ first, count, block }: PackedFlush): readonly RecordedEvent[] {
  const ends = new Uint32Array(block, 0, count);
  const start = count * (END_BYTES + HASH_BYTES);
  let from = 0;
  return Array.from(ends, (end, index) => {
    const bytes = Buffer.from(block, start + from, end - from);
    const hash = Buffer.from(block, count * END_BYTES + index * HASH_BYTES, HASH_BYTES);
    from = end;
    return decodeEvent(first + BigInt(index), bytes, hash);
  });
}
