/** Where each partition of a view stands, as far as this process knows. */
import type { Checkpoint, View } from '../../lib/views/view.js';

/**
 * Two things are kept of each partition: where it stands while this process writes it, and the last that this
 * process knew of it, which is shown while the view's store is away.
 */
export class Positions {
  readonly #written = new Map<number, Checkpoint>();
  readonly #lastKnown = new Map<number, Checkpoint>();

  /** Where the partition stands; read from the view unless this process writes it. */
  async of(view: View, partition: number): Promise<Checkpoint> {
    return this.#written.get(partition) ?? (await view.checkpoint(partition));
  }

  /** This process has written the partition up to here, or is about to go on from here. */
  set(checkpoint: Checkpoint): void {
    this.#written.set(checkpoint.partition, checkpoint);
  }

  /**
   * Another process may write the partition from now on, or its store went back: it is read again before it
   * is used.
   */
  forget(partition: number): void {
    const checkpoint = this.#written.get(partition);
    if (checkpoint !== undefined) this.#lastKnown.set(partition, checkpoint);
    this.#written.delete(partition);
  }

  /** Of each epoch the partition that this process has brought farthest: what is before it is of the same history. */
  farthestOfEpochs(): readonly Checkpoint[] {
    const farthest = new Map<number, Checkpoint>();
    for (const checkpoint of this.#written.values()) {
      const known = farthest.get(checkpoint.epoch);
      if (known === undefined || known.position < checkpoint.position)
        farthest.set(checkpoint.epoch, checkpoint);
    }
    return [...farthest.values()];
  }

  /** The view was replaced by another generation, or its store has lost it. */
  forgetAll(): void {
    this.#written.clear();
  }

  /**
   * The partition that is farthest behind, of those of which anything is known, here or in the store.
   * @throws the error of the store if nothing is known of any
   */
  async farthestBehind(view: () => Promise<View>, partitions: number): Promise<Checkpoint> {
    const read = await Promise.allSettled(
      Array.from({ length: partitions }, async (_, partition) => {
        return this.#written.get(partition) ?? (await (await view()).checkpoint(partition));
      }),
    );
    const known = read.flatMap((result, partition) => {
      if (result.status === 'fulfilled') this.#lastKnown.set(partition, result.value);
      return this.#lastKnown.get(partition) ?? [];
    });
    const failed = read.find((result) => result.status === 'rejected');
    if (known.length === 0 && failed !== undefined) throw failed.reason;
    return known.reduce((one, other) => (other.position < one.position ? other : one));
  }
}
