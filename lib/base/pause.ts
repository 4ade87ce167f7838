/** Pauses, and the longest time that a timer of Node can wait. */

/** A timer of Node that waits longer than this fires at once. Milliseconds, 24.8 days. */
export const TIMER_MAX_MS = 2 ** 31 - 1;

/** Resolves after a time, or as soon as the signal aborts. */
export function pause(duration_ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, duration_ms);
    signal?.addEventListener('abort', end, { once: true });
  });
}
