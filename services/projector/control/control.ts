/**
 * What all processes of the projector agree on about a projection: whether it is paused, and who rebuilds it.
 */
import type { ViewId } from '../../../lib/views/view.js';
import type { RebuildStatus } from '../rebuild.js';

/** What a projection is doing in a process. */
export interface RunReport {
  readonly view: ViewId;
  /** Why it does not go on there; undefined if it does. */
  readonly failure: string | undefined;
}

/** What is agreed about a projection. */
export interface ControlState {
  readonly paused: boolean;
  /** Grows with each resume, so that every process tries again what has failed in it. */
  readonly resumes: number;
  /** Why the projection does not go on in another process; undefined if it does everywhere. */
  readonly failureElsewhere: string | undefined;
  /** The rebuild under way, or the last one; undefined if there was none. */
  readonly rebuild: RebuildStatus | undefined;
}

export const INITIAL_STATE: ControlState = {
  paused: false,
  resumes: 0,
  failureElsewhere: undefined,
  rebuild: undefined,
};

/** The right to make and drop generations of a view: one holder at a time. */
export interface Lease {
  /** Aborts when the right is lost: it could not be renewed in time. */
  readonly signal: AbortSignal;
  release(): Promise<void>;
}

export interface ProjectionControl {
  /** Whether other processes run the same projections. */
  readonly isShared: boolean;
  /** All that is agreed now; a view of which nothing was said is in INITIAL_STATE. */
  read(): Promise<ReadonlyMap<ViewId, ControlState>>;
  setPaused(view: ViewId, paused: boolean): Promise<void>;
  saveRebuild(view: ViewId, status: RebuildStatus): Promise<void>;
  /**
   * Reports to the others how the projections do here; a report that is not repeated within seconds is
   * forgotten.
   */
  report(reports: readonly RunReport[]): Promise<void>;
  /** Undefined while another holds it. */
  acquire(view: ViewId): Promise<Lease | undefined>;
  /** Takes back what was reported. */
  close(): Promise<void>;
}
