/** A projection of this process, with what the processes of the projector agree on about it. */
import type { EventBus } from '../../lib/log/bus.js';
import type { View, ViewGenerations } from '../../lib/views/view.js';
import { type ControlState, INITIAL_STATE } from './control/control.js';
import type { Projection, RunState } from './projection.js';
import type { RebuildStatus } from './rebuild.js';

export class ProjectorEntry {
  readonly projection: Projection;
  readonly generations: ViewGenerations<View>;
  readonly bus: EventBus;
  /** As last read; undefined before the first time. */
  #agreed: ControlState | undefined;
  /** The rebuild that runs in this process. */
  #rebuild: RebuildStatus | undefined;

  constructor(projection: Projection, generations: ViewGenerations<View>, bus: EventBus) {
    this.projection = projection;
    this.generations = generations;
    this.bus = bus;
  }

  /** What the processes agree on, as last read; of a rebuild that runs here, as it is now. */
  get agreed(): ControlState {
    const agreed = this.#agreed ?? INITIAL_STATE;
    return this.#rebuild === undefined ? agreed : { ...agreed, rebuild: this.#rebuild };
  }

  /** What the projection does, over all processes: if it fails in one of them, it fails. */
  get status(): { readonly state: RunState; readonly failure: string } {
    const { projection, agreed } = this;
    if (projection.state === 'paused' || agreed.paused) return { state: 'paused', failure: '' };
    const failure = projection.failure?.message ?? agreed.failureElsewhere;
    return failure === undefined ? { state: 'running', failure: '' } : { state: 'failed', failure };
  }

  /** Does here what is agreed now. */
  async follow(agreed: ControlState): Promise<void> {
    const { projection } = this;
    const isResumed = this.#agreed !== undefined && agreed.resumes > this.#agreed.resumes;
    this.#agreed = agreed;
    if (agreed.paused && projection.state !== 'paused') await projection.pause();
    if (!agreed.paused && (isResumed || projection.state === 'paused')) projection.resume();
  }

  /** The rebuild that runs here has come so far. */
  rebuilding(status: RebuildStatus): void {
    this.#rebuild = status;
  }

  /** The rebuild that ran here has ended. */
  rebuilt(status: RebuildStatus | undefined): void {
    this.#rebuild = undefined;
    this.#agreed = { ...this.agreed, rebuild: status };
  }
}
