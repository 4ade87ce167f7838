/**
 * Waits for one partition of one view: however many reads wait, its checkpoint is asked for once per
 * interval.
 */
import { pause } from '../../lib/base/pause.js';
import type { LogPoint } from '../../lib/log/recorded-event.js';
import { ledgersWholeUpTo, partitionWholeUpTo, wholeUpTo } from '../../lib/views/parked/parked.js';
import type { Checkpoint } from '../../lib/views/view.js';
import { isGenerationGone, type ReadableView, type ViewGetter } from './serving-view.js';

interface LaterEpoch {
  readonly result: 'later_epoch';
  readonly epoch: number;
}

/** What a checkpoint says of a target. */
type Found = 'reached' | LaterEpoch;

/** How a wait ended without an error. */
export type WaitOutcome =
  | { readonly result: 'at_once' | 'waited' }
  /** The view is in a later epoch than the caller has known of: it is to look again whether the log has its target. */
  | LaterEpoch
  | ({ readonly result: 'behind' } & NotReached);

export interface NotReached {
  /** The name of the view. */
  readonly view: string;
  /** Where the view was when last asked; undefined if it was not asked yet. */
  readonly checkpoint: Checkpoint | undefined;
}

/** A point that a view must have reached. */
export interface WaitTarget {
  readonly epoch: number;
  readonly position: bigint;
  /** The latest epoch that the caller knows of; undefined: it does not care for later ones. */
  readonly knownEpoch?: number | undefined;
  /** See Requirement. */
  readonly ledgerId?: string | null | undefined;
  readonly waitsForParked?: boolean;
}

interface Waiter {
  readonly target: WaitTarget;
  readonly settle: (outcome: Found | 'late' | Error) => void;
}

const POLL_MS = 3;
/** A checkpoint is believed for so long: after that its store may have been replaced by an older copy. */
const BELIEVED_MS = 1_000;
/** A view that stands still for so long may have been replaced by another generation. */
const STILL_MS = 100;

/** Asks only while someone waits. */
export class ViewPoller {
  readonly #getter: ViewGetter<ReadableView>;
  readonly #partition: number;
  readonly #waiters = new Set<Waiter>();
  #polling = false;
  #id: string | undefined;
  /** The generation that was asked last, and what it said. */
  #view: ReadableView | undefined;
  #last: Checkpoint | undefined;
  #movedAt_ms = 0;
  #askedAt_ms = -Infinity;

  constructor(getter: ViewGetter<ReadableView>, partition: number) {
    this.#getter = getter;
    this.#partition = partition;
  }

  /** The name of the view; undefined before it was first found. */
  get view(): string | undefined {
    return this.#id;
  }

  /**
   * Resolves when the partition is at or past a point, or when the time is up; rejects when the signal aborts
   * or the view's store fails. A checkpoint that the same generation gave a moment ago is believed:
   * checkpoints only move forward.
   */
  async reach(target: WaitTarget, wait_ms: number, signal: AbortSignal): Promise<WaitOutcome> {
    signal.throwIfAborted();
    const view = await this.#getter();
    this.#id = view.id;
    const isRecent = performance.now() - this.#askedAt_ms < BELIEVED_MS;
    const known = isRecent && view === this.#view ? outcomeOf(this.#last, target) : undefined;
    if (known !== undefined) return known === 'reached' ? { result: 'at_once' } : known;
    const outcome = await this.#wait(target, wait_ms, signal);
    if (outcome === 'reached') return { result: 'waited' };
    if (outcome !== 'late') return outcome;
    return { result: 'behind', view: this.#view?.id ?? view.id, checkpoint: this.#last };
  }

  #wait(target: WaitTarget, wait_ms: number, signal: AbortSignal): Promise<Found | 'late'> {
    return new Promise((resolve, reject) => {
      const settle = (outcome: Found | 'late' | Error) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        this.#waiters.delete(waiter);
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      };
      const onAbort = () => {
        const reason: unknown = signal.reason;
        settle(reason instanceof Error ? reason : new Error('the call has ended'));
      };
      const timer = setTimeout(settle, wait_ms, 'late');
      signal.addEventListener('abort', onAbort, { once: true });
      const waiter: Waiter = { target, settle };
      this.#waiters.add(waiter);
      if (!this.#polling) void this.#poll();
    });
  }

  async #poll(): Promise<void> {
    this.#polling = true;
    this.#movedAt_ms = performance.now();
    try {
      while (this.#waiters.size > 0) {
        const asked_ms = performance.now();
        await this.#ask();
        const took_ms = performance.now() - asked_ms;
        for (const waiter of [...this.#waiters]) {
          const found = outcomeOf(this.#last, waiter.target);
          const outcome = found ?? (isInVain(this.#last, waiter.target) ? 'late' : undefined);
          if (outcome !== undefined) waiter.settle(outcome);
        }
        // A store that is slow to answer is not asked all the time.
        if (this.#waiters.size > 0) await pause(Math.max(POLL_MS, took_ms));
      }
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      for (const waiter of [...this.#waiters]) waiter.settle(failure);
    } finally {
      this.#polling = false;
    }
  }

  async #ask(): Promise<void> {
    const still = performance.now() - this.#movedAt_ms > STILL_MS;
    const view = still ? await this.#getter.refresh() : await this.#getter();
    if (still) this.#movedAt_ms = performance.now();
    const checkpoint = await view.checkpoint(this.#partition).catch((error: unknown) => {
      if (isGenerationGone(error)) return undefined;
      throw error;
    });
    if (checkpoint === undefined) {
      // Its successor is asked at the next turn.
      await this.#getter.refresh();
      return;
    }
    this.#askedAt_ms = performance.now();
    if (view !== this.#view || checkpoint.position !== this.#last?.position) {
      this.#movedAt_ms = this.#askedAt_ms;
    }
    this.#view = view;
    this.#last = checkpoint;
  }
}

/** How a wait ends at a checkpoint; undefined: it goes on. */
function outcomeOf(checkpoint: Checkpoint | undefined, target: WaitTarget): Found | undefined {
  if (checkpoint === undefined) return undefined;
  const { epoch } = checkpoint;
  if (target.knownEpoch !== undefined && epoch > target.knownEpoch) return { result: 'later_epoch', epoch };
  return isAt(checkpoint, target) ? 'reached' : undefined;
}

/** Up to where every event of what is read is in the view. */
export function wholeFor(checkpoint: Checkpoint, { ledgerId }: WaitTarget): LogPoint {
  if (ledgerId === undefined) return partitionWholeUpTo(checkpoint);
  return ledgerId === null ? ledgersWholeUpTo(checkpoint) : wholeUpTo(checkpoint, ledgerId);
}

/** Whether the view is past the target, but for an event that is parked. */
export function isParkedBefore(checkpoint: Checkpoint, target: WaitTarget): boolean {
  return (
    isBeyond(checkpoint, target) &&
    checkpoint.parked !== undefined &&
    !isBeyond(wholeFor(checkpoint, target), target)
  );
}

function isAt(checkpoint: Checkpoint, target: WaitTarget): boolean {
  if (!isBeyond(checkpoint, target)) return false;
  return checkpoint.parked === undefined || isBeyond(wholeFor(checkpoint, target), target);
}

function isInVain(checkpoint: Checkpoint | undefined, target: WaitTarget): boolean {
  return checkpoint !== undefined && target.waitsForParked !== true && isParkedBefore(checkpoint, target);
}

function isBeyond(point: LogPoint, target: WaitTarget): boolean {
  // Positions past the fork of an earlier epoch are other events than those that the target means.
  return point.position >= target.position && point.epoch >= target.epoch;
}
