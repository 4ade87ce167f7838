/** ScheduleService/CreateSchedule. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  type CreateScheduleRequest,
  CreateScheduleRequestSchema,
  type CreateScheduleResponseSchema,
  type ScheduleService,
} from '../../../../gen/quittance/command/v1/schedule_service_pb.js';
import { ErrorReason } from '../../../../gen/quittance/common/v1/error_reason_pb.js';
import { isSameBytes } from '../../../../lib/base/bytes.js';
import { decodeMessage } from '../../../../lib/base/codec/binary.js';
import type { Micros } from '../../../../lib/base/time.js';
import type { Call } from '../../../../lib/rpc/call.js';
import { CallError, fail } from '../../../../lib/rpc/errors.js';
import type { MethodFunction } from '../../../../lib/rpc/service.js';
import { fieldsThatDiffer } from '../../application/replay.js';
import { answerOf } from '../../rpc/answer.js';
import { decideOne, requestOf } from '../../rpc/submit.js';
import { canonicalSchedule } from '../canonical-schedule.js';
import { beginning } from '../progress.js';
import { type Schedule, SCHEDULES_PER_LEDGER } from '../schedule.js';
import { scheduledPayment } from '../scheduled-payment.js';
import type { NewSchedule } from '../store.js';
import { keptOf } from '../times.js';
import { checkChoices, checkedTimes } from './checked-request.js';
import type { ScheduleContext } from './context.js';
import { scheduleMessage } from './schedule-message.js';

type Method = MethodFunction<(typeof ScheduleService)['method']['createSchedule']>;
type Answer = MessageInitShape<typeof CreateScheduleResponseSchema>;

/** The method. A retry is answered before anything else is looked at: its times may have passed. */
export function createSchedule(context: ScheduleContext): Method {
  const { store, clock } = context;
  return async (given, call) => {
    const { ledgerId, requestId, validateOnly } = given;
    const body = canonicalSchedule(given);
    const before = await store.findByRequest(ledgerId, requestId);
    if (before !== undefined) return replayed(before, given, body);
    const request = { ...given, scheduleId: given.scheduleId === '' ? requestId : given.scheduleId };
    checkChoices(request);
    const now = clock();
    const times = await checkedTimes(request, now);
    const exponent = await checkedExponent(context, request, times, call);
    const { actor } = call;
    const schedule: NewSchedule = {
      ...newSchedule(request, times),
      body,
      exponent,
      actor,
      createTime: now,
    };
    const created = { ...schedule, request, updateTime: now };
    if (validateOnly) {
      if ((await store.get(request)) !== undefined) throw alreadyExists(request);
      return { schedule: scheduleMessage(created) };
    }
    if (await store.create(schedule)) return { schedule: scheduleMessage(created) };
    const rival = await store.findByRequest(ledgerId, requestId);
    if (rival !== undefined) return replayed(rival, given, body);
    if ((await store.get(request)) !== undefined) throw alreadyExists(request);
    throw fail(
      ErrorReason.TOO_MANY_SCHEDULES,
      `the ledger has ${String(SCHEDULES_PER_LEDGER)} schedules that are active or paused, and may have no more`,
      { resource: { type: 'ledger', name: ledgerId } },
    );
  };
}

function newSchedule(
  request: CreateScheduleRequest,
  all: readonly Micros[],
): Omit<NewSchedule, 'actor' | 'body' | 'createTime' | 'exponent'> {
  const { ledgerId, scheduleId, requestId, payment } = request;
  const { times, hasMore } = keptOf(all);
  return {
    ...beginning(times, hasMore),
    ledgerId,
    scheduleId,
    requestId,
    payerAccountId: payment?.payerAccountId ?? '',
    payeeAccountId: payment?.payeeAccountId ?? '',
    total: all.length,
  };
}

/** @throws CallError REQUEST_ID_REUSED where it was another request */
function replayed(before: Schedule, given: CreateScheduleRequest, body: Uint8Array): Answer {
  if (isSameBytes(before.body, body)) return { schedule: scheduleMessage(before), replayed: true };
  const stored = decodeMessage(CreateScheduleRequestSchema, before.body);
  const now = decodeMessage(CreateScheduleRequestSchema, body);
  const differing = fieldsThatDiffer(CreateScheduleRequestSchema, stored, now);
  const fields = differing.map((field) => ({
    field,
    description: 'differs from the request that has this request_id',
  }));
  throw fail(
    ErrorReason.REQUEST_ID_REUSED,
    `request_id ${given.requestId} was used for another schedule; it differs in ${differing.join(', ')}`,
    { fields, resource: { type: 'request', name: given.requestId } },
  );
}

function alreadyExists({ scheduleId }: CreateScheduleRequest): CallError {
  return fail(ErrorReason.SCHEDULE_ALREADY_EXISTS, `the ledger has, or had, a schedule ${scheduleId}`, {
    resource: { type: 'schedule', name: scheduleId },
  });
}

/**
 * The exponent of the currency, from the first payment as it would be decided now. A decline says nothing of then.
 * @throws CallError as SubmitPayment does
 */
async function checkedExponent(
  { executor, log }: ScheduleContext,
  request: CreateScheduleRequest,
  [first]: readonly Micros[],
  call: Call,
): Promise<number> {
  if (first === undefined) throw new Error('a schedule has a time');
  const value = { ...scheduledPayment(request, first, 1), validateOnly: true };
  try {
    const decided = await decideOne(executor, requestOf({ case: 'submitPayment', value }, call), call);
    const { transaction } = answerOf('submitPayment', decided, log).value;
    return transaction?.amount?.exponent ?? 0;
  } catch (error) {
    throw error instanceof CallError ? withinPayment(error) : error;
  }
}

/** The fields of the payment as the request has them. */
function withinPayment(error: CallError): CallError {
  const { reason, code, message, details, retryAfter_ms, cause } = error;
  if (details.fields === undefined) return error;
  const fields = details.fields.map((problem) => ({ ...problem, field: `payment.${problem.field}` }));
  return new CallError(reason, code, message, { ...details, fields }, retryAfter_ms, cause);
}
