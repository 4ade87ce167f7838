/** ScheduleService: PauseSchedule, ResumeSchedule and CancelSchedule. */
import type { ScheduleService } from '../../../../gen/quittance/command/v1/schedule_service_pb.js';
import type { MethodFunction } from '../../../../lib/rpc/service.js';
import { textOf } from '../../rpc/request-parts.js';
import { cancelled, paused, resumed } from '../progress.js';
import { moreOf } from '../times.js';
import { changedSchedule, requireOpen, type ScheduleContext } from './context.js';

type Methods = (typeof ScheduleService)['method'];

const NO_REASON = 'paused by a call';

export function pauseSchedule(context: ScheduleContext): MethodFunction<Methods['pauseSchedule']> {
  return async (request) => {
    const reason = request.reason === '' ? NO_REASON : textOf(request.reason, 'reason');
    return {
      schedule: await changedSchedule(context, request, (schedule) => {
        requireOpen(schedule);
        return { progress: paused(schedule, reason, moreOf(schedule)), skipped: undefined };
      }),
    };
  };
}

export function resumeSchedule(context: ScheduleContext): MethodFunction<Methods['resumeSchedule']> {
  return async (request) => ({
    schedule: await changedSchedule(context, request, (schedule, now) => {
      requireOpen(schedule);
      if (schedule.state === 'active') return { progress: schedule, skipped: undefined };
      return resumed(schedule, now, moreOf(schedule));
    }),
  });
}

export function cancelSchedule(context: ScheduleContext): MethodFunction<Methods['cancelSchedule']> {
  return async (request) => ({
    schedule: await changedSchedule(context, request, (schedule) => {
      if (schedule.state === 'cancelled') return { progress: schedule, skipped: undefined };
      requireOpen(schedule);
      return { progress: cancelled(schedule), skipped: undefined };
    }),
  });
}
