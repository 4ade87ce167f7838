/**
 * The projections of this process and their rebuilds, in agreement with the other processes of the projector.
 */
import { setMaxListeners } from 'node:events';
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import type { LogReader } from '../../lib/log/reader.js';
import type { LogPoint } from '../../lib/log/recorded-event.js';
import { Outage } from '../../lib/base/outage.js';
import { pause } from '../../lib/base/pause.js';
import { fail } from '../../lib/rpc/errors.js';
import type { Clock } from '../../lib/base/time.js';
import type { View, ViewGenerations, ViewId } from '../../lib/views/view.js';
import { MOST_DEAD_LETTERS } from '../../lib/views/parked/most-dead-letters.js';
import { build } from './build.js';
import { INITIAL_STATE, type Lease, type ProjectionControl } from './control/control.js';
import { commonPoint } from './fill.js';
import { Projection, type ProjectionDeps } from './projection.js';
import { ProjectorEntry } from './projector-entry.js';
import type { ProjectorLog } from './projector-log.js';
import { rebuild, type RebuildStatus } from './rebuild.js';
import { savingOfStatuses, type StatusSaving } from './save-status.js';

/** What projections and their rebuilds share. */
export interface ProjectorParts {
  readonly log: LogReader;
  readonly logger: ProjectorLog;
  readonly clock: Clock;
  readonly control: ProjectionControl;
  readonly offsetAt: (position: bigint) => bigint;
  /** How long a generation that was replaced is kept, for readers that have not noticed yet. */
  readonly keepReplaced_ms: number;
  /** Tells the process that decides that the log does not have a point that a view has seen. */
  reportLost(point: Pick<LogPoint, 'epoch' | 'position'>): Promise<void>;
  /** A partition that would have more parked events stops its projection. */
  readonly mostDeadLetters?: number;
}

/** A view to keep. */
export interface ProjectorView extends Pick<
  ProjectionDeps,
  'bus' | 'onState' | 'onApplied' | 'pauses_ms' | 'backoff_ms'
> {
  readonly id: ViewId;
  readonly generations: ViewGenerations<View>;
}

/**
 * How often a process reads what the processes agree on, reports how its projections do, and reads which
 * generation serves.
 */
const AGREE_MS = 250;
/** How often the checkpoints of the views are compared with the log. */
const COMPARE_MS = 1_000;
/**
 * Other processes notice a switch within two turns; what they write of the old generation until then is no
 * loss.
 */
const KEEP_UP_MS = 4 * AGREE_MS;

/** Steers projections; ends with them. */
export class Projector {
  readonly entries: readonly ProjectorEntry[];
  readonly log: LogReader;
  readonly #parts: ProjectorParts;
  readonly #stop = new AbortController();
  /** Rebuilds, drops, and the turns in which the processes agree. */
  readonly #running = new Set<Promise<void>>();
  /** The views of a lost history that are being rebuilt. */
  readonly #recovering = new Set<ViewId>();
  readonly #mostDeadLetters: number;

  constructor(parts: ProjectorParts, views: readonly ProjectorView[]) {
    this.#parts = parts;
    this.log = parts.log;
    const { log, logger, clock, mostDeadLetters = MOST_DEAD_LETTERS } = parts;
    this.#mostDeadLetters = mostDeadLetters;
    // Every generation that was replaced within the last minute waits on it: more than ten listeners are no
    // leak.
    setMaxListeners(0, this.#stop.signal);
    this.entries = views.map((view) => {
      const projection = new Projection({
        ...view,
        log,
        logger,
        clock,
        mostDeadLetters,
        make: () => this.#make(view),
      });
      return new ProjectorEntry(projection, view.generations, view.bus);
    });
  }

  /** Resolves when the first attempt to open each view's store has ended. */
  async start(): Promise<void> {
    await this.#agree().catch((error: unknown) => {
      this.#parts.logger.warn({ err: error }, 'what the projectors have agreed on cannot be read yet');
    });
    await Promise.all(this.entries.map(({ projection }) => projection.start()));
    await Promise.all(this.entries.map((entry) => this.#dropLeftovers(entry)));
    if (this.#parts.control.isShared) this.#run(this.#keepAgreeing());
    this.#run(this.#keepComparing());
  }

  /** Ends rebuilds (what they made is dropped), then the projections after the batch under way. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
    await Promise.all(this.entries.map(({ projection }) => projection.stop()));
    await this.#parts.control.close().catch(() => undefined);
  }

  /** @throws CallError PROJECTION_NOT_FOUND */
  entry(projectionId: string): ProjectorEntry {
    const found = this.entries.find(({ projection }) => projection.id === projectionId);
    if (found !== undefined) return found;
    throw fail(ErrorReason.PROJECTION_NOT_FOUND, `there is no projection ${projectionId}`, {
      resource: { type: 'projection', name: projectionId },
    });
  }

  /**
   * Stops after the batch under way, here at once and in other processes soon.
   * @throws CallError PROJECTION_STATE if it is paused.
   */
  async pause(entry: ProjectorEntry): Promise<void> {
    await this.#agree();
    const { id } = entry.projection;
    if (entry.status.state === 'paused') throw projectionState(id, 'it is paused already');
    await this.#parts.control.setPaused(id, true);
    await entry.projection.pause();
    await this.#agree();
  }

  /** Goes on, after a pause or a failure. @throws CallError PROJECTION_STATE if it runs. */
  async resume(entry: ProjectorEntry): Promise<void> {
    await this.#agree();
    const { id } = entry.projection;
    if (entry.status.state === 'running') throw projectionState(id, 'it runs already');
    await this.#parts.control.setPaused(id, false);
    await this.#agree();
  }

  /** Begins a rebuild; resolves when it has begun. @throws CallError PROJECTION_STATE if one runs. */
  async rebuild(entry: ProjectorEntry, acceptDifferences: boolean): Promise<void> {
    const { id } = entry.projection;
    if (this.#stop.signal.aborted) throw fail(ErrorReason.NOT_SERVING, 'the server is shutting down');
    const lease = await this.#parts.control.acquire(id);
    if (lease === undefined) throw projectionState(id, 'a rebuild runs');
    const { control, logger } = this.#parts;
    const save = savingOfStatuses((status) => control.saveRebuild(id, status), logger);
    this.#run(this.#rebuildUnder(lease, entry, acceptDifferences, save));
    // From now on every process shows this rebuild, and not the one before.
    await save.first;
  }

  /**
   * To be called when a projection fails since its view is of a history that the log has lost: the view is rebuilt without an
   * operator, once a new epoch has begun. Before that, the bus could bring the lost events back.
   */
  recoverLost(entry: ProjectorEntry): void {
    const { id } = entry.projection;
    if (this.#recovering.has(id)) return;
    this.#recovering.add(id);
    this.#run(this.#recover(entry).finally(() => this.#recovering.delete(id)));
  }

  async #recover(entry: ProjectorEntry): Promise<void> {
    const { signal } = this.#stop;
    const { logger } = this.#parts;
    while (!signal.aborted && entry.projection.failure?.kind === 'history_lost') {
      const { rebuild: last } = entry.agreed;
      const isRunning = last !== undefined && last.endTime === undefined;
      try {
        if (!isRunning && (await this.#hasForked(entry))) await this.rebuild(entry, true);
      } catch (error) {
        const fields = { projection: entry.projection.id, err: error };
        logger.warn(fields, 'the view has to be rebuilt, and cannot be yet');
      }
      await pause(AGREE_MS, signal);
    }
  }

  /** Whether the epoch that lost what the view holds has begun. If not, its want is reported. */
  async #hasForked({ projection: { view }, bus }: ProjectorEntry): Promise<boolean> {
    const { log, reportLost } = this.#parts;
    if (view === undefined) return false;
    const partitions = Array.from({ length: bus.partitions }, (_, partition) => partition);
    const checkpoints = await Promise.all(partitions.map((partition) => view.checkpoint(partition)));
    for (const checkpoint of checkpoints) {
      const { agrees } = await commonPoint(log, checkpoint);
      if (agrees || (await log.head()).epoch > checkpoint.epoch) continue;
      await reportLost(checkpoint);
      return false;
    }
    return true;
  }

  async #keepComparing(): Promise<void> {
    const { logger } = this.#parts;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        for (const { projection } of this.entries) await projection.compareWithLog();
      } catch (error) {
        logger.warn({ err: error }, 'the views cannot be compared with the log');
      }
      await pause(COMPARE_MS, signal);
    }
  }

  async #rebuildUnder(
    lease: Lease,
    entry: ProjectorEntry,
    acceptDifferences: boolean,
    save: StatusSaving,
  ): Promise<void> {
    const { projection, generations, bus } = entry;
    const { control, logger } = this.#parts;
    let end: RebuildStatus | undefined;
    const replaced = await rebuild({
      ...this.#parts,
      mostDeadLetters: this.#mostDeadLetters,
      projection,
      generations,
      bus,
      acceptDifferences,
      signal: AbortSignal.any([this.#stop.signal, lease.signal]),
      keepUp_ms: control.isShared ? KEEP_UP_MS : 0,
      onStatus: (status) => {
        if (status.endTime === undefined) {
          entry.rebuilding(status);
          save.next(status);
        } else {
          end = status;
        }
      },
    });
    await save.done();
    if (end !== undefined) {
      await control.saveRebuild(projection.id, end).catch((error: unknown) => {
        logger.warn({ err: error }, 'the end of a rebuild was not saved');
      });
    }
    // Only after the release is the end shown: a caller who sees it may begin another rebuild.
    await lease.release().catch(() => undefined);
    entry.rebuilt(end);
    if (replaced !== undefined) this.#run(this.#dropLater(entry, replaced));
  }

  /** Makes the view that its store does not hold; undefined while another process makes it. */
  async #make({ id, generations, bus }: ProjectorView): Promise<View | undefined> {
    const lease = await this.#parts.control.acquire(id);
    if (lease === undefined) return undefined;
    try {
      const signal = AbortSignal.any([this.#stop.signal, lease.signal]);
      const { log, logger, clock, offsetAt } = this.#parts;
      const mostDeadLetters = this.#mostDeadLetters;
      return await build({ log, logger, clock, offsetAt, mostDeadLetters, id, generations, bus, signal });
    } finally {
      await lease.release().catch(() => undefined);
    }
  }

  async #keepAgreeing(): Promise<void> {
    const { control, logger } = this.#parts;
    const { signal } = this.#stop;
    const outage = new Outage(logger, {
      failed: 'the projectors cannot agree',
      ended: 'the projectors agree again',
    });
    while (!signal.aborted) {
      try {
        await control.report(
          this.entries.map(({ projection: { id, state, failure } }) => ({
            view: id,
            failure: state === 'failed' ? failure?.message : undefined,
          })),
        );
        await this.#agree();
        await Promise.all(this.entries.map(({ projection }) => projection.followSwitch()));
        outage.succeeded();
      } catch (error) {
        // Projections go on without. What operators asked for meanwhile is done when the store answers again.
        outage.failed(error);
      }
      await pause(AGREE_MS, signal);
    }
  }

  /** Does here what is agreed. */
  async #agree(): Promise<void> {
    const states = await this.#parts.control.read();
    for (const entry of this.entries) await entry.follow(states.get(entry.projection.id) ?? INITIAL_STATE);
  }

  /**
   * Drops what an interrupted rebuild left behind, and generations that were replaced right before the last
   * stop.
   */
  async #dropLeftovers({ projection, generations }: ProjectorEntry): Promise<void> {
    const { control, logger } = this.#parts;
    const { id, view } = projection;
    if (view === undefined) return;
    try {
      const lease = await control.acquire(id);
      // Another process makes one: then it is no leftover.
      if (lease === undefined) return;
      const serving = (await generations.current()).generation;
      for (const generation of await generations.list()) {
        if (generation === serving) continue;
        await generations.drop(generation);
        logger.info({ projection: id, generation }, 'dropped a generation that does not serve');
      }
      await lease.release();
    } catch (error) {
      logger.warn(
        { projection: id, err: error },
        'old generations were not dropped; the next start tries again',
      );
    }
  }

  async #dropLater({ projection, generations }: ProjectorEntry, generation: number): Promise<void> {
    const { keepReplaced_ms, logger } = this.#parts;
    await pause(keepReplaced_ms, this.#stop.signal);
    // When the process ends before, the next start drops it.
    if (this.#stop.signal.aborted) return;
    await generations.drop(generation).catch((error: unknown) => {
      const fields = { projection: projection.id, generation, err: error };
      logger.warn(fields, 'a replaced generation could not be dropped; the next start drops it');
    });
  }

  #run(work: Promise<void>): void {
    const running = work
      .catch((error: unknown) => {
        this.#parts.logger.error({ err: error }, 'the projector failed in the background');
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }
}

/** The error PROJECTION_STATE, with what the projection is doing. */
export function projectionState(projectionId: string, description: string) {
  return fail(ErrorReason.PROJECTION_STATE, `projection ${projectionId}: ${description}`, {
    precondition: [{ type: 'PROJECTION_STATE', subject: projectionId, description }],
  });
}
