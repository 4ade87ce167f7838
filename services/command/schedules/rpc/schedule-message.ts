/** Schedules and their runs as the API shows them. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  type ScheduledPayment,
  type ScheduleRunSchema,
  ScheduleRunOutcome,
  type ScheduleSchema,
  ScheduleState,
} from '../../../../gen/quittance/command/v1/schedule_service_pb.js';
import type { Money } from '../../../../gen/quittance/common/v1/money_pb.js';
import { SECOND, timestampOf } from '../../../../lib/base/time.js';
import { policyOf } from '../policy.js';
import { nextAttemptOf, nextTimesOf } from '../progress.js';
import type { Run, Schedule, State } from '../schedule.js';

const STATES: Readonly<Record<State, ScheduleState>> = {
  active: ScheduleState.ACTIVE,
  paused: ScheduleState.PAUSED,
  ended: ScheduleState.ENDED,
  cancelled: ScheduleState.CANCELLED,
};
const OUTCOMES: Readonly<Record<Run['outcome'], ScheduleRunOutcome>> = {
  posted: ScheduleRunOutcome.POSTED,
  declined: ScheduleRunOutcome.DECLINED,
  failed: ScheduleRunOutcome.FAILED,
  skipped: ScheduleRunOutcome.SKIPPED,
};

/** The state of a filter; undefined: any. */
export function stateOf(filter: ScheduleState): State | undefined {
  const names: readonly State[] = ['active', 'paused', 'ended', 'cancelled'];
  return names.find((name) => STATES[name] === filter);
}

/** A schedule as the API shows it. */
export function scheduleMessage(
  schedule: Omit<Schedule, 'body' | 'version'>,
): MessageInitShape<typeof ScheduleSchema> {
  const { request, counts } = schedule;
  const policy = policyOf(request);
  const nextAttempt = nextAttemptOf(schedule);
  return {
    ledgerId: schedule.ledgerId,
    scheduleId: schedule.scheduleId,
    state: STATES[schedule.state],
    pauseReason: schedule.pauseReason,
    ...(request.payment === undefined ? {} : { payment: shownPayment(request.payment, schedule.exponent) }),
    timing: request.timing,
    onDecline: policy.onDecline,
    retryIntervalSeconds: Number(policy.retryInterval / SECOND),
    retryPeriodSeconds: Number(policy.retryPeriod / SECOND),
    onMissed: policy.onMissed,
    lateAfterSeconds: Number(policy.lateAfter / SECOND),
    nextTimes: nextTimesOf(schedule).map(timestampOf),
    ...(nextAttempt === undefined ? {} : { nextAttemptTime: timestampOf(nextAttempt) }),
    occurrenceCount: schedule.total,
    postedCount: counts.posted,
    declinedCount: counts.declined,
    failedCount: counts.failed,
    skippedCount: counts.skipped,
    actor: schedule.actor,
    requestId: request.requestId,
    createTime: timestampOf(schedule.createTime),
    updateTime: timestampOf(schedule.updateTime),
  };
}

/** The payment with the exponent of its currency, which is no part of the request. */
function shownPayment(payment: ScheduledPayment, exponent: number): ScheduledPayment {
  const shown = { ...payment, fees: payment.fees.map((fee) => withExponent(fee, exponent)) };
  return withExponent(shown, exponent);
}

function withExponent<T extends { amount?: Money | undefined }>(priced: T, exponent: number): T {
  const { amount } = priced;
  return amount === undefined ? priced : { ...priced, amount: { ...amount, exponent } };
}

/** A run as the API shows it. */
export function runMessage(run: Run): MessageInitShape<typeof ScheduleRunSchema> {
  return {
    occurrenceTime: timestampOf(run.occurrence),
    attempt: run.attempt,
    outcome: OUTCOMES[run.outcome],
    transactionId: run.transactionId,
    declineReason: run.declineReason,
    errorReason: run.errorReason,
    runTime: timestampOf(run.runTime),
    occurrenceCount: run.count,
    lastOccurrenceTime: timestampOf(run.last),
  };
}
