/**
 * Blue/green: a new generation of a view is filled from the log beside the one that serves, both are compared at the same
 * position, one pointer is switched. Readers notice nothing; the serving generation goes on all the while, but for two
 * short stops. A crash leaves the old one serving; what is left over is dropped at the next start.
 *
 * The new one is never fed by the bus: it is filled from the log to exactly where the serving one stands, and inherits its
 * offsets. So this holds for any bus whose events are all in the log before.
 */
import type { LogReader } from '../../lib/log/reader.js';
import type { EventBus } from '../../lib/platform/bus.js';
import type { Clock } from '../../lib/platform/time.js';
import type { Checkpoint, View, ViewGenerations } from '../../lib/views/view.js';
import { type Comparison, compareMoved, compareViews, emptyComparison } from './compare.js';
import { commonPoint, type Filling, fillTo } from './fill.js';
import type { Projection, ProjectorLog } from './runner.js';

export type RebuildPhase = 'filling' | 'comparing' | 'done' | 'failed';

/** A rebuild as operators see it. */
export interface RebuildStatus {
  readonly phase: RebuildPhase;
  /** The generation that it fills; 0 before there is one. */
  readonly generation: number;
  readonly position: bigint;
  readonly comparedRows: number;
  readonly differentRows: number;
  /** UTC microseconds. */
  readonly startTime: bigint;
  readonly endTime: bigint | undefined;
  /** Empty unless failed. */
  readonly failure: string;
}

/** What a rebuild needs. */
export interface RebuildDeps {
  readonly projection: Projection;
  readonly generations: ViewGenerations<View>;
  readonly bus: EventBus;
  readonly log: LogReader;
  readonly logger: ProjectorLog;
  readonly clock: Clock;
  /** See Filling.offsetAt. */
  readonly offsetAt: (position: bigint) => bigint;
  /** Switch even if rows differ. */
  readonly acceptDifferences: boolean;
  readonly signal: AbortSignal;
  readonly onStatus: (status: RebuildStatus) => void;
}

/** So few events are left to the time when the projection stands still. */
const CLOSE_EVENTS = 2_000n;
/** A projection that runs away faster than the log can be read is stopped after as many rounds. */
const MOST_ROUNDS = 20;

/** A rebuild that ended without switching, for a reason that operators may read. */
class RebuildRefused extends Error {
  override readonly name = 'RebuildRefused';
}

/** What is under way, and its last status. */
class Progress {
  constructor(
    private readonly deps: RebuildDeps,
    private status: RebuildStatus,
  ) {
    // Before anything is awaited: whoever asked for the rebuild must not be shown the one before.
    deps.onStatus(status);
  }

  update(change: Partial<RebuildStatus>): void {
    this.status = { ...this.status, ...change };
    this.deps.onStatus(this.status);
  }

  compared({ compared, different }: Comparison): void {
    this.update({ comparedRows: compared, differentRows: different });
  }
}

/**
 * Rebuilds a view; resolves with the generation that was replaced, which is to be dropped after a while, or with undefined
 * if the rebuild failed (its status says why). Never rejects.
 */
export async function rebuild(deps: RebuildDeps): Promise<number | undefined> {
  const { projection, generations, logger, clock } = deps;
  const progress = new Progress(deps, {
    phase: 'filling',
    generation: 0,
    position: -1n,
    comparedRows: 0,
    differentRows: 0,
    startTime: clock(),
    endTime: undefined,
    failure: '',
  });
  let fresh: View | undefined;
  try {
    const serving = projection.view;
    if (serving === undefined) throw new RebuildRefused('the store of the view was not reached yet');
    fresh = await generations.create();
    progress.update({ generation: fresh.generation });
    await replace(deps, progress, serving, fresh);
    progress.update({ phase: 'done', endTime: clock() });
    logger.info({ projection: projection.id, generation: fresh.generation }, 'the rebuilt view serves');
    return serving.generation;
  } catch (error) {
    const failure =
      error instanceof RebuildRefused ? error.message : 'a store failed; the server log has more';
    // If this fails too, the next start drops it.
    if (fresh !== undefined) await generations.drop(fresh.generation).catch(() => undefined);
    progress.update({ phase: 'failed', failure, endTime: clock() });
    logger.error({ projection: projection.id, err: error }, 'the rebuild gave up; the old view serves');
    return undefined;
  }
}

async function replace(deps: RebuildDeps, progress: Progress, serving: View, fresh: View): Promise<void> {
  const { projection, generations, signal } = deps;
  const filling: Filling = {
    ...deps,
    view: fresh,
    filled: partitions(deps.bus).map(() => -1n),
    onProgress: (position) => {
      progress.update({ position });
    },
  };
  await catchUp(deps, filling, serving);
  const aligned = await projection.frozen(() => align(deps, filling, serving));
  progress.update({ phase: 'comparing' });
  const found = emptyComparison();
  const through = aligned.reduce(
    (least, { position }) => (position < least ? position : least),
    aligned[0]?.position ?? -1n,
  );
  await compareViews(serving, fresh, through, found, signal);
  progress.compared(found);
  await catchUp(deps, filling, serving);
  await projection.frozen(async () => {
    const checkpoints = await align(deps, filling, serving);
    await compareMoved(serving, fresh, found);
    progress.compared(found);
    judge(deps, found);
    signal.throwIfAborted();
    await generations.switchTo(fresh.generation);
    projection.adopt(fresh, checkpoints);
  });
}

/** Fills until little is missing to where the serving generation is, while that goes on. */
async function catchUp(deps: RebuildDeps, filling: Filling, serving: View): Promise<void> {
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const targets = await targetsOf(deps, serving);
    const missing = targets.some(({ point }, partition) => {
      return point.position - (filling.filled[partition] ?? -1n) > CLOSE_EVENTS;
    });
    if (!missing) return;
    await fillTo(
      filling,
      targets.map(({ point }) => point.position),
    );
  }
}

/** Brings the new generation to exactly where the serving one stands still, offsets included. */
async function align(deps: RebuildDeps, filling: Filling, serving: View): Promise<Checkpoint[]> {
  const targets = await targetsOf(deps, serving);
  await fillTo(
    filling,
    targets.map(({ point }) => point.position),
  );
  const checkpoints: Checkpoint[] = [];
  for (const [partition, { point, agrees, offset }] of targets.entries()) {
    // From a history that was lost nothing is inherited.
    const known = agrees ? offset : deps.offsetAt(point.position);
    if (known !== deps.offsetAt(point.position)) {
      await filling.view.apply({ partition, events: [], offset: known, watermark: point });
    }
    checkpoints.push(await filling.view.checkpoint(partition));
  }
  return checkpoints;
}

function targetsOf({ bus, log }: RebuildDeps, serving: View) {
  return Promise.all(
    partitions(bus).map(async (partition) => {
      const checkpoint = await serving.checkpoint(partition);
      return { ...(await commonPoint(log, checkpoint)), offset: checkpoint.offset };
    }),
  );
}

function judge({ acceptDifferences, projection, logger }: RebuildDeps, found: Comparison): void {
  if (found.different === 0) return;
  const { compared, different, examples } = found;
  logger.warn({ projection: projection.id, compared, different, examples }, 'the generations differ');
  if (acceptDifferences) return;
  throw new RebuildRefused(
    `${String(different)} of ${String(compared)} rows differ from the generation that serves; ` +
      'the server log names the first; rebuild with accept_differences if the new one is right',
  );
}

function partitions(bus: Pick<EventBus, 'partitions'>): number[] {
  return Array.from({ length: bus.partitions }, (_, partition) => partition);
}
