/** quittance.command.v1.ScheduleService, for the doors to mount. */
import { ScheduleService } from '../../../../gen/quittance/command/v1/schedule_service_pb.js';
import { implement, type Service } from '../../../../lib/rpc/service.js';
import { cancelSchedule, pauseSchedule, resumeSchedule } from './change-schedule.js';
import type { ScheduleContext } from './context.js';
import { createSchedule } from './create-schedule.js';
import { getSchedule, listScheduleRuns, listSchedules } from './read-schedules.js';

/** The service over the tables of schedules. */
export function scheduleService(context: ScheduleContext): Service {
  return implement(ScheduleService, {
    createSchedule: createSchedule(context),
    getSchedule: getSchedule(context),
    listSchedules: listSchedules(context),
    pauseSchedule: pauseSchedule(context),
    resumeSchedule: resumeSchedule(context),
    cancelSchedule: cancelSchedule(context),
    listScheduleRuns: listScheduleRuns(context),
  });
}
