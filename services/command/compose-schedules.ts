/** Wires schedules: their methods, and the runner, which is a duty of the holder of the lease. */
import type { Pool } from '../../lib/log/postgres-client.js';
import type { LogReader } from '../../lib/log/reader.js';
import type { Service } from '../../lib/rpc/service.js';
import type { Executor } from './application/executor.js';
import type { CommandDeps } from './compose.js';
import type { LogIdentity } from './rpc/answer.js';
import { ScheduleFigures } from './schedules/figures.js';
import type { MeasuredSchedules } from './schedules/metrics.js';
import { postgresSchedules } from './schedules/postgres-schedules.js';
import { scheduleService } from './schedules/rpc/schedule-service.js';
import { ScheduleRunner } from './schedules/runner.js';
import type { Duty } from './standing/duties.js';

/** How often the runner looks for what is due. */
const INTERVAL_MS = 1_000;

export interface Schedules {
  readonly duty: Duty;
  readonly measured: MeasuredSchedules;
  service(log: LogIdentity): Service;
}

/** The pool is one for look-ups by key. */
export function composeSchedules(
  { clock, logger, schedules_ms = INTERVAL_MS }: Pick<CommandDeps, 'clock' | 'logger' | 'schedules_ms'>,
  executor: Executor,
  pool: Pool,
  reader: LogReader,
): Schedules {
  const store = postgresSchedules(pool);
  const figures = new ScheduleFigures();
  return {
    duty: {
      name: 'schedules',
      begin: () => {
        const runner = new ScheduleRunner({
          store,
          executor,
          clock,
          logger,
          figures,
          interval_ms: schedules_ms,
        });
        runner.start();
        return Promise.resolve(() => runner.stop());
      },
    },
    measured: {
      figures,
      totals: async () => (executor.isServing ? store.totals(clock()) : undefined),
    },
    service: (log) => scheduleService({ store, executor, clock, log, reader }),
  };
}
