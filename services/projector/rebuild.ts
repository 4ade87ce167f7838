/**
 * Blue/green: a new generation of a view is filled from the log beside the one that serves, both are compared
 * row by row, one pointer is switched. Readers notice nothing; the serving generation goes on all the while,
 * in this process and in others. After a crash the old one serves; what the crash left is dropped when the
 * next generation is made.
 *
 * The new one is never fed by the bus: it is filled from the log to where the serving one stands, and
 * inherits its offsets, which are then those of events that it has. This holds for any bus whose events are
 * in the log before.
 */
import type { LogReader } from '../../lib/log/reader.js';
import type { EventBus } from '../../lib/log/bus.js';
import type { LogPoint } from '../../lib/log/recorded-event.js';
import type { Clock } from '../../lib/base/time.js';
import type { Checkpoint, View, ViewGenerations } from '../../lib/views/view.js';
import {
  type ChangedRow,
  compareChangedMeanwhile,
  compareUnstable,
  compareViews,
  type Comparison,
  emptyComparison,
} from './compare.js';
import { RETRY_PAUSES_MS } from './apply-batch.js';
import { ParkedMemory } from './parked-memory.js';
import { parkedAt } from '../../lib/views/parked/parked.js';
import { commonPoint, completeTo, type Filling, fillTo } from './fill.js';
import { pause } from '../../lib/base/pause.js';
import type { Projection } from './projection.js';
import type { ProjectorLog } from './projector-log.js';
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
  readonly mostDeadLetters: number;
  readonly signal: AbortSignal;
  readonly onStatus: (status: RebuildStatus) => void;
  /**
   * How long other processes may write the old generation after the switch, milliseconds: the new one is kept
   * as far.
   */
  readonly keepUp_ms: number;
}

/** So few events are left to the time when the projection stands still. */
const NEAR_EVENTS = 2_000n;
/** A projection that runs away faster than the log can be read is stopped after as many rounds. */
const MOST_ROUNDS = 20;
/** How long unstable rows are compared one by one. */
const UNSTABLE_MS = 10_000;
const UNSTABLE_TRIES = 5;
const KEEP_UP_INTERVAL_MS = 20;

/** A rebuild that ended without switching, for a reason that operators may read. */
class RebuildRefused extends Error {
  override readonly name = 'RebuildRefused';
}

/** Keeps the last status of a rebuild, and reports each change of it. */
class Progress {
  readonly #onStatus: (status: RebuildStatus) => void;
  #status: RebuildStatus;

  constructor(onStatus: (status: RebuildStatus) => void, status: RebuildStatus) {
    this.#onStatus = onStatus;
    this.#status = status;
    // Before anything is awaited: the caller who began the rebuild must not be shown the one before.
    onStatus(status);
  }

  update(change: Partial<RebuildStatus>): void {
    this.#status = { ...this.#status, ...change };
    this.#onStatus(this.#status);
  }

  compared({ compared, different }: Comparison): void {
    this.update({ comparedRows: compared, differentRows: different });
  }
}

/**
 * Rebuilds a view; resolves with the generation that was replaced, which is to be dropped after a while, or
 * with undefined if the rebuild failed (its status says why). Never rejects.
 */
export async function rebuild(deps: RebuildDeps): Promise<number | undefined> {
  const { projection, generations, logger, clock } = deps;
  const progress = new Progress(deps.onStatus, {
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
    await keepUpAfterSwitch(deps, filling, serving);
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
    parked: new ParkedMemory(),
    pauses_ms: RETRY_PAUSES_MS,
    filled: partitions(deps.bus).map(() => -1n),
    onProgress: (position) => {
      progress.update({ position });
    },
  };
  await fillNear(deps, filling, serving);
  await fillExactly(deps, filling, serving);
  // With a view of a history that the log has lost there is nothing to compare.
  if (await isOfLog(deps, serving)) await compareWith(deps, progress, filling, serving);
  await fillNear(deps, filling, serving);
  await projection.frozen(async () => {
    const checkpoints = await inheritCheckpoints(deps, filling, serving);
    signal.throwIfAborted();
    await generations.switchTo(fresh.generation);
    projection.adopt(fresh, checkpoints);
  });
  return filling;
}

/** Compares the new generation with the one that serves. @throws RebuildRefused if they differ and must not */
async function compareWith(
  deps: RebuildDeps,
  progress: Progress,
  filling: Filling,
  serving: View,
): Promise<void> {
  progress.update({ phase: 'comparing' });
  const found = emptyComparison(await ledgersWithParked([serving, filling.view], deps.bus));
  await compareViews(serving, filling.view, smallestOf(filling.filled), found, deps.signal);
  progress.compared(found);
  await compareRest(deps, filling, serving, found);
  progress.compared(found);
  judge(deps, found);
}

/** Whether the log has the history of a generation. */
async function isOfLog(deps: RebuildDeps, serving: View): Promise<boolean> {
  return (await targetsOf(deps, serving)).every(({ agrees }) => agrees);
}

/**
 * Compares the rows that the serving generation changed meanwhile: first those that stand still for a round;
 * then all, while this process applies nothing; at last, one by one, the unstable rows that other processes
 * change all the time.
 */
async function compareRest(
  deps: RebuildDeps,
  filling: Filling,
  serving: View,
  found: Comparison,
): Promise<void> {
  const round = async () => {
    if (found.changedMeanwhile.length === 0) return;
    await fillExactly(deps, filling, serving);
    await compareChangedMeanwhile(serving, filling.view, found);
  };
  await round();
  await deps.projection.frozen(round);
  const until_ms = performance.now() + UNSTABLE_MS;
  const unstable = found.changedMeanwhile;
  found.changedMeanwhile = [];
  for (const row of unstable) {
    const isCompared = performance.now() < until_ms && (await compareOne(deps, filling, serving, found, row));
    if (!isCompared) found.changedMeanwhile.push(row);
  }
}

/**
 * Compares an unstable row. Gives whether both generations had the same version of it in one of a few tries.
 */
async function compareOne(
  deps: RebuildDeps,
  filling: Filling,
  serving: View,
  found: Comparison,
  row: ChangedRow,
): Promise<boolean> {
  const fillToPosition = async (position: bigint) => {
    // A row that claims to be from beyond the log's end is compared as it is, and differs.
    const { position: end } = await deps.log.head();
    if (position > end) return;
    await fillTo(
      filling,
      filling.filled.map(() => position),
    );
  };
  for (let attempt = 0; attempt < UNSTABLE_TRIES; attempt++) {
    if (await compareUnstable(serving, filling.view, row, found, fillToPosition)) return true;
    // The new generation is past it in that partition: it is read again once the serving one is too.
    await pause(KEEP_UP_INTERVAL_MS, deps.signal);
  }
  return false;
}

/**
 * Other processes go on with the old generation until they notice the switch: the new one is kept as far as
 * that, so that its readers do not wait for them.
 */
async function keepUpAfterSwitch(deps: RebuildDeps, filling: Filling, replaced: View): Promise<void> {
  const until_ms = performance.now() + deps.keepUp_ms;
  try {
    while (performance.now() < until_ms && !deps.signal.aborted) {
      await fillExactly(deps, filling, replaced);
      await pause(KEEP_UP_INTERVAL_MS, deps.signal);
    }
  } catch (error) {
    // It serves, and every process will feed it: this failure only made its readers wait a little.
    deps.logger.warn({ projection: deps.projection.id, err: error }, 'the new generation was not kept up');
  }
}

/** The ledgers of which one of the generations lacks parked events. */
async function ledgersWithParked(views: readonly View[], bus: EventBus): Promise<ReadonlySet<string>> {
  const checkpoints = await Promise.all(
    views.flatMap((view) => partitions(bus).map((partition) => view.checkpoint(partition))),
  );
  return new Set(checkpoints.flatMap((checkpoint) => [...parkedAt(checkpoint).heads.keys()]));
}

/** Fills until few events are missing to where the serving generation stands, while that goes on. */
async function fillNear(deps: RebuildDeps, filling: Filling, serving: View): Promise<void> {
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const targets = await targetsOf(deps, serving);
    if (isFilled(filling, targets, NEAR_EVENTS)) return;
    await fillTo(filling, positionsOf(targets));
  }
}

/** Fills to exactly where the serving generation stood in each partition when this began. */
async function fillExactly(deps: RebuildDeps, filling: Filling, serving: View): Promise<readonly Target[]> {
  const targets = await targetsOf(deps, serving);
  await fillTo(filling, positionsOf(targets));
  return targets;
}

/**
 * Brings the new generation to where the serving one stands, or as near as other processes let it, and gives
 * it the serving one's offsets.
 */
async function inheritCheckpoints(
  deps: RebuildDeps,
  filling: Filling,
  serving: View,
): Promise<readonly Checkpoint[]> {
  let reached = await fillExactly(deps, filling, serving);
  // The serving one stands still in this process. Other processes may outrun every round: only what was
  // filled is called complete, and keepUpAfterSwitch does the rest.
  for (let round = 1; round < MOST_ROUNDS; round++) {
    if (isFilled(filling, await targetsOf(deps, serving), 0n)) break;
    reached = await fillExactly(deps, filling, serving);
  }
  return Promise.all(
    reached.map(({ point, agrees, offset }, partition) => {
      const known = deps.offsetAt(point.position);
      // On a bus that keeps what was lost, the events of the new epoch come after it.
      return completeTo(filling.view, partition, point, agrees || known < 0n ? offset : known);
    }),
  );
}

/** Where a partition of the serving generation stands. */
interface Target {
  /** In the log: its end, if the log has lost the history of the generation. */
  readonly point: LogPoint;
  /** Whether the log has the generation's history. */
  readonly agrees: boolean;
  /** Of the last message of the bus that it has. */
  readonly offset: bigint;
}

function targetsOf({ bus, log }: RebuildDeps, serving: View): Promise<readonly Target[]> {
  return Promise.all(
    partitions(bus).map(async (partition) => {
      const checkpoint = await serving.checkpoint(partition);
      return { ...(await commonPoint(log, checkpoint)), offset: checkpoint.offset };
    }),
  );
}

function positionsOf(targets: readonly Target[]): readonly bigint[] {
  return targets.map(({ point }) => point.position);
}

/** Whether at most so many events are missing in each partition. */
function isFilled({ filled }: Filling, targets: readonly Target[], missing: bigint): boolean {
  return targets.every(({ point }, partition) => point.position - (filled[partition] ?? -1n) <= missing);
}

function judge({ acceptDifferences, projection, logger }: RebuildDeps, found: Comparison): void {
  const { compared, different, examples, changedMeanwhile } = found;
  if (changedMeanwhile.length > 0) {
    logger.warn(
      { projection: projection.id, rows: changedMeanwhile.length },
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
