/** The projections of this process and their rebuilds, as the methods of ProjectionService steer them. */
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import { fail } from '../../lib/platform/errors.js';
import type { EventBus } from '../../lib/platform/bus.js';
import type { LogReader } from '../../lib/log/reader.js';
import type { Clock } from '../../lib/platform/time.js';
import type { View, ViewGenerations } from '../../lib/views/view.js';
import { rebuild, type RebuildStatus } from './rebuild.js';
import { rest } from './rest.js';
import type { Projection, ProjectorLog } from './runner.js';

/** What rebuilds share. */
export interface ProjectorParts {
  readonly log: LogReader;
  readonly bus: EventBus;
  readonly logger: ProjectorLog;
  readonly clock: Clock;
  readonly offsetAt: (position: bigint) => bigint;
  /** How long a generation that was replaced is kept, for readers that have not noticed yet. */
  readonly keepReplaced_ms: number;
}

/** A projection and what belongs to it. */
export interface ProjectorEntry {
  readonly projection: Projection;
  readonly generations: ViewGenerations<View>;
  /** The rebuild under way, or the last one since start. */
  rebuild: RebuildStatus | undefined;
}

/** Steers projections; ends with them. */
export class Projector {
  readonly entries: readonly ProjectorEntry[];
  readonly log: LogReader;
  readonly #parts: ProjectorParts;
  readonly #stop = new AbortController();
  readonly #rebuilding = new Map<ProjectorEntry, Promise<void>>();
  /** Replaced generations that are still kept. */
  readonly #drops = new Set<Promise<void>>();

  constructor(parts: ProjectorParts, projections: readonly (readonly [Projection, ViewGenerations<View>])[]) {
    this.#parts = parts;
    this.log = parts.log;
    this.entries = projections.map(([projection, generations]) => ({
      projection,
      generations,
      rebuild: undefined,
    }));
  }

  /** Resolves when every view's store was opened, or failed to be for the first time. */
  async start(): Promise<void> {
    await Promise.all(this.entries.map(({ projection }) => projection.start()));
  }

  /** Ends rebuilds (what they made is dropped), then the projections after the batch under way. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#rebuilding.values());
    await Promise.all(this.#drops);
    await Promise.all(this.entries.map(({ projection }) => projection.stop()));
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
   * Begins a rebuild; resolves at once.
   * @throws CallError PROJECTION_STATE if one runs.
   */
  rebuild(entry: ProjectorEntry, acceptDifferences: boolean): void {
    const { projection, generations } = entry;
    if (this.#rebuilding.has(entry)) {
      throw projectionState(projection.id, 'a rebuild runs');
    }
    if (this.#stop.signal.aborted) throw fail(ErrorReason.NOT_SERVING, 'the server is shutting down');
    const run = async (): Promise<void> => {
      const replaced = await rebuild({
        ...this.#parts,
        projection,
        generations,
        acceptDifferences,
        signal: this.#stop.signal,
        onStatus: (status) => (entry.rebuild = status),
      });
      this.#rebuilding.delete(entry);
      if (replaced !== undefined) {
        const drop = this.#dropLater(entry, replaced).finally(() => this.#drops.delete(drop));
        this.#drops.add(drop);
      }
    };
    this.#rebuilding.set(entry, run());
  }

  async #dropLater({ projection, generations }: ProjectorEntry, generation: number): Promise<void> {
    const { keepReplaced_ms, logger } = this.#parts;
    await rest(keepReplaced_ms, this.#stop.signal);
    // When the process ends before, the next start drops it.
    if (this.#stop.signal.aborted) return;
    await generations.drop(generation).catch((error: unknown) => {
      const fields = { projection: projection.id, generation, err: error };
      logger.warn(fields, 'a replaced generation could not be dropped; the next start drops it');
    });
  }
}

/** PROJECTION_STATE with what stands against it. */
export function projectionState(projectionId: string, description: string) {
  return fail(ErrorReason.PROJECTION_STATE, `projection ${projectionId}: ${description}`, {
    precondition: [{ type: 'PROJECTION_STATE', subject: projectionId, description }],
  });
}
