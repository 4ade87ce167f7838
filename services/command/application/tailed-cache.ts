/**
 * States of one kind of entity: cached rows of the state tables below, what the retained tail of the log says above. The rows
 * alone are as old as the checkpoint that they were read at; with the tail on top they are as of the end of the log.
 */
import { LRUCache } from 'lru-cache';

/** An entity as the tail left it. */
interface TailEntry<State, Change> {
  /** Null where the tail says only what changed, and a row must say what it changed. */
  state: State | null;
  /** The latest change; null where the tail has said the whole state. */
  change: Change | null;
  /** The position of the latest event that touched it. */
  position: bigint;
}

export interface TailedCacheOptions<State, Change> {
  /** States below the tail at most. */
  readonly max: number;
  /** A state after a change; the same state if it is there already or beyond. */
  changed(state: State, change: Change): State;
  /** Whether a state is worth keeping once the tail no longer has it. */
  isWorthKeeping(state: State): boolean;
}

export class TailedCache<State, Change> {
  readonly #options: TailedCacheOptions<State, Change>;
  readonly #tail = new Map<string, TailEntry<State, Change>>();
  /** `state: null`: there is none. */
  readonly #rows: LRUCache<string, { readonly state: State | null }>;

  constructor(options: TailedCacheOptions<State, Change>) {
    this.#options = options;
    this.#rows = new LRUCache({ max: options.max });
  }

  /** The state, null if there is none, undefined if it must be loaded. */
  known(key: string): State | null | undefined {
    const entry = this.#tail.get(key);
    return entry === undefined ? this.#rows.get(key)?.state : (entry.state ?? undefined);
  }

  /** Takes in the whole state that an event left behind. */
  put(key: string, state: State, position: bigint): void {
    this.#tail.set(key, { state, change: null, position });
  }

  /** Takes in an event that says only what changed. */
  change(key: string, change: Change, position: bigint): void {
    const before = this.known(key) ?? null;
    const state = before === null ? null : this.#options.changed(before, change);
    this.#tail.set(key, { state, change, position });
  }

  /** Takes in a row at a checkpoint that the tail reaches back to, null for none; what the tail says prevails. */
  fill(key: string, row: State | null): void {
    const entry = this.#tail.get(key);
    if (entry === undefined) {
      this.#rows.set(key, { state: row });
      return;
    }
    if (entry.state === null && row !== null) {
      entry.state = entry.change === null ? row : this.#options.changed(row, entry.change);
    }
  }

  /** Forgets the row of an entity that the tail does not know. */
  forget(key: string): void {
    this.#rows.delete(key);
  }

  /** Forgets what the tail says up to a position that the state tables hold for good. */
  dropThrough(position: bigint): void {
    for (const [key, { position: at, state }] of this.#tail) {
      if (at > position) continue;
      this.#tail.delete(key);
      if (state !== null && this.#options.isWorthKeeping(state)) this.#rows.set(key, { state });
      else this.#rows.delete(key);
    }
  }

  clear(): void {
    this.#tail.clear();
    this.#rows.clear();
  }
}
