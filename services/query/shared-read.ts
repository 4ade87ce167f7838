/** One read for all callers who ask for it at the same time. */

/**
 * Each caller gets the outcome of a read that began after the call; callers that come while one runs share
 * the next.
 */
export class SharedRead<T> {
  readonly #read: () => Promise<T>;
  #next: Promise<T> | undefined;
  #running: Promise<unknown> | undefined;

  constructor(read: () => Promise<T>) {
    this.#read = read;
  }

  get(): Promise<T> {
    this.#next ??= this.#start();
    return this.#next;
  }

  async #start(): Promise<T> {
    await this.#running?.catch(() => undefined);
    // All calls of this turn of the event loop share it.
    await new Promise((resolve) => setImmediate(resolve));
    this.#next = undefined;
    const running = this.#read();
    this.#running = running;
    return await running;
  }
}
