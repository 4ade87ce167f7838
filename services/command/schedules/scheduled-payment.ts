/** The payment of one time of a schedule: an ordinary SubmitPayment whose request id follows from the schedule and the time. */
import { create } from '@bufbuild/protobuf';
import { v5 } from 'uuid';
import {
  type SubmitPaymentRequest,
  SubmitPaymentRequestSchema,
} from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import type { CreateScheduleRequest } from '../../../gen/quittance/command/v1/schedule_service_pb.js';
import type { Micros } from '../../../lib/base/time.js';
import { uuidToBytes } from '../../../lib/base/uuid.js';
import { isoOf } from './iso-time.js';

/** The pairs that the server adds to the metadata of each payment. */
export const SCHEDULE_ID_KEY = 'quittance.schedule_id';
export const SCHEDULE_TIME_KEY = 'quittance.schedule_time';

/** The request of an attempt. The same schedule, time and attempt always come to the same request, byte for byte. */
export function scheduledPayment(
  { ledgerId, requestId, scheduleId, payment }: CreateScheduleRequest,
  occurrence: Micros,
  attempt: number,
): SubmitPaymentRequest {
  if (payment === undefined) throw new Error('a schedule has a payment');
  const { payerAccountId, payeeAccountId, amount, upTo, fees, reference, description, metadata } = payment;
  const request = create(SubmitPaymentRequestSchema, {
    ledgerId,
    requestId: v5(`${String(occurrence)}/${String(attempt)}`, uuidToBytes(requestId)),
    payerAccountId,
    payeeAccountId,
    upTo,
    fees,
    reference,
    description,
    metadata: {
      ...metadata,
      [SCHEDULE_ID_KEY]: scheduleId,
      [SCHEDULE_TIME_KEY]: isoOf(occurrence),
    },
  });
  if (amount !== undefined) request.amount = amount;
  return request;
}
