/** How events are shown. */
import { Buffer } from 'node:buffer';
import { CommandType, type Event } from '../../../gen/quittance/event/v1/event_pb.js';
import {
  type EventRecord,
  EventRecordSchema,
} from '../../../gen/quittance/query/v1/event_query_service_pb.js';
import { timestampOf } from '../../../lib/base/time.js';
import { uuidFromBytes } from '../../../lib/base/uuid.js';
import { wordOf } from '../flags.js';
import { jsonOf, type Sheet } from '../sheet.js';
import { briefOf, isoOf } from '../when.js';

/** So many digits of a hash tell two apart in a list. */
const BRIEF_HASH_CHARS = 12;

export const EVENTS: Sheet<EventRecord> = {
  columns: [
    { name: 'position', of: ofEvent(({ position }) => String(position)), isRight: true },
    {
      name: 'time',
      of: ofEvent((event) => isoOf(timestampOf(event.recordedTimeMicros))),
      brief: ofEvent((event) => briefOf(timestampOf(event.recordedTimeMicros))),
    },
    { name: 'event', of: ofEvent(eventName) },
    { name: 'stream', of: ofEvent(streamOf) },
    { name: 'actor', of: ofEvent(({ actor }) => actor) },
    { name: 'command', of: ofEvent(({ commandType }) => wordOf(CommandType, commandType)) },
    { name: 'hash', of: hashText, brief: (record) => hashText(record).slice(0, BRIEF_HASH_CHARS) },
    { name: 'request', of: ofEvent(({ requestId }) => uuidText(requestId)), isWide: true },
    { name: 'ordinal', of: ofEvent(({ ordinal }) => String(ordinal)), isRight: true, isWide: true },
    { name: 'trace', of: ofEvent(({ traceId }) => Buffer.from(traceId).toString('hex')), isWide: true },
    { name: 'epoch', of: ofEvent(({ epoch }) => String(epoch)), isRight: true, isWide: true },
  ],
  id: ofEvent(({ position }) => String(position)),
  json: (record) => jsonOf(EventRecordSchema, record),
};

/** The short name of what happened, such as `TransactionPosted`. */
export function eventName({ payload }: Event): string {
  return payload.value?.$typeName.replace(/^.*\./, '') ?? '';
}

/** An account, the root transaction of a chain, or the ledger. */
export function streamOf({ stream }: Event): string {
  if (stream.case === 'entityStreamId') return stream.value;
  return stream.case === undefined ? '' : uuidText(stream.value);
}

/** The hash in hexadecimal digits. */
export function hashText({ hash }: { readonly hash: Uint8Array }): string {
  return Buffer.from(hash).toString('hex');
}

function uuidText(bytes: Uint8Array): string {
  return bytes.length === 0 ? '' : uuidFromBytes(bytes);
}

function ofEvent(of: (event: Event) => string): (record: EventRecord) => string {
  return ({ event }) => (event === undefined ? '' : of(event));
}
