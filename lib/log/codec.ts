/** Bytes of the log to events. Every version of the program decodes all bytes ever written. */
import { type Event, EventSchema } from '../../gen/quittance/event/v1/event_pb.js';
import { decodeMessage } from '../base/codec/binary.js';
import type { RecordedEvent } from './recorded-event.js';
import { upcast } from './upcast.js';

/** The bytes at a position are no event. */
export class UndecodableEvent extends Error {
  override readonly name = 'UndecodableEvent';
}

/** @throws UndecodableEvent */
export function decodeEvent(position: bigint, bytes: Uint8Array, hash: Uint8Array): RecordedEvent {
  return { position, event: decode(position, bytes), bytes, hash };
}

/** What bytes of the log say, in the form of today. @throws Error if they are no event */
export function eventOf(bytes: Uint8Array): Event {
  return upcast(decodeMessage(EventSchema, bytes));
}

function decode(position: bigint, bytes: Uint8Array): Event {
  try {
    return eventOf(bytes);
  } catch (cause) {
    throw new UndecodableEvent(`the bytes at position ${String(position)} are no event`, { cause });
  }
}
