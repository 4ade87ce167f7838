/** Decodes each event of a bus once for the several consumers of a process. */
import { createHash } from 'node:crypto';
import { decodeEvent } from './codec.js';
import type { RecordedEvent } from './recorded-event.js';

/** Makes an event of its bytes. @throws UndecodableEvent */
export type DecodeRecord = (position: bigint, bytes: Buffer) => RecordedEvent;

export const decodeRecord: DecodeRecord = (position, bytes) =>
  decodeEvent(position, bytes, createHash('sha256').update(bytes).digest());

/** Decoded events are kept for the other consumers, within these bounds: one that is further behind decodes again. */
const MOST_EVENTS = 10_000;
const MOST_BYTES = 8 * 1024 * 1024;

interface Kept {
  readonly record: RecordedEvent;
  /** How many consumers have not asked for it yet. */
  consumers: number;
}

/** @param consumers how many ask for each event */
export function sharedRecords(consumers: number): DecodeRecord {
  /** By position, in the order in which they were decoded. */
  const kept = new Map<bigint, Kept>();
  let size_bytes = 0;
  const drop = (position: bigint, { record }: Kept) => {
    kept.delete(position);
    size_bytes -= record.bytes.length;
  };
  return (position, bytes) => {
    const found = kept.get(position);
    // The log may have been restored, and the event of that position be another one.
    if (found !== undefined && bytes.equals(found.record.bytes)) {
      found.consumers -= 1;
      if (found.consumers === 0) drop(position, found);
      return found.record;
    }
    if (found !== undefined) drop(position, found);
    const record = decodeRecord(position, bytes);
    if (consumers > 1) kept.set(position, { record, consumers: consumers - 1 });
    size_bytes += consumers > 1 ? bytes.length : 0;
    for (const [oldest, entry] of kept) {
      if (kept.size <= MOST_EVENTS && size_bytes <= MOST_BYTES) break;
      drop(oldest, entry);
    }
    return record;
  };
}
