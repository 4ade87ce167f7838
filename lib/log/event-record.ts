/** An event of the log as the API shows it. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { EventRecordSchema } from '../../gen/quittance/query/v1/event_query_service_pb.js';
import { commandMessage, commandOf } from './canonical-body.js';
import type { RecordedEvent } from './recorded-event.js';

/** The EventRecord of an event. */
export function eventRecord({ event, hash }: RecordedEvent): MessageInitShape<typeof EventRecordSchema> {
  const command = commandOf(event);
  return command === undefined ? { event, hash } : { event, hash, command: commandMessage(command) };
}
