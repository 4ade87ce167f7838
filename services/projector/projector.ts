/** The projections of this process and their rebuilds, in agreement with the other processes of the projector. */
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import type { LogReader } from '../../lib/log/reader.js';
import type { EventBus } from '../../lib/log/bus.js';
import { fail } from '../../lib/rpc/errors.js';
import type { Clock } from '../../lib/base/time.js';
import type { View, ViewGenerations, ViewId } from '../../lib/views/view.js';
import { build } from './build.js';
import { type ControlState, INITIAL_STATE, type Lease, type ProjectionControl } from './control/control.js';
import { rebuild, type RebuildStatus } from './rebuild.js';
import { pause } from '../../lib/base/pause.js';
import { Projection, type ProjectionDeps, type ProjectorLog, type RunState } from './runner.js';

/** What projections and their rebuilds share. */
export interface ProjectorParts {
  readonly log: LogReader;
  readonly logger: ProjectorLog;
  readonly clock: Clock;
  readonly control: ProjectionControl;
  readonly offsetAt: (position: bigint) => bigint;
  /** How long a generation that was replaced is kept, for readers that have not noticed yet. */
  readonly keepReplaced_ms: number;
}

/** A view to keep. */
export interface ProjectorView extends Pick<
  ProjectionDeps,
  'bus' | 'onState' | 'onApplied' | 'pauses_ms' | 'backoff_ms'
> {
  readonly id: ViewId;
  readonly generations: ViewGenerations<View>;
}

/** A projection and what belongs to it. */
export interface ProjectorEntry {
  readonly projection: Projection;
  readonly generations: ViewGenerations<View>;
  readonly bus: EventBus;
  /** What the processes agree on, as last read; of a rebuild that runs here, as it is now. */
  agreed: ControlState;
}

/** How often a process asks what the others have agreed on, tells them how it does, and looks which generation serves. */
const AGREE_ms = 250;
/** Other processes notice a switch within two turns; what they write of the old generation until then is no loss. */
const ESCORT_ms = 4 * AGREE_ms;
/** A status that is only on its way is saved as often. */
const SAVE_ms = 200;

/** Steers projections; ends with them. */
export class Projector {
  readonly entries: readonly ProjectorEntry[];
  readonly log: LogReader;
  readonly #parts: ProjectorParts;
  readonly #stop = new AbortController();
  /** Rebuilds, drops, and the turns in which the processes agree. */
  readonly #running = new Set<Promise<void>>();
  /** The rebuilds that run here. */
  readonly #rebuilds = new Map<ViewId, RebuildStatus>();

  constructor(parts: ProjectorParts, views: readonly ProjectorView[]) {
    this.#parts = parts;
    this.log = parts.log;
    const { log, logger } = parts;
    this.entries = views.map((view) => ({
      generations: view.generations,
      bus: view.bus,
      agreed: INITIAL_STATE,
      projection: new Projection({ ...view, log, logger, make: () => this.#make(view) }),
    }));
  }

  /** Resolves when every view's store was opened, or failed to be for the first time. */
  async start(): Promise<void> {
    await this.#agree().catch((error: unknown) => {
      this.#parts.logger.warn({ err: error }, 'what the projectors have agreed on cannot be read yet');
    });
    await Promise.all(this.entries.map(({ projection }) => projection.start()));
    await Promise.all(this.entries.map((entry) => this.#dropLeftovers(entry)));
    if (this.#parts.control.isShared) this.#run(this.#keepAgreeing());
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

  /** What it does, over all processes: one in which it fails is enough. */
  stateOf({ projection, agreed }: ProjectorEntry): { readonly state: RunState; readonly failure: string } {
    if (projection.state === 'paused' || agreed.paused) return { state: 'paused', failure: '' };
    const failure = projection.failure?.message ?? agreed.failureElsewhere;
    return failure === undefined ? { state: 'running', failure: '' } : { state: 'failed', failure };
  }

  /**
   * Stops after the batch under way, here at once and in other processes soon.
   * @throws CallError PROJECTION_STATE if it is paused.
   */
  async pause(entry: ProjectorEntry): Promise<void> {
    await this.#agree();
    const { id } = entry.projection;
    if (this.stateOf(entry).state === 'paused') throw projectionState(id, 'it is paused already');
    await this.#parts.control.setPaused(id, true);
    await entry.projection.pause();
    await this.#agree();
  }

  /** Goes on, after a pause or a failure. @throws CallError PROJECTION_STATE if it runs. */
  async resume(entry: ProjectorEntry): Promise<void> {
    await this.#agree();
    const { id } = entry.projection;
    if (this.stateOf(entry).state === 'running') throw projectionState(id, 'it runs already');
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
    const save = savedNowAndThen((status) => control.saveRebuild(id, status), logger);
    this.#run(this.#rebuildUnder(lease, entry, acceptDifferences, save));
    // Whichever process is asked from now on tells of this rebuild and not of the one before.
    await save.first;
  }

  async #rebuildUnder(
    lease: Lease,
    entry: ProjectorEntry,
    acceptDifferences: boolean,
    save: Saving,
  ): Promise<void> {
    const { projection, generations, bus } = entry;
    const { control, logger } = this.#parts;
    const tell = (status: RebuildStatus) => {
      this.#rebuilds.set(projection.id, status);
      entry.agreed = { ...entry.agreed, rebuild: status };
      save.next(status);
    };
    let end: RebuildStatus | undefined;
    const replaced = await rebuild({
      ...this.#parts,
      ...{ projection, generations, bus, acceptDifferences },
      signal: AbortSignal.any([this.#stop.signal, lease.signal]),
      escort_ms: control.isShared ? ESCORT_ms : 0,
      onStatus: (status) => {
        if (status.endTime === undefined) tell(status);
        else end = status;
      },
    });
    await save.done();
    if (end !== undefined) {
      await control.saveRebuild(projection.id, end).catch((error: unknown) => {
        logger.warn({ err: error }, 'the end of a rebuild was not saved');
      });
    }
    // Whoever sees here that it has ended may begin another.
    await lease.release().catch(() => undefined);
    this.#rebuilds.delete(projection.id);
    entry.agreed = { ...entry.agreed, rebuild: end };
    if (replaced !== undefined) this.#run(this.#dropLater(entry, replaced));
  }

  /** Makes the view that its store does not hold; undefined while another process is about it. */
  async #make({ id, generations, bus }: ProjectorView): Promise<View | undefined> {
    const lease = await this.#parts.control.acquire(id);
    if (lease === undefined) return undefined;
    try {
      const signal = AbortSignal.any([this.#stop.signal, lease.signal]);
      return await build({ ...this.#parts, id, generations, bus, signal });
    } finally {
      await lease.release().catch(() => undefined);
    }
  }

  async #keepAgreeing(): Promise<void> {
    const { control, logger } = this.#parts;
    const { signal } = this.#stop;
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
      } catch (error) {
        // Projections go on without; what operators have said since is heard when the store answers again.
        logger.warn({ err: error }, 'the projectors cannot agree');
      }
      await pause(AGREE_ms, signal);
    }
  }

  /** Does here what is agreed. */
  async #agree(): Promise<void> {
    const states = await this.#parts.control.read();
    for (const entry of this.entries) {
      const before = entry.agreed;
      const agreed = states.get(entry.projection.id) ?? INITIAL_STATE;
      const rebuild = this.#rebuilds.get(entry.projection.id) ?? agreed.rebuild;
      entry.agreed = { ...agreed, rebuild };
      if (agreed.paused && entry.projection.state !== 'paused') await entry.projection.pause();
      const isResumed = before !== INITIAL_STATE && agreed.resumes > before.resumes;
      if (!agreed.paused && (isResumed || entry.projection.state === 'paused')) entry.projection.resume();
    }
  }

  /** What a rebuild left behind that a crash or a stop interrupted, and generations replaced less than a minute before. */
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

/** Saves the latest status, one at a time: a rebuild that goes fast is not to wait for what tells of it. */
interface Saving {
  next(status: RebuildStatus): void;
  /** Resolves when the first was saved. */
  readonly first: Promise<void>;
  /** Resolves when the last was saved. */
  done(): Promise<void>;
}

function savedNowAndThen(save: (status: RebuildStatus) => Promise<void>, logger: ProjectorLog): Saving {
  let latest: RebuildStatus | undefined;
  let saving: Promise<void> | undefined;
  let isFirst = () => {};
  const loop = async () => {
    while (latest !== undefined) {
      const status = latest;
      latest = undefined;
      await save(status).catch((error: unknown) => {
        logger.warn({ err: error }, 'the status of a rebuild was not saved');
      });
      isFirst();
      if (status.endTime === undefined) await pause(SAVE_ms, new AbortController().signal);
    }
    saving = undefined;
  };
  return {
    next: (status) => {
      latest = status;
      saving ??= loop();
    },
    first: new Promise((resolve) => (isFirst = resolve)),
    done: async () => {
      while (saving !== undefined) await saving;
    },
  };
}

/** PROJECTION_STATE with what stands against it. */
export function projectionState(projectionId: string, description: string) {
  return fail(ErrorReason.PROJECTION_STATE, `projection ${projectionId}: ${description}`, {
    precondition: [{ type: 'PROJECTION_STATE', subject: projectionId, description }],
  });
}
