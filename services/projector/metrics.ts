/** The projector's metrics for Prometheus. */
import type { Registry } from 'prom-client';
import { registerCounters, registerGauges, type Sample, sharedRead } from '../../lib/observe/gauges.js';
import type { ViewId } from '../../lib/views/view.js';
import type { RunState } from './projection.js';
import type { RebuildPhase } from './rebuild.js';

/** What the metrics say of a projection, as plain data. */
export interface ProjectionFigures {
  readonly projection: ViewId;
  readonly state: RunState;
  /** Events applied since the projector started. */
  readonly appliedEvents: number;
  /** Undefined while the log, or the store of a view of which nothing is known yet, is away. */
  readonly lag: LagFigures | undefined;
  /** The latest rebuild; undefined if there was none. */
  readonly rebuild: RebuildFigures | undefined;
  /** Undefined while the store of the view is away. */
  readonly deadLetters: number | undefined;
}

export interface LagFigures {
  readonly position: number;
  readonly events: number;
  readonly seconds: number;
}

export interface RebuildFigures {
  readonly phase: RebuildPhase;
  /** The new generation has every event up to here. */
  readonly position: number;
  readonly comparedRows: number;
  readonly differentRows: number;
}

type ValueOf = (figures: ProjectionFigures) => number | undefined;

const STATES: readonly RunState[] = ['running', 'paused', 'failed'];

/** Registers the metrics; `figures` is read once at each scrape. What is not known now keeps its last value. */
export function projectorMetrics(
  registry: Registry,
  figures: () => Promise<readonly ProjectionFigures[]>,
): void {
  const lags = new Map<ViewId, LagFigures>();
  const read = sharedRead(async () => {
    const all = await figures();
    for (const { projection, lag } of all) if (lag !== undefined) lags.set(projection, lag);
    return all.map((each): ProjectionFigures => ({ ...each, lag: lags.get(each.projection) }));
  });
  const samplesOf = async (valueOf: ValueOf) =>
    (await read()).flatMap((each): Sample<'projection'>[] => {
      const value = valueOf(each);
      return value === undefined ? [] : [[{ projection: each.projection }, value]];
    });
  const gauge = (name: string, help: string, valueOf: ValueOf) =>
    registerGauges(registry, { name, help, labelNames: ['projection'], samples: () => samplesOf(valueOf) });
  registerCounters(registry, {
    name: 'quittance_projection_applied_events_total',
    help: 'Events applied to the view since the projector started; redelivered ones count again.',
    labelNames: ['projection'],
    samples: () => samplesOf(({ appliedEvents }) => appliedEvents),
  });
  gauge(
    'quittance_projection_dead_letters',
    'Events that are not in the view: its store refused them, or they wait behind one that it refused.',
    ({ deadLetters }) => deadLetters,
  );
  gauge(
    'quittance_projection_position',
    'Every event of the log up to this position is in the view, or is a dead letter.',
    ({ lag }) => lag?.position,
  );
  gauge(
    'quittance_projection_lag_events',
    'How many positions the view is behind the end of the log.',
    ({ lag }) => lag?.events,
  );
  gauge(
    'quittance_projection_lag_seconds',
    'How long the oldest event that is not applied has been in the log; 0 if none.',
    ({ lag }) => lag?.seconds,
  );
  registerGauges(registry, {
    name: 'quittance_projection_state',
    help: 'What the projection does: 1 for its state, 0 for the others.',
    labelNames: ['projection', 'state'],
    samples: async () =>
      (await read()).flatMap(({ projection, state }) =>
        STATES.map((each): Sample<'projection' | 'state'> => [
          { projection, state: each },
          each === state ? 1 : 0,
        ]),
      ),
  });
  registerRebuilds(gauge);
}

function registerRebuilds(gauge: (name: string, help: string, valueOf: ValueOf) => void): void {
  gauge('quittance_rebuild_running', 'Whether the view is being rebuilt: 1 or 0.', ({ rebuild }) =>
    rebuild?.phase === 'filling' || rebuild?.phase === 'comparing' ? 1 : 0,
  );
  gauge(
    'quittance_rebuild_failed',
    'Whether the latest rebuild of the view failed: 1 or 0.',
    ({ rebuild }) => (rebuild?.phase === 'failed' ? 1 : 0),
  );
  gauge(
    'quittance_rebuild_filled_ratio',
    'How much of the log the new generation of the latest rebuild holds, from 0 to 1; no value if there was none.',
    ({ rebuild, lag }) => {
      if (rebuild === undefined || lag === undefined) return undefined;
      if (rebuild.phase === 'done' || rebuild.phase === 'comparing') return 1;
      return Math.min(1, (rebuild.position + 1) / (lag.position + lag.events + 1));
    },
  );
  gauge(
    'quittance_rebuild_compared_rows',
    'Rows that the latest rebuild compared with the generation that served.',
    ({ rebuild }) => rebuild?.comparedRows,
  );
  gauge(
    'quittance_rebuild_different_rows',
    'Rows of those that differ.',
    ({ rebuild }) => rebuild?.differentRows,
  );
}
