/** Lets batches through, or holds them all back. */

/**
 * Any number may be inside at once. A freeze waits until none is inside, and none enters until it is over.
 */
export class Gate {
  #inside = 0;
  #frozen: Promise<void> | undefined;
  #left: (() => void) | undefined;

  /** Runs something inside. */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    while (this.#frozen !== undefined) await this.#frozen;
    this.#inside++;
    try {
      return await work();
    } finally {
      this.#inside--;
      if (this.#inside === 0) this.#left?.();
    }
  }

  /** Runs something while nothing is inside. */
  async freeze<T>(work: () => Promise<T>): Promise<T> {
    while (this.#frozen !== undefined) await this.#frozen;
    let thaw = () => {};
    this.#frozen = new Promise((resolve) => (thaw = resolve));
    try {
      if (this.#inside > 0) await new Promise<void>((resolve) => (this.#left = resolve));
      this.#left = undefined;
      return await work();
    } finally {
      this.#frozen = undefined;
      thaw();
    }
  }
}
