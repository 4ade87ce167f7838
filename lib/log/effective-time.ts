/** When the entries of a transaction are dated. */
import { fromBinary } from '@bufbuild/protobuf';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { TimestampSchema } from '@bufbuild/protobuf/wkt';
import type * as log from '../../gen/quittance/event/v1/event_pb.js';
import type { CommandType } from '../../gen/quittance/event/v1/event_pb.js';
import { microsOf } from '../base/time.js';
import { type CommandCase, commandTypeOf, requestSchema } from './canonical-body.js';

const DATED: readonly CommandCase['case'][] = [
  'deposit',
  'withdraw',
  'submitPayment',
  'authorizePayment',
  'capturePayment',
  'refundPayment',
  'postTransaction',
  'reverseTransaction',
];

/** The number of `effective_time` in each request that may have one. */
const EFFECTIVE_TIME_FIELD: ReadonlyMap<CommandType, number> = new Map(
  DATED.flatMap((name): [CommandType, number][] => {
    const field = requestSchema(name).field['effectiveTime'];
    return field === undefined ? [] : [[commandTypeOf(name), field.number]];
  }),
);

/**
 * The time that the entries of a transaction are dated, UTC microseconds. Picks the one field out of the
 * canonical body: to decode all of it would cost as much as to decode the event.
 */
export function effectiveTimeOf(event: log.Event): bigint {
  const wanted = EFFECTIVE_TIME_FIELD.get(event.commandType);
  if (wanted === undefined) return event.recordedTimeMicros;
  const reader = new BinaryReader(event.canonicalBody);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === wanted) return microsOf(fromBinary(TimestampSchema, reader.bytes()));
    reader.skip(wireType, field);
  }
  return event.recordedTimeMicros;
}
