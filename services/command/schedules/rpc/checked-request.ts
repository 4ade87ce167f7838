/** The rules of CreateScheduleRequest that no contract rule says. */
import {
  type CreateScheduleRequest,
  OnDecline,
} from '../../../../gen/quittance/command/v1/schedule_service_pb.js';
import { ErrorReason } from '../../../../gen/quittance/common/v1/error_reason_pb.js';
import { type Micros, SECOND } from '../../../../lib/base/time.js';
import { type CallError, fail } from '../../../../lib/rpc/errors.js';
import { invalidField, neededTimeOf } from '../../rpc/request-parts.js';
import { policyOf } from '../policy.js';
import { isTimes, type RuleFault } from '../rule.js';
import { SCHEDULE_ID_KEY, SCHEDULE_TIME_KEY } from '../scheduled-payment.js';
import { allTimesOf } from '../times.js';

/** Attempts of one payment at most. */
const RETRIES_MAX = 100n;
/** The pairs of the server come on top. */
const METADATA_MAX_BYTES = 7_168;

const REASONS: Readonly<Record<RuleFault, ErrorReason>> = {
  INVALID: ErrorReason.SCHEDULE_RULE_INVALID,
  ENDLESS: ErrorReason.SCHEDULE_RULE_ENDLESS,
  EMPTY: ErrorReason.SCHEDULE_RULE_EMPTY,
  TOO_FREQUENT: ErrorReason.SCHEDULE_RULE_TOO_FREQUENT,
  TOO_LONG: ErrorReason.SCHEDULE_RULE_TOO_LONG,
  UNKNOWN_ZONE: ErrorReason.UNKNOWN_TIME_ZONE,
};

/** @throws CallError INVALID_FIELD for choices that do not fit together */
export function checkChoices(request: CreateScheduleRequest): void {
  const { onDecline, retryIntervalSeconds, retryPeriodSeconds, payment } = request;
  if (onDecline !== OnDecline.RETRY) {
    if (retryIntervalSeconds !== undefined) throw invalidField('retry_interval_seconds', 'is only for RETRY');
    if (retryPeriodSeconds !== undefined) throw invalidField('retry_period_seconds', 'is only for RETRY');
  } else {
    const { retryInterval, retryPeriod } = policyOf(request);
    if (retryPeriod < retryInterval) {
      throw invalidField('retry_period_seconds', 'is less than one retry_interval_seconds');
    }
    if (retryPeriod > RETRIES_MAX * retryInterval) {
      throw invalidField('retry_period_seconds', 'is more than 100 times retry_interval_seconds');
    }
  }
  let size_bytes = 0;
  for (const [key, value] of Object.entries(payment?.metadata ?? {})) {
    if (key === SCHEDULE_ID_KEY || key === SCHEDULE_TIME_KEY) {
      throw invalidField(`payment.metadata["${key}"]`, 'is set by the server');
    }
    size_bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (size_bytes > METADATA_MAX_BYTES) throw invalidField('payment.metadata', 'is more than 7 KiB in all');
}

/** All times of the schedule. @throws CallError INVALID_FIELD, SCHEDULE_IN_PAST, and the errors of rules */
export async function checkedTimes(request: CreateScheduleRequest, now: Micros): Promise<readonly Micros[]> {
  const { timing } = request;
  if (timing.case === 'recurrence') {
    const field = 'recurrence.start_time';
    const start = neededTimeOf(timing.value.startTime, field);
    if (start % SECOND !== 0n) throw invalidField(field, 'is finer than a second');
    if (start < now) throw inPast(field);
  } else if (timing.case === 'at') {
    if (neededTimeOf(timing.value, 'at') <= now) throw inPast('at');
  }
  const times = await allTimesOf(request);
  if (isTimes(times)) return times;
  const { fault, description } = times;
  const field = fault === 'UNKNOWN_ZONE' ? 'recurrence.time_zone' : 'recurrence.rule';
  throw fail(REASONS[fault], `${field}: ${description}`, { fields: [{ field, description }] });
}

function inPast(field: string): CallError {
  const description = 'has passed';
  return fail(ErrorReason.SCHEDULE_IN_PAST, `${field}: ${description}`, { fields: [{ field, description }] });
}
