/** What is parked in each partition of a view, as far as this process has read it. */
import { parkedAt } from '../../lib/views/parked/parked.js';
import { ParkedStreams } from '../../lib/views/parked/parked-streams.js';
import type { View } from '../../lib/views/view.js';

export class ParkedMemory {
  readonly #streams = new Map<number, ParkedStreams>();

  /** What is parked in a partition; read from the view's store unless it is known. */
  async of(view: View, partition: number): Promise<ParkedStreams> {
    const known = this.#streams.get(partition);
    if (known !== undefined) return known;
    const { version } = parkedAt(await view.checkpoint(partition));
    const streams =
      version === 0 ? new ParkedStreams() : new ParkedStreams(await view.deadLetters(partition));
    this.#streams.set(partition, streams);
    return streams;
  }

  /** Whether it is known what is parked in a partition. */
  has(partition: number): boolean {
    return this.#streams.has(partition);
  }

  /** It is read again before it is used: another process may park something, or the store did not take the last change. */
  forget(partition: number): void {
    this.#streams.delete(partition);
  }

  /** The view was replaced by another generation, or its store has lost it. */
  forgetAll(): void {
    this.#streams.clear();
  }

  /** How many events are parked in the partitions that are known. */
  get count(): number {
    let count = 0;
    for (const { parked } of this.#streams.values()) count += parked.count;
    return count;
  }
}
