/**
 * States of one kind of entity: cached rows of the state tables below, what the retained tail of the log says above. The rows
 * alone are as old as the checkpoint that they were read at; with the tail on top they are as of the end of the log.
 *
 * An entity is found by its ledger and its id in two steps: what a flush asks for is mostly in the tail, and a key of both would be
 * made, and hashed, at each question.
 */
import { LRUCache } from 'lru-cache';
import { entityKey } from './entity-key.js';

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

type Tail<State, Change> = Map<string, TailEntry<State, Change>>;

export class TailedCache<State, Change> {
  readonly #options: TailedCacheOptions<State, Change>;
  /** By ledger, then by id. A ledger without entities has no map. */
  readonly #tail = new Map<string, Tail<State, Change>>();
  /** By entityKey. `state: null`: there is none. */
  readonly #rows: LRUCache<string, { readonly state: State | null }>;

  constructor(options: TailedCacheOptions<State, Change>) {
    this.#options = options;
    this.#rows = new LRUCache({ max: options.max });
  }

  /** The state, null if there is none, undefined if it must be loaded. */
  known(ledgerId: string, id: string): State | null | undefined {
    const entry = this.#tail.get(ledgerId)?.get(id);
    if (entry !== undefined) return entry.state ?? undefined;
    return this.#rows.size === 0 ? undefined : this.#rows.get(entityKey(ledgerId, id))?.state;
  }

  /** Takes in the whole state that an event left behind. */
  put(ledgerId: string, id: string, state: State, position: bigint): void {
    this.#tailOf(ledgerId).set(id, { state, change: null, position });
  }

  /** Takes in an event that says only what changed. */
  change(ledgerId: string, id: string, change: Change, position: bigint): void {
    const before = this.known(ledgerId, id) ?? null;
    const state = before === null ? null : this.#options.changed(before, change);
    this.#tailOf(ledgerId).set(id, { state, change, position });
  }

  /** Takes in a row at a checkpoint that the tail reaches back to, null for none; what the tail says prevails. */
  fill(ledgerId: string, id: string, row: State | null): void {
    const entry = this.#tail.get(ledgerId)?.get(id);
    if (entry === undefined) {
      this.#rows.set(entityKey(ledgerId, id), { state: row });
      return;
    }
    if (entry.state === null && row !== null) {
      entry.state = entry.change === null ? row : this.#options.changed(row, entry.change);
    }
  }

  /** Forgets the row of an entity that the tail does not know. */
  forget(ledgerId: string, id: string): void {
    if (this.#rows.size > 0) this.#rows.delete(entityKey(ledgerId, id));
  }

  /** Forgets what the tail says up to a position that the state tables hold for good. */
  dropThrough(position: bigint): void {
    for (const [ledgerId, tail] of this.#tail) {
      for (const [id, { position: at, state }] of tail) {
        if (at > position) continue;
        tail.delete(id);
        const key = entityKey(ledgerId, id);
        if (state !== null && this.#options.isWorthKeeping(state)) this.#rows.set(key, { state });
        else this.#rows.delete(key);
      }
      if (tail.size === 0) this.#tail.delete(ledgerId);
    }
  }

  clear(): void {
    this.#tail.clear();
    this.#rows.clear();
  }

  #tailOf(ledgerId: string): Tail<State, Change> {
    const known = this.#tail.get(ledgerId);
    if (known !== undefined) return known;
    const tail: Tail<State, Change> = new Map();
    this.#tail.set(ledgerId, tail);
    return tail;
  }
}
