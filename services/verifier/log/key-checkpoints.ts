/**
 * At which checkpoint each key of a table was read, when pages were read one after the other while it moved
 * on.
 */

/** Pages come in order of key; pages at the same checkpoint are joined, so this stays small. */
export class KeyCheckpoints {
  readonly #ends: string[] = [];
  readonly #checkpoints: bigint[] = [];
  #last: bigint | undefined;
  #greatest = -1n;

  /** The greatest checkpoint of all; -1n if none. */
  get greatest(): bigint {
    return this.#greatest;
  }

  /** A page: all keys after those of the page before, up to `lastKey`; undefined: to the end. */
  add(lastKey: string | undefined, checkpoint: bigint): void {
    if (checkpoint > this.#greatest) this.#greatest = checkpoint;
    if (lastKey === undefined) {
      this.#last = checkpoint;
      return;
    }
    const previous = this.#ends.length - 1;
    if (this.#checkpoints[previous] === checkpoint) {
      this.#ends[previous] = lastKey;
      return;
    }
    this.#ends.push(lastKey);
    this.#checkpoints.push(checkpoint);
  }

  /** The checkpoint that a key was read at, whether it was found or not. */
  at(key: string): bigint {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ends[middle] ?? '') < key) low = middle + 1;
      else high = middle;
    }
    return this.#checkpoints[low] ?? this.#last ?? -1n;
  }
}
