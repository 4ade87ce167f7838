/** How often something may happen: so many at once, and so many per second in the long run. */
export class TokenBucket {
  readonly #most: number;
  readonly #perSecond: number;
  readonly #now: () => number;
  #left: number;
  #since_ms: number;

  /** @param now milliseconds */
  constructor(most: number, perSecond: number, now: () => number) {
    this.#most = most;
    this.#perSecond = perSecond;
    this.#now = now;
    this.#left = most;
    this.#since_ms = now();
  }

  /** @returns whether there was one left */
  take(): boolean {
    if (this.#left < 1) {
      const now_ms = this.#now();
      const passed_ms = Math.max(0, now_ms - this.#since_ms);
      this.#left = Math.min(this.#most, this.#left + (passed_ms * this.#perSecond) / 1_000);
      this.#since_ms = now_ms;
    }
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
