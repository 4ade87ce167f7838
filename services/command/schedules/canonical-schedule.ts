/** What is kept of a CreateScheduleRequest: rows hold it for as long as there is the log, and retries are compared with it. */
import {
  type CreateScheduleRequest,
  CreateScheduleRequestSchema,
} from '../../../gen/quittance/command/v1/schedule_service_pb.js';
import { encodeMessage } from '../../../lib/base/codec/binary.js';
import { withoutOutputOnly } from '../../../lib/log/output-only.js';

/** The request in canonical form: without request_id, validate_only and output-only fields, its map sorted by key. */
export function canonicalSchedule(request: CreateScheduleRequest): Uint8Array {
  const value = { ...request, requestId: '', validateOnly: false };
  if (value.payment !== undefined) {
    const { metadata } = value.payment;
    const sorted = Object.keys(metadata).sort();
    value.payment = {
      ...value.payment,
      metadata: Object.fromEntries(sorted.map((key) => [key, metadata[key] ?? ''])),
    };
  }
  const canonical = withoutOutputOnly(CreateScheduleRequestSchema, value);
  // Copied: the encoder may answer a part of a buffer that others share.
  return Uint8Array.from(encodeMessage(CreateScheduleRequestSchema, canonical));
}
