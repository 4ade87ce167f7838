/** Wakes readers in this process when the log may have grown. Only a hint: every reader also polls slowly. */
export class Wakeups {
  #waiting = new Set<() => void>();
  #wakes = 0;

  /**
   * How often `wake` was called: taken before a look, and given to `wait`, no wake between the two is missed.
   */
  get count(): number {
    return this.#wakes;
  }

  /** Ends all waits. */
  wake(): void {
    this.#wakes += 1;
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const resume of waiting) resume();
  }

  /**
   * Resolves at the first wake after `since`, after the timeout, or when the signal aborts; never rejects.
   */
  wait(timeout_ms: number, signal: AbortSignal, since = this.#wakes): Promise<void> {
    if (signal.aborted || since !== this.#wakes) return Promise.resolve();
    return new Promise((resolve) => {
      const resume = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', resume);
        this.#waiting.delete(resume);
        resolve();
      };
      const timer = setTimeout(resume, timeout_ms);
      signal.addEventListener('abort', resume, { once: true });
      this.#waiting.add(resume);
    });
  }
}
