/** The request that delivers an event: a CloudEvent in structured JSON, signed. */
import { create, toJson } from '@bufbuild/protobuf';
import { EventRecordSchema } from '../../gen/quittance/query/v1/event_query_service_pb.js';
import { cloudEventAttributes } from '../../lib/log/cloud-event.js';
import { eventRecord } from '../../lib/log/event-record.js';
import type { RecordedEvent } from '../../lib/log/recorded-event.js';
import { JSON_FIELDS } from '../../lib/rpc/connect/json-size.js';
import { type Micros, SECOND } from '../../lib/base/time.js';
import type { Post } from './sender.js';
import { signatureOf } from './signature.js';

/** What is sent, and under which id. */
export interface EventPost extends Post {
  /** The id of the CloudEvent, and the header `webhook-id`: the same however often the event is sent. */
  readonly eventId: string;
}

/** The request for an event. `now` goes into what is signed: a receiver refuses what is old. */
export function postOf(
  record: RecordedEvent,
  { url, secrets }: { readonly url: string; readonly secrets: readonly Uint8Array[] },
  { shard, now, userAgent }: { readonly shard: number; readonly now: Micros; readonly userAgent: string },
): EventPost {
  const attributes = cloudEventAttributes(record, shard);
  const eventId = attributes['id'] ?? '';
  const body = bodyOf(record, attributes);
  const timestamp_s = Number(now / SECOND);
  return {
    eventId,
    url,
    body,
    headers: {
      'content-type': 'application/cloudevents+json; charset=utf-8',
      'user-agent': userAgent,
      'webhook-id': eventId,
      'webhook-timestamp': String(timestamp_s),
      'webhook-signature': signatureOf(secrets, { id: eventId, timestamp_s, body }),
    },
  };
}

/** `data` is the EventRecord as ListEvents answers it in JSON. */
function bodyOf(record: RecordedEvent, attributes: Readonly<Record<string, string>>): string {
  const data = toJson(EventRecordSchema, create(EventRecordSchema, eventRecord(record)), JSON_FIELDS);
  return JSON.stringify({ ...attributes, datacontenttype: 'application/json', data });
}
