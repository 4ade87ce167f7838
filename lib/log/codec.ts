/**
 * Bytes of the log to events. Every version of the program decodes all bytes ever written: so far each change
 * of the contract was one that protobuf decodes by itself. The first that is not must translate the old form
 * here, and only here.
 */
import { type Event, EventSchema } from '../../gen/quittance/event/v1/event_pb.js';
import { decodeMessage } from '../base/codec/binary.js';
import type { RecordedEvent } from './recorded-event.js';

/** The bytes at a position are no event. */
export class UndecodableEvent extends Error {
  override readonly name = 'UndecodableEvent';
}

/** @throws UndecodableEvent */
export function decodeEvent(position: bigint, bytes: Uint8Array, hash: Uint8Array): RecordedEvent {
  return { position, event: decode(position, bytes), bytes, hash };
}

function decode(position: bigint, bytes: Uint8Array): Event {
  try {
    return decodeMessage(EventSchema, bytes);
  } catch (cause) {
    throw new UndecodableEvent(`the bytes at position ${String(position)} are no event`, { cause });
  }
}
