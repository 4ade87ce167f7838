/**
 * Blue/green: a new generation of a view is filled from the log beside the one that serves, both are compared row by row,
 * one pointer is switched. Readers notice nothing; the serving generation goes on all the while, in this process and in
 * others. A crash leaves the old one serving; what is left over is dropped by the next who makes a generation.
 *
 * The new one is never fed by the bus: it is filled from the log to where the serving one stands, and inherits its
 * offsets, which are then those of events that it has. So this holds for any bus whose events are all in the log before.
 */
import type { LogReader } from '../../lib/log/reader.js';
import type { EventBus } from '../../lib/log/bus.js';
import type { Clock } from '../../lib/base/time.js';
import type { Checkpoint, View, ViewGenerations } from '../../lib/views/view.js';
import {
  type Comparison,
  compareHot,
  compareMoved,
  compareViews,
  emptyComparison,
  type MovedRow,
} from './compare.js';
import { commonPoint, completeTo, type Filling, fillTo } from './fill.js';
import { pause } from '../../lib/base/pause.js';
import type { Projection, ProjectorLog } from './runner.js';
import { smallestOf } from '../../lib/base/bigints.js';

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
  /** How long other processes may write the old generation after the switch, milliseconds: the new one is kept as far. */
  readonly escort_ms: number;
}

/** So few events are left to the time when the projection stands still. */
const CLOSE_EVENTS = 2_000n;
/** A projection that runs away faster than the log can be read is stopped after as many rounds. */
const MOST_ROUNDS = 20;
/** How long rows are looked at one by one that change all the time. */
const HOT_ms = 10_000;
const HOT_TRIES = 5;
const ESCORT_INTERVAL_ms = 20;

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
    const filling = await replace(deps, progress, serving, fresh);
    progress.update({ phase: 'done', endTime: clock() });
    logger.info({ projection: projection.id, generation: fresh.generation }, 'the rebuilt view serves');
    await escort(deps, filling, serving);
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

/** Fills, compares and switches. */
async function replace(deps: RebuildDeps, progress: Progress, serving: View, fresh: View): Promise<Filling> {
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
  await follow(deps, filling, serving);
  progress.update({ phase: 'comparing' });
  const found = emptyComparison();
  await compareViews(serving, fresh, smallestOf(filling.filled), found, signal);
  progress.compared(found);
  await settle(deps, filling, serving, found);
  progress.compared(found);
  judge(deps, found);
  await catchUp(deps, filling, serving);
  await projection.frozen(async () => {
    const checkpoints = await align(deps, filling, serving);
    signal.throwIfAborted();
    await generations.switchTo(fresh.generation);
    projection.adopt(fresh, checkpoints);
  });
  return filling;
}

/**
 * Compares what the serving generation had changed meanwhile: first what stood still for a round; then, while this process
 * applies nothing, all that it has; at last, one by one, rows that other processes change all the time.
 */
async function settle(deps: RebuildDeps, filling: Filling, serving: View, found: Comparison): Promise<void> {
  const round = async () => {
    if (found.moved.length === 0) return;
    await follow(deps, filling, serving);
    await compareMoved(serving, filling.view, found);
  };
  await round();
  await deps.projection.frozen(round);
  const until_ms = performance.now() + HOT_ms;
  const hot = found.moved;
  found.moved = [];
  for (const row of hot) {
    if (performance.now() < until_ms) await settleHot(deps, filling, serving, found, row);
    else found.moved.push(row);
  }
}

async function settleHot(
  deps: RebuildDeps,
  filling: Filling,
  serving: View,
  found: Comparison,
  row: MovedRow,
): Promise<void> {
  const reach = async (position: bigint) => {
    // A row that claims to be from beyond the log's end is compared as it is, and differs.
    const { position: end } = await deps.log.head();
    if (position <= end)
      await fillTo(
        filling,
        filling.filled.map(() => position),
      );
  };
  for (let attempt = 0; attempt < HOT_TRIES; attempt++) {
    if (await compareHot(serving, filling.view, row, found, reach)) return;
    // The new generation is past it in that partition: it is read again once the serving one is too.
    await pause(ESCORT_INTERVAL_ms, deps.signal);
  }
  found.moved.push(row);
}

/** Other processes go on with the old generation until they notice: readers of the new one must not wait for them. */
async function escort(deps: RebuildDeps, filling: Filling, replaced: View): Promise<void> {
  const until_ms = performance.now() + deps.escort_ms;
  try {
    while (performance.now() < until_ms && !deps.signal.aborted) {
      await follow(deps, filling, replaced);
      await pause(ESCORT_INTERVAL_ms, deps.signal);
    }
  } catch (error) {
    // It serves, and every process will feed it: what failed here only made them wait a little.
    deps.logger.warn({ projection: deps.projection.id, err: error }, 'the new generation was not kept up');
  }
}

/** Brings the new generation to where the other one stands in each partition. */
async function follow(deps: RebuildDeps, filling: Filling, serving: View): Promise<void> {
  const targets = await targetsOf(deps, serving);
  await fillTo(
    filling,
    targets.map(({ point }) => point.position),
  );
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

/** Brings the new generation to where the serving one stands, or as near as other processes let it, and gives it its offsets. */
async function align(deps: RebuildDeps, filling: Filling, serving: View): Promise<Checkpoint[]> {
  let targets = await targetsOf(deps, serving);
  for (let round = 0; round < MOST_ROUNDS; round++) {
    await fillTo(
      filling,
      targets.map(({ point }) => point.position),
    );
    // Where it stands still, in this process alone, the first round is the last.
    const now = await targetsOf(deps, serving);
    if (now.every(({ point }, partition) => point.position <= (filling.filled[partition] ?? -1n))) break;
    // Other processes may outrun every round: what is said to be complete below is what was filled, and the rest is escorted.
    if (round < MOST_ROUNDS - 1) targets = now;
  }
  return Promise.all(
    targets.map(({ point, agrees, offset }, partition) =>
      // From a history that was lost nothing is inherited.
      completeTo(filling.view, partition, point, agrees ? offset : deps.offsetAt(point.position)),
    ),
  );
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
  const { compared, different, examples, moved } = found;
  if (moved.length > 0) {
    logger.warn(
      { projection: projection.id, rows: moved.length },
      'rows that never stood still were not compared',
    );
  }
  if (different === 0) return;
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
