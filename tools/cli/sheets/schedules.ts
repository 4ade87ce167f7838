/** How schedules and their runs are shown. */
import {
  type Schedule,
  type ScheduleRun,
  ScheduleRunOutcome,
  ScheduleRunSchema,
  ScheduleSchema,
  ScheduleState,
  OnDecline,
  OnMissed,
} from '../../../gen/quittance/command/v1/schedule_service_pb.js';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { DeclineReason } from '../../../gen/quittance/common/v1/transaction_pb.js';
import { wordOf } from '../flags.js';
import { decimalOf } from '../money.js';
import { type Column, jsonOf, type Sheet } from '../sheet.js';
import { briefOf, isoOf } from '../when.js';

const count = (name: string, of: (schedule: Schedule) => number): Column<Schedule> => ({
  name,
  of: (schedule) => String(of(schedule)),
  isRight: true,
});

export const SCHEDULES: Sheet<Schedule> = {
  columns: [
    { name: 'schedule', of: ({ scheduleId }) => scheduleId },
    { name: 'state', of: ({ state }) => wordOf(ScheduleState, state) },
    { name: 'payer', of: ({ payment }) => payment?.payerAccountId ?? '' },
    { name: 'payee', of: ({ payment }) => payment?.payeeAccountId ?? '' },
    {
      name: 'amount',
      of: ({ payment }) => decimalOf(payment?.amount?.minorUnits ?? 0n, payment?.amount?.exponent ?? 0),
      isRight: true,
    },
    { name: 'currency', of: ({ payment }) => payment?.amount?.currency ?? '' },
    {
      name: 'next',
      of: ({ nextTimes }) => isoOf(nextTimes[0]),
      brief: ({ nextTimes }) => briefOf(nextTimes[0]),
    },
    count('times', ({ occurrenceCount }) => occurrenceCount),
    count('posted', ({ postedCount }) => postedCount),
    count('declined', ({ declinedCount }) => declinedCount),
    count('failed', ({ failedCount }) => failedCount),
    count('skipped', ({ skippedCount }) => skippedCount),
    { name: 'paused-why', of: ({ pauseReason }) => pauseReason, isWide: true },
    {
      name: 'rule',
      of: ({ timing }) => (timing.case === 'recurrence' ? timing.value.rule : ''),
      isWide: true,
    },
    {
      name: 'zone',
      of: ({ timing }) => (timing.case === 'recurrence' ? timing.value.timeZone : ''),
      isWide: true,
    },
    { name: 'on-decline', of: ({ onDecline }) => wordOf(OnDecline, onDecline), isWide: true },
    { name: 'on-missed', of: ({ onMissed }) => wordOf(OnMissed, onMissed), isWide: true },
    { name: 'next-attempt', of: ({ nextAttemptTime }) => isoOf(nextAttemptTime), isWide: true },
    { name: 'then', of: ({ nextTimes }) => nextTimes.slice(1).map(briefOf).join(' '), isWide: true },
    { name: 'actor', of: ({ actor }) => actor, isWide: true },
    { name: 'created', of: ({ createTime }) => isoOf(createTime), isWide: true },
  ],
  id: ({ scheduleId }) => scheduleId,
  json: (schedule) => jsonOf(ScheduleSchema, schedule),
};

export const RUNS: Sheet<ScheduleRun> = {
  columns: [
    {
      name: 'time',
      of: ({ occurrenceTime }) => isoOf(occurrenceTime),
      brief: ({ occurrenceTime }) => briefOf(occurrenceTime),
    },
    { name: 'attempt', of: ({ attempt }) => String(attempt), isRight: true },
    { name: 'outcome', of: ({ outcome }) => wordOf(ScheduleRunOutcome, outcome) },
    {
      name: 'reason',
      of: ({ declineReason, errorReason }) =>
        wordOf(DeclineReason, declineReason) || wordOf(ErrorReason, errorReason),
    },
    { name: 'times', of: ({ occurrenceCount }) => String(occurrenceCount), isRight: true },
    { name: 'transaction', of: ({ transactionId }) => transactionId },
    { name: 'done', of: ({ runTime }) => isoOf(runTime), brief: ({ runTime }) => briefOf(runTime) },
  ],
  id: ({ transactionId }) => transactionId,
  json: (run) => jsonOf(ScheduleRunSchema, run),
};
