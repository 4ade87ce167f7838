/** Wires the projector: a projection for each view, their rebuilds, and the methods that steer them. */
import type { LogReader } from '../../lib/log/reader.js';
import type { EventBus } from '../../lib/log/bus.js';
import type { LogPoint } from '../../lib/log/recorded-event.js';
import type { Tracer } from '../../lib/observe/tracing.js';
import type { Service } from '../../lib/rpc/service.js';
import { type Clock, systemClock } from '../../lib/base/time.js';
import type { View, ViewGenerations, ViewId } from '../../lib/views/view.js';
import { MOST_DEAD_LETTERS } from '../../lib/views/parked/most-dead-letters.js';
import { traceApplied } from './apply-trace.js';
import type { ProjectionControl } from './control/control.js';
import { soloControl } from './control/solo-control.js';
import { healthServiceOf } from './health-name.js';
import type { ProjectionFigures } from './metrics.js';
import { operationsOf, type ProjectionOperations } from './operations.js';
import { Projector, type ProjectorView } from './projector.js';
import { projectionService } from './rpc/projection-service.js';
import type { ProjectorEntry } from './projector-entry.js';
import type { ProjectorLog } from './projector-log.js';

/** The generations of one view: all that a projection needs of it, and not to be mixed up with another's. */
export type GenerationsOf<I extends ViewId> = ViewGenerations<View & { readonly id: I }>;

/** What the projector is built from; the composition root brings the adapters. */
export interface ProjectorDeps {
  readonly log: LogReader;
  /** Each projection consumes by itself. */
  busOf(view: ViewId): EventBus;
  readonly balances: GenerationsOf<'balances'>;
  readonly history: GenerationsOf<'history'>;
  readonly reports: GenerationsOf<'reports'>;
  readonly logger: ProjectorLog;
  /** Absent where traces are off. */
  readonly tracer?: Tracer | undefined;
  /** Called with each change of a projection's health, under a name like `quittance.projection.history`. */
  readonly onHealth?: (service: string, serving: boolean) => void;
  readonly clock?: Clock;
  /** What several processes agree on; by default there is one. */
  readonly control?: ProjectionControl;
  /** How long a generation that a rebuild replaced is kept. Default a minute. */
  readonly keepReplaced_ms?: number;
  /** Tells the process that decides that the log does not have a point that a view has seen. */
  reportLost(point: Pick<LogPoint, 'epoch' | 'position'>): Promise<void>;
  /** How many events may be parked in a partition of a view; more stop the projection. Default 1,000. */
  readonly mostDeadLetters?: number | undefined;
  /** The bus' offset of a position: the default is the embedded bus'; for Kafka `() => -1n`. */
  readonly offsetAt?: (position: bigint) => bigint;
}

/** A projector ready to start. */
export interface ComposedProjector {
  readonly services: readonly Service[];
  readonly operations: ProjectionOperations;
  readonly projector: Projector;
  /** For `projectorMetrics`. */
  figures(): Promise<readonly ProjectionFigures[]>;
  /**
   * Creates the views if need be and begins; resolves when each was opened or failed to be (and is tried
   * again).
   */
  start(): Promise<void>;
  /** Ends after the batches under way. */
  stop(): Promise<void>;
}

/** Wires the projector; nothing runs yet. */
export function composeProjector(deps: ProjectorDeps): ComposedProjector {
  const { log, logger, onHealth } = deps;
  const applied = new Map<ViewId, number>();
  const viewOf = (id: ViewId, generations: ViewGenerations<View>): ProjectorView => ({
    id,
    generations,
    bus: deps.busOf(id),
    onState: (state) => {
      // Paused on purpose is no fault: reads go on and say how old they are.
      const entry = projector.entry(id);
      onHealth?.(healthServiceOf(id), state !== 'failed' && !entry.projection.hasParked);
      if (entry.projection.failure?.kind === 'history_lost') projector.recoverLost(entry);
    },
    onApplied: (batch) => {
      applied.set(id, (applied.get(id) ?? 0) + batch.events.length);
      if (deps.tracer !== undefined) traceApplied(deps.tracer, id, batch);
    },
  });
  const parts = {
    log,
    logger,
    clock: deps.clock ?? systemClock,
    control: deps.control ?? soloControl(),
    offsetAt: deps.offsetAt ?? ((position: bigint) => position),
    keepReplaced_ms: deps.keepReplaced_ms ?? 60_000,
    reportLost: (point: Pick<LogPoint, 'epoch' | 'position'>) => deps.reportLost(point),
    mostDeadLetters: deps.mostDeadLetters ?? MOST_DEAD_LETTERS,
  };
  const projector = new Projector(parts, [
    viewOf('balances', deps.balances),
    viewOf('history', deps.history),
    viewOf('reports', deps.reports),
  ]);
  const figures = () =>
    Promise.all(projector.entries.map((entry) => figuresOf(entry, applied.get(entry.projection.id) ?? 0)));
  const operations = operationsOf(projector);
  return {
    services: [projectionService(operations)],
    operations,
    projector,
    figures,
    start: async () => {
      await projector.start();
      for (const { projection } of projector.entries) {
        const isWhole = projection.state !== 'failed' && !projection.hasParked;
        onHealth?.(healthServiceOf(projection.id), isWhole);
      }
    },
    stop: () => projector.stop(),
  };
}

async function figuresOf(entry: ProjectorEntry, appliedEvents: number): Promise<ProjectionFigures> {
  const { projection, agreed } = entry;
  const [lag, deadLetters] = await Promise.all([
    projection.lag().catch(() => undefined),
    projection.deadLetters().catch(() => undefined),
  ]);
  return {
    projection: projection.id,
    state: entry.status.state,
    appliedEvents,
    rebuild: agreed.rebuild && {
      phase: agreed.rebuild.phase,
      position: Number(agreed.rebuild.position),
      comparedRows: agreed.rebuild.comparedRows,
      differentRows: agreed.rebuild.differentRows,
    },
    deadLetters,
    lag: lag && {
      position: Number(lag.checkpoint.position),
      events: Number(lag.events),
      seconds: Number(lag.time) / 1e6,
    },
  };
}
