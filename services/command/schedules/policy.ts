/** What a schedule does where a payment is declined, or its time was missed: its request, with the defaults filled in. */
import {
  type CreateScheduleRequest,
  OnDecline,
  OnMissed,
} from '../../../gen/quittance/command/v1/schedule_service_pb.js';
import { DAY, SECOND, type Micros } from '../../../lib/base/time.js';

export interface Policy {
  readonly onDecline: Exclude<OnDecline, OnDecline.UNSPECIFIED>;
  /** Between attempts; 0 unless RETRY. */
  readonly retryInterval: Micros;
  /** For how long it is tried again; 0 unless RETRY. */
  readonly retryPeriod: Micros;
  readonly onMissed: Exclude<OnMissed, OnMissed.UNSPECIFIED>;
  /** How late a payment may be before its time counts as missed. */
  readonly lateAfter: Micros;
}

const RETRY_INTERVAL = DAY;
const RETRY_INTERVALS = 3n;
const LATE_AFTER = 3_600n * SECOND;

/** The policy of a request. */
export function policyOf(request: CreateScheduleRequest): Policy {
  const { onDecline, onMissed, retryIntervalSeconds, retryPeriodSeconds, lateAfterSeconds } = request;
  const isRetry = onDecline === OnDecline.RETRY;
  const interval = microsOfSeconds(retryIntervalSeconds) ?? RETRY_INTERVAL;
  const period = microsOfSeconds(retryPeriodSeconds) ?? RETRY_INTERVALS * interval;
  return {
    onDecline: onDecline === OnDecline.UNSPECIFIED ? OnDecline.RECORD : onDecline,
    retryInterval: isRetry ? interval : 0n,
    retryPeriod: isRetry ? period : 0n,
    onMissed: onMissed === OnMissed.UNSPECIFIED ? OnMissed.MAKE_EACH : onMissed,
    lateAfter: microsOfSeconds(lateAfterSeconds) ?? LATE_AFTER,
  };
}

function microsOfSeconds(seconds: number | undefined): Micros | undefined {
  return seconds === undefined ? undefined : BigInt(seconds) * SECOND;
}
