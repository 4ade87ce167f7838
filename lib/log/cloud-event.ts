/**
 * Messages of the topic: CloudEvents 1.0 in Kafka's binary mode, with the event's bytes exactly as they are
 * stored as the value.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
 *
 * Two attributes are not of the standard: `ce_previous` is the position of the partition's event before this
 * one (-1: none), by which a reader knows that it has missed nothing; `ce_watermark`
 * (`<epoch>:<position>:<recorded time, microseconds>:<hash>`) says up to where the partition is complete with
 * this message. A message of type quittance.watermark.v1 says that alone.
 */
import { type Event, EventSchema } from '../../gen/quittance/event/v1/event_pb.js';
import { decodeMessage } from '../base/codec/binary.js';
import type { OutgoingMessage } from './bus.js';
import type { LogPoint, RecordedEvent } from './recorded-event.js';
import { type DecodeRecord, decodeRecord } from './shared-records.js';
import { streamIdOf } from './stream-id.js';

export interface BusMessage {
  /** The ledger; empty where the message belongs to none. */
  readonly key: Buffer;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** What a message of the topic says. */
export interface IncomingMessage {
  readonly record: RecordedEvent | undefined;
  readonly after: bigint;
  readonly watermark: LogPoint | undefined;
}

/** A message that no relay of Quittance sent, or that is damaged. No reader skips it in silence. */
export class UnreadableMessage extends Error {
  override readonly name = 'UnreadableMessage';
}

export const WATERMARK_TYPE = 'quittance.watermark.v1';
const EVENT_TYPES = 'quittance.event.';
const V1 = `${EVENT_TYPES}v1.`;
const V2 = `${EVENT_TYPES}v2.`;
const EMPTY = Buffer.alloc(0);

/** A message as Kafka takes it. */
export function toKafkaMessage(
  { partition, record, after, watermark }: OutgoingMessage,
  shard: number,
): BusMessage {
  const headers: Record<string, string> = {
    ce_specversion: '1.0',
    ce_source: sourceOf(shard),
    ce_previous: String(after),
  };
  if (watermark !== undefined) headers['ce_watermark'] = watermarkText(watermark);
  if (record !== undefined) {
    const { event, bytes } = record;
    Object.assign(headers, attributesOf(record, shard));
    return { key: Buffer.from(event.ledgerId), value: asBuffer(bytes), headers };
  }
  if (watermark === undefined) throw new Error('a message has an event or a watermark');
  headers['ce_type'] = WATERMARK_TYPE;
  headers['ce_id'] =
    `${String(shard)}-${String(watermark.epoch)}-${String(watermark.position)}-w${String(partition)}`;
  return { key: EMPTY, value: EMPTY, headers };
}

function attributesOf(
  { event, bytes, position, hash }: RecordedEvent,
  shard: number,
): Record<string, string> {
  const attributes: Record<string, string> = {
    'content-type': 'application/protobuf',
    ce_id: `${String(shard)}-${String(event.epoch)}-${String(position)}`,
    ce_type: typeOf(event, bytes),
    ce_time: isoTime(event.recordedTimeMicros),
    ce_sequence: String(position),
    ce_partitionkey: event.ledgerId,
    ce_dataschema: 'quittance/event/v1/event.proto#Event',
  };
  const subject = streamIdOf(event);
  if (subject !== '') attributes['ce_subject'] = subject;
  const traceparent = traceparentOf(event, hash);
  if (traceparent !== undefined) attributes['traceparent'] = traceparent;
  return attributes;
}

/** The attributes of an event for the structured form, by their own names, without those of its data. */
export function cloudEventAttributes(record: RecordedEvent, shard: number): Record<string, string> {
  const attributes: Record<string, string> = { specversion: '1.0', source: sourceOf(shard) };
  for (const [name, value] of Object.entries(attributesOf(record, shard))) {
    // These two are of the bytes that Kafka carries.
    if (name !== 'content-type' && name !== 'ce_dataschema') attributes[name.replace(/^ce_/, '')] = value;
  }
  return attributes;
}

function sourceOf(shard: number): string {
  return `/quittance/shards/${String(shard)}`;
}

/** Of the message that happened, as the bytes have it: an old one is decoded as one of today. */
function typeOf({ payload }: Event, bytes: Uint8Array): string {
  // No other kind of event has a second version, and ledgers are few.
  if (payload.case !== 'ledgerCreatedV2') return V1 + (payload.case ?? 'unknown');
  const stored = decodeMessage(EventSchema, bytes).payload.case;
  return `${stored === 'ledgerCreatedV2' ? V2 : V1}ledgerCreated`;
}

/** W3C trace context: the trace of the call that made the event, and a span that is this event's own. */
function traceparentOf({ traceId, traceSampled }: Event, hash: Uint8Array): string | undefined {
  if (traceId.length !== 16) return undefined;
  return `00-${asBuffer(traceId).toString('hex')}-${asBuffer(hash).toString('hex', 0, 8)}-${traceSampled ? '01' : '00'}`;
}

/** RFC 3339 with microseconds. */
function isoTime(micros: bigint): string {
  const seconds = new Date(Number(micros / 1_000n)).toISOString().slice(0, 19);
  return `${seconds}.${String(micros % 1_000_000n).padStart(6, '0')}Z`;
}

function watermarkText({ epoch, position, recordedTime, hash }: LogPoint): string {
  return `${String(epoch)}:${String(position)}:${String(recordedTime)}:${asBuffer(hash).toString('hex')}`;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

const INTEGER = /^-?\d{1,19}$/;
const WATERMARK = /^(\d{1,9}):(\d{1,19}):(\d{1,19}):([0-9a-f]{64})$/;

/** Reads a message of the topic. @throws UnreadableMessage, UndecodableEvent */
export function fromKafkaMessage(
  value: Buffer | null,
  header: (name: string) => string | undefined,
  decode: DecodeRecord = decodeRecord,
): IncomingMessage {
  const type = header('ce_type') ?? '';
  const previous = header('ce_previous') ?? '';
  if (!INTEGER.test(previous) || !(type === WATERMARK_TYPE || type.startsWith(EVENT_TYPES))) {
    throw new UnreadableMessage('the message was not sent by a relay of Quittance');
  }
  const after = BigInt(previous);
  const watermark = watermarkOf(header('ce_watermark'));
  if (type === WATERMARK_TYPE) {
    if (watermark === undefined) throw new UnreadableMessage('a watermark message without a watermark');
    return { record: undefined, after, watermark };
  }
  const sequence = header('ce_sequence') ?? '';
  if (value === null || !INTEGER.test(sequence)) throw new UnreadableMessage('an event without its bytes');
  const position = BigInt(sequence);
  const record = decode(position, value);
  // The chain of hashes covers what is inside; the header is only to save the decoding.
  if (record.event.position !== position) throw new UnreadableMessage('the event is of another position');
  return { record, after, watermark };
}

function watermarkOf(text: string | undefined): LogPoint | undefined {
  if (text === undefined) return undefined;
  const found = WATERMARK.exec(text);
  if (found === null) throw new UnreadableMessage('a watermark that cannot be read');
  const [, epoch = '', position = '', recordedTime = '', hash = ''] = found;
  return {
    epoch: Number(epoch),
    position: BigInt(position),
    recordedTime: BigInt(recordedTime),
    hash: Buffer.from(hash, 'hex'),
  };
}
