/** What events say of themselves, in words. */
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import type { Event } from '../../../gen/quittance/event/v1/event_pb.js';
import { countOf } from './numbers.js';

const MICROS_PER_SECOND = 1_000_000n;
const NANOS_PER_MICRO = 1_000n;

export function timestampOfMicros(micros: bigint): Timestamp {
  return {
    $typeName: 'google.protobuf.Timestamp',
    seconds: micros / MICROS_PER_SECOND,
    nanos: countOf((micros % MICROS_PER_SECOND) * NANOS_PER_MICRO),
  };
}

/** `transaction posted`. */
export function payloadName({ payload }: Event): string {
  return (payload.case ?? 'unknown')
    .replace(/V\d+$/, '')
    .replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** The account, or the transaction that it began with; empty for an event of the ledger. */
export function streamOf({ stream }: Event): string {
  if (stream.case === 'transactionStreamId') return uuidText(stream.value);
  return stream.value ?? '';
}

export function hexOf(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

export function uuidText(bytes: Uint8Array): string {
  return hexOf(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
