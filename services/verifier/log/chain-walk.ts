/** Walks the hash chain of a log, row by row, and checks that its columns say what its events say. */
import { hash as digestOf } from 'node:crypto';
import { fromBinary } from '@bufbuild/protobuf';
import { type Event, EventSchema } from '../../../gen/quittance/event/v1/event_pb.js';
import { VerifySubject } from '../../../gen/quittance/ops/v1/ledger_service_pb.js';
import { streamIdOf } from '../../../lib/log/stream-id.js';
import { uuidFromBytes } from '../../../lib/base/uuid.js';
import type { FindingSink } from '../compare/findings.js';
import type { StoredEvent } from '../ports.js';
import { hexOf } from '../../../lib/base/bytes.js';

/** An event with its place, as the fold takes it. */
export interface LogRecord {
  readonly position: bigint;
  readonly event: Event;
}

/** What the bytes decode to; undefined if they are no event. */
export function decodeStored({ position, bytes }: StoredEvent): LogRecord | undefined {
  try {
    return { position, event: fromBinary(EventSchema, bytes) };
  } catch {
    return undefined;
  }
}

/** Walks from position 0 on. Give it every row of the shard in order. */
export class ChainWalk {
  readonly #shard: number;
  readonly #findings: FindingSink;
  #next = 0n;
  /** The hash of the row before; undefined right after a gap. */
  #hash: Uint8Array | undefined = new Uint8Array(0);
  #recordedTime = -1n;
  #epoch = 0;

  constructor(shard: number, findings: FindingSink) {
    this.#shard = shard;
    this.#findings = findings;
  }

  /** The hash of the last row. */
  get hash(): Uint8Array {
    return this.#hash ?? new Uint8Array(0);
  }

  /** Checks one row; gives its event, undefined if its bytes are none. */
  check(row: StoredEvent): LogRecord | undefined {
    const { position, bytes, hash } = row;
    this.#closeGap(position);
    const digest = digestOf('sha256', bytes, 'buffer');
    if (digest.compare(hash) !== 0) {
      this.#found(position, 'hash', `SHA-256 of the event: ${digest.toString('hex')}`, hexOf(hash));
    }
    const record = decodeStored(row);
    if (record === undefined)
      this.#found(position, 'event', 'the bytes of an event', 'bytes that do not decode');
    else this.#checkEvent(row, record.event);
    this.#next = position + 1n;
    this.#hash = hash;
    return record;
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

  #checkEvent(row: StoredEvent, event: Event): void {
    const { position } = row;
    const same = (entity: string, expected: unknown, actual: unknown) => {
      if (expected !== actual) this.#found(position, entity, String(expected), String(actual));
    };
    if (this.#hash !== undefined) same('previous_hash', hexOf(this.#hash), hexOf(event.previousHash));
    same('event.position', position, event.position);
    same('event.shard', this.#shard, event.shard);
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
    const requestId = textOf(event.requestId);
    same('column ledger_id', event.ledgerId, row.ledgerId);
    same('column stream_id', streamText(event), row.streamId);
    same('column request_id', requestId, row.requestId);
    same('column ordinal', event.ordinal, row.ordinal);
    same('column recorded_time', event.recordedTimeMicros, row.recordedTime);
    if (requestId !== null && event.ordinal === 0) same('request_keys', position, row.keyPosition);
  }

  #checkEpoch(position: bigint, { epoch, payload }: Event): void {
    const expected = payload.case === 'epochStarted' ? this.#epoch + 1 : this.#epoch;
    if (epoch !== expected) this.#found(position, 'event.epoch', String(expected), String(epoch));
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

/** A UUID as text; null for none; hexadecimal if it is not 16 bytes. */
function textOf(bytes: Uint8Array): string | null {
  if (bytes.length === 0) return null;
  return bytes.length === 16 ? uuidFromBytes(bytes) : hexOf(bytes);
}

function streamText(event: Event): string {
  const { stream } = event;
  return stream.case === 'transactionStreamId' ? (textOf(stream.value) ?? '') : streamIdOf(event);
}
