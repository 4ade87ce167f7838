/** Tells readers in this process that the log may have grown. A hint only: every reader polls slowly beside it. */
export class Wakeups {
  private waiting = new Set<() => void>();

  /** Wakes all who wait. */
  wake(): void {
    const waiting = this.waiting;
    this.waiting = new Set();
    for (const resume of waiting) resume();
  }

  /** Resolves at the next wake, after the timeout, or when the signal aborts; never rejects. */
  wait(timeout_ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const resume = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', resume);
        this.waiting.delete(resume);
        resolve();
      };
      const timer = setTimeout(resume, timeout_ms);
      signal.addEventListener('abort', resume, { once: true });
      this.waiting.add(resume);
    });
  }
}
