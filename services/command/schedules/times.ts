/** When a schedule pays: the times of its request. */
import type { CreateScheduleRequest } from '../../../gen/quittance/command/v1/schedule_service_pb.js';
import { microsOf, type Micros } from '../../../lib/base/time.js';
import type { More } from './progress.js';
import { type Rule, type RuleRefusal, timesAfter, timesOf } from './rule.js';
import type { Schedule } from './schedule.js';

/** So many times are kept in the row of a new schedule. */
const KEPT_MAX = 100;
/** So many more are worked out when few of them are left. */
const MORE_MAX = 30;

/** All times of a request; or why its rule is refused. */
export async function allTimesOf({
  timing,
}: CreateScheduleRequest): Promise<readonly Micros[] | RuleRefusal> {
  switch (timing.case) {
    case 'at':
      return [microsOf(timing.value)];
    case 'recurrence':
      return timesOf(ruleOf(timing.value));
    case undefined:
      throw new Error('a schedule has a time or a rule');
    default:
      return timing satisfies never;
  }
}

/** What the row of a new schedule keeps of its times. */
export function keptOf(times: readonly Micros[]): ReturnType<More> {
  return { times: times.slice(0, KEPT_MAX), hasMore: times.length > KEPT_MAX };
}

/** The times of a schedule after those that are known. @throws Error if this server does not know its time zone any more */
export function moreOf({ request: { timing }, total, counts, occurrence, upcoming }: Schedule): More {
  const passed = counts.posted + counts.declined + counts.failed + counts.skipped;
  let left = total - passed - upcoming.length - (occurrence === undefined ? 0 : 1);
  return (after) => {
    const rule = timing.case === 'recurrence' ? ruleOf(timing.value) : undefined;
    const times = rule === undefined ? [] : timesAfter(rule, after, Math.min(MORE_MAX, left));
    if (times === undefined) throw new Error('the time zone of a schedule is not known any more');
    left -= times.length;
    return { times, hasMore: left > 0 && times.length > 0 };
  };
}

function ruleOf({
  rule,
  timeZone,
  startTime,
}: Extract<CreateScheduleRequest['timing'], { case: 'recurrence' }>['value']): Rule {
  if (startTime === undefined) throw new Error('a rule has a start');
  return { text: rule, timeZone, start: microsOf(startTime) };
}
