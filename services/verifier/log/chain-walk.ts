/** Walks the hash chain of a log, row by row, and checks that its columns say what its events say. */
import { hash as digestOf } from 'node:crypto';
import type { Event } from '../../../gen/quittance/event/v1/event_pb.js';
import { VerifySubject } from '../../../gen/quittance/ops/v1/ledger_service_pb.js';
import { hexOf, isSameBytes } from '../../../lib/base/bytes.js';
import { eventOf } from '../../../lib/log/codec.js';
import type { FindingSink } from '../compare/findings.js';
import type { StoredEvent, StoredFlush } from '../ports.js';
import type { ExpectedCopies } from './expected-copies.js';

/** An event with its place, as the fold takes it. */
export interface LogRecord {
  readonly position: bigint;
  readonly event: Event;
}

/** What the bytes decode to; undefined if they are no event. */
export function decodeStored({ position, bytes }: StoredEvent): LogRecord | undefined {
  try {
    return { position, event: eventOf(bytes) };
  } catch {
    return undefined;
  }
}

/** Walks from position 0 on. Give it every row of the shard in order. */
export class ChainWalk {
  readonly #shard: number;
  readonly #findings: FindingSink;
  #next = 0n;
  /** The hash of the event before; undefined right after a gap. */
  #hash: Uint8Array | undefined = new Uint8Array(0);
  #recordedTime = -1n;
  #epoch = 0;

  constructor(shard: number, findings: FindingSink) {
    this.#shard = shard;
    this.#findings = findings;
  }

  /** Checks one row; gives its events, less those whose bytes are none. What it expects of look-ups goes to `copies`. */
  check(flush: StoredFlush, copies: ExpectedCopies): LogRecord[] {
    this.#closeGap(flush.first);
    this.#checkEnds(flush);
    const records: LogRecord[] = [];
    let start = 0;
    for (const [index, end] of flush.ends.entries()) {
      const stored = { position: flush.first + BigInt(index), bytes: flush.events.subarray(start, end) };
      start = end;
      const record = this.#checkEvent(stored, index > 0);
      if (record === undefined) continue;
      records.push(record);
      copies.add(record, flush.first);
    }
    this.#checkColumns(flush, records.at(-1));
    this.#next = flush.first + BigInt(flush.ends.length);
    return records;
  }

  /** The rows end here: nothing up to `through` may be missing. */
  end(through: bigint): void {
    this.#closeGap(through + 1n);
  }

  #closeGap(position: bigint): void {
    if (position <= this.#next) return;
    const last = position - 1n;
    const events = last === this.#next ? `the event at ${last}` : `the events at ${this.#next} to ${last}`;
    this.#found(this.#next, 'position', events, 'none: removed from the log');
    this.#hash = undefined;
  }

  /** One event must end after the other, the last one where the bytes end. */
  #checkEnds({ first, last, ends, events }: StoredFlush): void {
    if (first < this.#next) this.#found(first, 'first', String(this.#next), String(first));
    const count = last - first + 1n;
    const isWhole =
      BigInt(ends.length) === count &&
      ends.every((end, index) => end > (ends[index - 1] ?? 0)) &&
      ends.at(-1) === events.length;
    if (isWhole) return;
    const expected = `${count} events that end one after the other, the last at ${events.length}`;
    this.#found(first, 'ends', expected, ends.join(','));
  }

  /** What the row says of its last event. */
  #checkColumns(flush: StoredFlush, record: LogRecord | undefined): void {
    if (this.#hash !== undefined && !isSameBytes(this.#hash, flush.hash)) {
      const expected = `SHA-256 of the event: ${hexOf(this.#hash)}`;
      this.#found(flush.last, 'hash', expected, hexOf(flush.hash));
      this.#hash = flush.hash;
    }
    if (record?.position !== flush.last) return;
    const { epoch, recordedTimeMicros } = record.event;
    this.#same(flush.last, 'column epoch', epoch, flush.epoch);
    this.#same(flush.last, 'column recorded_time', recordedTimeMicros, flush.recordedTime);
  }

  /** Checks one event, and where it is not the first of its row, what it says of the one before. */
  #checkEvent(stored: StoredEvent, isWithin: boolean): LogRecord | undefined {
    const { position, bytes } = stored;
    const record = decodeStored(stored);
    if (record === undefined) {
      this.#found(position, 'event', 'the bytes of an event', 'bytes that do not decode');
    } else {
      this.#checkPrevious(position, record.event, isWithin);
      this.#checkEnvelope(position, record.event);
    }
    this.#hash = digestOf('sha256', bytes, 'buffer');
    return record;
  }

  /** Within a row only the next event says an event's hash: what it says is wrong is the event, not the next one. */
  #checkPrevious(position: bigint, { previousHash }: Event, isWithin: boolean): void {
    if (this.#hash === undefined || isSameBytes(this.#hash, previousHash)) return;
    const [actual, digest] = [hexOf(previousHash), hexOf(this.#hash)];
    if (isWithin) this.#found(position - 1n, 'hash', `SHA-256 of the event: ${digest}`, actual);
    else this.#found(position, 'previous_hash', digest, actual);
  }

  #checkEnvelope(position: bigint, event: Event): void {
    this.#same(position, 'event.position', position, event.position);
    this.#same(position, 'event.shard', this.#shard, event.shard);
    if (event.recordedTimeMicros <= this.#recordedTime) {
      this.#found(
        position,
        'event.recorded_time',
        `after ${this.#recordedTime}`,
        String(event.recordedTimeMicros),
      );
    }
    this.#recordedTime = event.recordedTimeMicros;
    this.#checkEpoch(position, event);
    this.#checkKind(position, event);
  }

  #same(position: bigint, entity: string, expected: unknown, actual: unknown): void {
    if (expected !== actual) this.#found(position, entity, String(expected), String(actual));
  }

  #checkEpoch(position: bigint, { epoch, payload }: Event): void {
    const begins = payload.case === 'epochStarted';
    // A lost history may have had epochs of its own: their numbers are not given again.
    const isRight = begins ? epoch > this.#epoch : epoch === this.#epoch;
    if (!isRight) {
      const expected = begins ? `above ${String(this.#epoch)}` : String(this.#epoch);
      this.#found(position, 'event.epoch', expected, String(epoch));
    }
    this.#epoch = epoch;
    if (payload.case !== 'epochStarted') return;
    const { forkPosition, forkHash } = payload.value;
    if (forkPosition !== position - 1n) {
      this.#found(position, 'fork_position', String(position - 1n), String(forkPosition));
    }
    if (this.#hash !== undefined && hexOf(this.#hash) !== hexOf(forkHash)) {
      this.#found(position, 'fork_hash', hexOf(this.#hash), hexOf(forkHash));
    }
  }

  #checkKind(position: bigint, event: Event): void {
    const kind = event.payload.case;
    if (kind === undefined && !event.ignorable) {
      this.#found(position, 'event', 'a kind of event that this version knows', 'an unknown kind');
    }
    if ((kind === 'logStarted') !== (position === 0n)) {
      this.#found(position, 'event', 'LogStarted at position 0 and nowhere else', kind ?? 'an unknown kind');
    }
    const ofNoLedger = kind === 'logStarted' || kind === 'epochStarted';
    if (kind !== undefined && ofNoLedger !== (event.ledgerId === '')) {
      this.#found(position, 'event.ledger_id', ofNoLedger ? 'none' : 'a ledger', event.ledgerId);
    }
  }

  #found(position: bigint, entity: string, expected: string, actual: string): void {
    this.#findings.add({ subject: VerifySubject.LOG, position, entity, expected, actual });
  }
}
