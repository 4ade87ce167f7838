/** The metrics of schedules for Prometheus. */
import type { Registry } from 'prom-client';
import { registerCounters, registerGauge, registerGauges, sharedRead } from '../../../lib/observe/gauges.js';
import type { ScheduleFigures } from './figures.js';
import type { ScheduleTotals } from './store.js';

/** What the metrics show. */
export interface MeasuredSchedules {
  readonly figures: ScheduleFigures;
  /** Undefined where another process decides: it shows them. */
  totals(): Promise<ScheduleTotals | undefined>;
}

/** Registers them; values are read at each scrape. */
export function scheduleMetrics(registry: Registry, { figures, totals }: MeasuredSchedules): void {
  const read = sharedRead(totals);
  registerCounters(registry, {
    name: 'quittance_schedule_runs_total',
    help: 'What came of the times of schedules in this process; "unanswered": the payment is sent again.',
    labelNames: ['outcome'],
    samples: () => Object.entries(figures.runs).map(([outcome, count]) => [{ outcome }, count]),
  });
  registerGauges(registry, {
    name: 'quittance_schedules',
    help: 'Schedules that are active or paused, by state; at 100,000 they are not counted further.',
    labelNames: ['state'],
    samples: async () => {
      const found = await read();
      if (found === undefined) return [];
      return [
        [{ state: 'active' }, found.active],
        [{ state: 'paused' }, found.paused],
      ];
    },
  });
  registerGauge(
    registry,
    'quittance_schedules_due',
    'Schedules with a payment that is due and not made.',
    async () => (await read())?.due,
  );
  registerGauge(
    registry,
    'quittance_schedule_lag_seconds',
    'For how long the first of them has been due; 0 if none is.',
    async () => {
      const found = await read();
      return found === undefined ? undefined : Number(found.lag) / 1e6;
    },
  );
}
