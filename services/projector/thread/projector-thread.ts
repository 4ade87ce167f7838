/**
 * The process' side of a projector in a thread of its own: hands over what is committed, passes on what operators ask, and
 * makes another thread when one ends. Nothing is lost with a thread: each view goes on from its checkpoint.
 */
import { pause } from '../../../lib/base/pause.js';
import type { StoredEvent } from '../../../lib/log/packed-flush.js';
import type { ViewId } from '../../../lib/views/view.js';
import { healthServiceOf } from '../health-name.js';
import type { ProjectionFigures } from '../metrics.js';
import type { RetryRequest } from '../dead-letters/dead-letters.js';
import type {
  DeadLettersInfo,
  DeadLettersRequest,
  ProjectionInfo,
  ProjectionOperations,
  ProjectionRequest,
  RetryInfo,
} from '../operations.js';
import { projectorAway, RunningThread, type ThreadDeps } from './running-thread.js';

export interface ProjectorThreadDeps<P> extends ThreadDeps<P> {
  readonly views: readonly ViewId[];
  /** How long to wait after the n-th end in a row, in milliseconds. */
  readonly backoff_ms?: (failures: number) => number;
}

/** The notification of a commit of this process may come before the commit is handed over. */
const OWN_COMMIT_MS = 10;
/** A scrape of the metrics does not wait longer for a thread that is busy. */
const FIGURES_LIMIT_MS = 2_000;
/** A thread that ran so long begins the count of failures anew. */
const RAN_WELL_MS = 60_000;

function defaultBackoff_ms(failures: number): number {
  return Math.min(5_000, 100 * 2 ** Math.min(failures - 1, 10));
}

export class ProjectorThread<P> implements ProjectionOperations {
  readonly #deps: ProjectorThreadDeps<P>;
  readonly #stop = new AbortController();
  /** What operators have paused stays so in the next thread. */
  readonly #paused = new Set<ViewId>();
  #thread: RunningThread<P> | undefined;
  #keeping: Promise<void> | undefined;
  /** The last position that was handed over. */
  #handed = -1n;
  /** The greatest position of a notification. */
  #notified = -1n;
  #looking: NodeJS.Timeout | undefined;

  /** The thread loads its program at once; nothing is projected before `start`. */
  constructor(deps: ProjectorThreadDeps<P>) {
    this.#deps = deps;
    this.#thread = new RunningThread(deps);
  }

  /**
   * Begins when the log is there; resolves when each view was opened or failed to be (and is tried again).
   * @throws Error if the thread ends before
   */
  async start(): Promise<void> {
    const thread = this.#thread;
    if (thread === undefined) throw new Error('the projector was stopped');
    thread.start([]);
    await thread.started;
    this.#keeping = this.#keepRunning(thread);
  }

  /** Ends after the batches under way. */
  async stop(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#looking);
    await this.#thread?.stop();
    await this.#keeping;
  }

  /** Hands over the events of a commit of this process. */
  handOver(events: readonly StoredEvent[]): void {
    const last = events.at(-1);
    if (last === undefined) return;
    this.#handed = last.position;
    this.#thread?.handOver(events);
  }

  /** A new epoch of the log begins with what is handed over next: it may end before what was handed over. */
  forked(): void {
    this.#handed = -1n;
    this.#notified = -1n;
    this.#thread?.forked();
  }

  /** There was a commit, of this process or of another one, up to a position. */
  committed(position: bigint | undefined): void {
    const through = position ?? this.#handed + 1n;
    if (through <= this.#handed || this.#stop.signal.aborted) return;
    if (through > this.#notified) this.#notified = through;
    this.#looking ??= setTimeout(() => {
      this.#looking = undefined;
      if (this.#notified > this.#handed) this.#thread?.grown();
    }, OWN_COMMIT_MS);
  }

  list(): Promise<readonly ProjectionInfo[]> {
    return this.#running().ask({ name: 'list', asked: undefined });
  }

  async run(request: ProjectionRequest): Promise<ProjectionInfo> {
    const info = await this.#running().ask({ name: 'run', asked: request });
    const view = this.#deps.views.find((id) => id === request.projectionId);
    if (view !== undefined && request.operation === 'pause') this.#paused.add(view);
    if (view !== undefined && request.operation === 'resume') this.#paused.delete(view);
    return info;
  }

  deadLetters(request: DeadLettersRequest): Promise<DeadLettersInfo> {
    return this.#running().ask({ name: 'deadLetters', asked: request });
  }

  retry(request: RetryRequest): Promise<RetryInfo> {
    return this.#running().ask({ name: 'retry', asked: request });
  }

  /** What the metrics say now. @throws CallError while there is no thread, Error if it does not answer in time */
  async figures(): Promise<readonly ProjectionFigures[]> {
    const answered = new AbortController();
    const late = pause(FIGURES_LIMIT_MS, answered.signal).then(() => {
      throw new Error('the projector does not answer in time');
    });
    const figures = this.#running().ask({ name: 'figures', asked: undefined });
    return Promise.race([figures, late]).finally(() => answered.abort());
  }

  #running(): RunningThread<P> {
    if (this.#thread === undefined) throw projectorAway();
    return this.#thread;
  }

  /** Makes another thread when one ends, until the stop. */
  async #keepRunning(first: RunningThread<P>): Promise<void> {
    const { logger, onHealth, views, backoff_ms = defaultBackoff_ms } = this.#deps;
    const { signal } = this.#stop;
    let failures = 0;
    for (let thread = first; ;) {
      const began_ms = performance.now();
      const cause = await thread.ended;
      if (signal.aborted) return;
      this.#thread = undefined;
      for (const view of views) onHealth(healthServiceOf(view), false);
      failures = performance.now() - began_ms > RAN_WELL_MS ? 1 : failures + 1;
      logger.error({ err: cause, failures }, 'the projector has failed and is started again');
      await pause(backoff_ms(failures), signal);
      const next = this.#makeAnother();
      if (next === undefined) return;
      thread = next;
    }
  }

  #makeAnother(): RunningThread<P> | undefined {
    if (this.#stop.signal.aborted) return undefined;
    this.#thread = new RunningThread(this.#deps);
    this.#thread.start([...this.#paused]);
    return this.#thread;
  }
}
