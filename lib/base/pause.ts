/** Pauses, and the longest time that a timer of Node can wait. */

/** A timer of Node that waits longer than this fires at once. Milliseconds, 24.8 days. */
export const TIMER_MAX_MS = 2 ** 31 - 1;

/**
 * Runs work with a signal that aborts after a time or with another signal, and when the work has ended. The timer and the
 * listener go with the work: AbortSignal.timeout keeps its timer until it fires, which is half a kilobyte for each call.
 */
export async function withTimeLimit<T>(
  limit_ms: number,
  signal: AbortSignal,
  work: (limited: AbortSignal) => Promise<T>,
): Promise<T> {
  const limited = new AbortController();
  const end = () => {
    limited.abort();
  };
  if (signal.aborted) end();
  const timer = setTimeout(end, limit_ms);
  signal.addEventListener('abort', end, { once: true });
  try {
    return await work(limited.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
    end();
  }
}

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
