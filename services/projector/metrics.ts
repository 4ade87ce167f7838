/** The projector's metrics for Prometheus. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { ViewId } from '../../lib/views/view.js';

/** What the metrics say of a projection, as plain data. */
export interface ProjectionFigures {
  readonly projection: ViewId;
  /** Events applied since the projector started. */
  readonly appliedEvents: number;
  /** Undefined while the log, or the store of a view of which nothing is known yet, is away. */
  readonly lag: LagFigures | undefined;
}

export interface LagFigures {
  readonly position: number;
  readonly events: number;
  readonly seconds: number;
}

/** Registers the metrics; `figures` is read at each scrape. While it fails the last values stay. */
export function projectorMetrics(
  registry: Registry,
  figures: () => Promise<readonly ProjectionFigures[]>,
): void {
  const read = sharedRead(figures);
  const labelNames = ['projection'] as const;
  const registers = [registry];
  new Counter({
    name: 'quittance_projection_applied_events_total',
    help: 'Events applied to the view since the projector started; redelivered ones count again.',
    labelNames,
    registers,
    async collect() {
      const all = await read();
      if (all.length > 0) this.reset();
      for (const { projection, appliedEvents } of all) this.inc({ projection }, appliedEvents);
    },
  });
  const gauge = (name: string, help: string, valueOf: (lag: LagFigures) => number) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      async collect() {
        for (const { projection, lag } of await read()) {
          if (lag !== undefined) this.set({ projection }, valueOf(lag));
        }
      },
    });
  gauge(
    'quittance_projection_position',
    'Every event of the log up to this position is in the view.',
    ({ position }) => position,
  );
  gauge(
    'quittance_projection_lag_events',
    'How many positions the view is behind the end of the log.',
    ({ events }) => events,
  );
  gauge(
    'quittance_projection_lag_seconds',
    'How long the oldest event that is not applied has been in the log; 0 if none.',
    ({ seconds }) => seconds,
  );
}

/** One read for all metrics of a scrape: they are collected at the same time. */
function sharedRead(
  figures: () => Promise<readonly ProjectionFigures[]>,
): () => Promise<readonly ProjectionFigures[]> {
  let reading: Promise<readonly ProjectionFigures[]> | undefined;
  const read = async () => {
    // A scrape must not fail for it.
    const found = await figures().catch(() => []);
    reading = undefined;
    return found;
  };
  return () => (reading ??= read());
}
