/** What the methods of schedules share: what they are given, the errors, and a change that a call makes. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ScheduleSchema } from '../../../../gen/quittance/command/v1/schedule_service_pb.js';
import { ErrorReason } from '../../../../gen/quittance/common/v1/error_reason_pb.js';
import type { Clock, Micros } from '../../../../lib/base/time.js';
import type { LogReader } from '../../../../lib/log/reader.js';
import { type CallError, fail } from '../../../../lib/rpc/errors.js';
import type { Executor } from '../../application/executor.js';
import type { LogIdentity } from '../../rpc/answer.js';
import type { Step } from '../progress.js';
import { changeOf, skippedRuns } from '../runner.js';
import type { Schedule, ScheduleKey } from '../schedule.js';
import type { ScheduleStore } from '../store.js';
import { scheduleMessage } from './schedule-message.js';

export interface ScheduleContext {
  readonly store: ScheduleStore;
  readonly executor: Executor;
  readonly clock: Clock;
  readonly log: LogIdentity;
  readonly reader: Pick<LogReader, 'page'>;
}

/** A change is tried again so often where the runner or another call was faster. */
const TRIES_MAX = 20;

export function scheduleNotFound({ scheduleId }: ScheduleKey): CallError {
  return fail(ErrorReason.SCHEDULE_NOT_FOUND, `there is no schedule ${scheduleId} in the ledger`, {
    resource: { type: 'schedule', name: scheduleId },
  });
}

/** @throws CallError SCHEDULE_NOT_FOUND */
export async function foundSchedule({ store }: ScheduleContext, key: ScheduleKey): Promise<Schedule> {
  const schedule = await store.get(key);
  if (schedule === undefined) throw scheduleNotFound(key);
  return schedule;
}

/** Changes a schedule as it is when the change is made. @throws CallError SCHEDULE_NOT_FOUND, and what `change` throws */
export async function changedSchedule(
  context: ScheduleContext,
  key: ScheduleKey,
  change: (schedule: Schedule, now: Micros) => Step,
): Promise<MessageInitShape<typeof ScheduleSchema>> {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const schedule = await foundSchedule(context, key);
    const now = context.clock();
    const { progress, skipped } = change(schedule, now);
    if (progress === schedule) return scheduleMessage(schedule);
    const saved = await context.store.save([changeOf(schedule, progress, now, skippedRuns(skipped, now))]);
    if (saved.length > 0) return scheduleMessage({ ...schedule, ...progress, updateTime: now });
  }
  throw fail(ErrorReason.DEPENDENCY_UNAVAILABLE, 'the schedule is being changed all the time; try again');
}

/** @throws CallError SCHEDULE_ENDED unless it is active or paused */
export function requireOpen({ scheduleId, state }: Schedule): void {
  if (state === 'active' || state === 'paused') return;
  const what = state === 'ended' ? 'has ended' : 'was cancelled';
  throw fail(ErrorReason.SCHEDULE_ENDED, `the schedule ${scheduleId} ${what}`, {
    resource: { type: 'schedule', name: scheduleId },
  });
}
