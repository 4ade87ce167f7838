/** What the runner of schedules counts in this process. */
import type { Run } from './schedule.js';

/** `unanswered`: the payment is sent again. */
export type RunResult = Run['outcome'] | 'unanswered';

export class ScheduleFigures {
  /** Times of schedules by what came of them; a declined attempt that is followed by others counts each time. */
  readonly runs: Record<RunResult, number> = { posted: 0, declined: 0, failed: 0, skipped: 0, unanswered: 0 };

  ran(result: RunResult, count: number): void {
    this.runs[result] += count;
  }
}
