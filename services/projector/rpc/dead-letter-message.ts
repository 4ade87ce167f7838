/** A dead letter as the API shows it. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { DeadLetterSchema } from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import { timestampOf } from '../../../lib/base/time.js';
import type { DeadLetter } from '../../../lib/views/parked/dead-letter.js';

export function deadLetterMessage(letter: DeadLetter): MessageInitShape<typeof DeadLetterSchema> {
  const { position, ledgerId, streamId, eventType, recordedTime, parkedTime, behind, tries, failure } =
    letter;
  return {
    position,
    ledgerId,
    streamId,
    eventType,
    recordedTime: timestampOf(recordedTime),
    parkTime: timestampOf(parkedTime),
    behindPosition: behind ?? 0n,
    tries,
    failure,
  };
}
