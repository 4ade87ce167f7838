/** The words of the log: an event as it is recorded, and a point of the log. */
import type { Event } from '../../gen/quittance/event/v1/event_pb.js';

/** An event as it is stored, with what it decodes to. */
export interface RecordedEvent {
  readonly position: bigint;
  /** Decoded by decodeEvent. */
  readonly event: Event;
  /** Exactly as encoded once. */
  readonly bytes: Uint8Array;
  /** SHA-256 of `bytes`. */
  readonly hash: Uint8Array;
}

/** A point of the log of a shard: every event up to `position` is before it. */
export interface LogPoint {
  readonly epoch: number;
  /** -1n before the first event. */
  readonly position: bigint;
  /** The hash of the event at `position`; empty before the first. */
  readonly hash: Uint8Array;
  /** The recorded_time of the event at `position`, UTC microseconds; 0n before the first. */
  readonly recordedTime: bigint;
}

export const BEFORE_THE_LOG: LogPoint = {
  epoch: 0,
  position: -1n,
  hash: new Uint8Array(0),
  recordedTime: 0n,
};

/** The point of the log that an event stands at. */
export function pointOf({ position, event, hash }: RecordedEvent): LogPoint {
  return { epoch: event.epoch, position, hash, recordedTime: event.recordedTimeMicros };
}
