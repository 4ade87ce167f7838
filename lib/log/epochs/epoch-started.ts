/** The event that begins an epoch: the log goes on after `end`, and what other histories had there is lost. */
import { hash } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { EpochStartedSchema, EventSchema } from '../../../gen/quittance/event/v1/event_pb.js';
import { largerOf } from '../../base/bigints.js';
import { encodeMessage } from '../../base/codec/binary.js';
import type { Micros } from '../../base/time.js';
import type { LogPoint, RecordedEvent } from '../recorded-event.js';

/** @param now UTC microseconds; recorded_time rises all the same */
export function epochStarted(end: LogPoint, epoch: number, shard: number, now: Micros): RecordedEvent {
  const position = end.position + 1n;
  const event = create(EventSchema, {
    shard,
    epoch,
    position,
    recordedTimeMicros: largerOf(now, end.recordedTime + 1n),
    previousHash: end.hash,
    payload: {
      case: 'epochStarted',
      value: create(EpochStartedSchema, { forkPosition: end.position, forkHash: end.hash }),
    },
  });
  const bytes = encodeMessage(EventSchema, event);
  return { position, event, bytes, hash: hash('sha256', bytes, 'buffer') };
}
