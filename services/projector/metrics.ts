/** The projector's metrics for Prometheus. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { ViewId } from '../../lib/views/view.js';
import type { ProjectorEntry } from './projector-entry.js';
import type { Lag } from './projection.js';

/** Counts what is applied; the gauges read each projection when they are scraped. */
export interface ProjectorMetrics {
  applied(projection: ViewId, events: number): void;
  /** Makes the gauges; call it once, when the projections are there. */
  watch(entries: readonly ProjectorEntry[]): void;
}

/** Registers the projector's metrics. */
export function projectorMetrics(registry: Registry): ProjectorMetrics {
  const labelNames = ['projection'] as const;
  const registers = [registry];
  const applied = new Counter({
    name: 'quittance_projection_applied_events_total',
    help: 'Events applied to the view since start; redelivered ones count again.',
    labelNames,
    registers,
  });
  return {
    applied: (projection, events) => {
      applied.inc({ projection }, events);
    },
    watch: (entries) => {
      const lags = sharedLags(entries);
      const gauge = (name: string, help: string, valueOf: (lag: Lag) => number) =>
        new Gauge({
          name,
          help,
          labelNames,
          registers,
          async collect() {
            for (const [projection, lag] of await lags()) this.set({ projection }, valueOf(lag));
          },
        });
      gauge(
        'quittance_projection_position',
        'Every event of the log up to this position is in the view.',
        ({ checkpoint }) => Number(checkpoint.position),
      );
      gauge(
        'quittance_projection_lag_events',
        'How many positions the view is behind the end of the log.',
        ({ events }) => Number(events),
      );
      gauge(
        'quittance_projection_lag_seconds',
        'How long the oldest event that is not applied has been in the log; 0 if none.',
        ({ time }) => Number(time) / 1e6,
      );
    },
  };
}

/** One read of each projection for all gauges of a scrape: they are collected at the same time. */
function sharedLags(entries: readonly ProjectorEntry[]): () => Promise<readonly (readonly [ViewId, Lag])[]> {
  let reading: Promise<readonly (readonly [ViewId, Lag])[]> | undefined;
  const read = async () => {
    const found = await Promise.all(
      entries.map(async ({ projection }) => {
        // While log or store is away the last values stay: a scrape must not fail for it.
        const lag = await projection.lag().catch(() => undefined);
        return lag === undefined ? [] : [[projection.id, lag] as const];
      }),
    );
    reading = undefined;
    return found.flat();
  };
  return () => (reading ??= read());
}
