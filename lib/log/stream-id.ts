/** The stream of an event as text, as the log's index has it. */
import type { Event } from '../../gen/quittance/event/v1/event_pb.js';
import { uuidFromBytes } from '../base/uuid.js';

export function streamIdOf({ stream }: Event): string {
  switch (stream.case) {
    case 'entityStreamId':
      return stream.value;
    case 'transactionStreamId':
      return uuidFromBytes(stream.value);
    case undefined:
      return '';
  }
}
