/** What an iterator gives, until the signal aborts: then it ends as if its source had no more. */
export function untilAborted<T>(iterator: AsyncIterator<T>, signal: AbortSignal): AsyncIterable<T> {
  const end: IteratorResult<T> = { done: true, value: undefined };
  let finish: (() => void) | undefined;
  const onAbort = () => finish?.();
  signal.addEventListener('abort', onAbort, { once: true });
  return {
    [Symbol.asyncIterator]: () => ({
      next: () =>
        new Promise((resolve, reject) => {
          if (signal.aborted) {
            resolve(end);
            return;
          }
          finish = () => {
            resolve(end);
          };
          iterator.next().then(resolve, reject);
        }),
      return: () => {
        signal.removeEventListener('abort', onAbort);
        return Promise.resolve(end);
      },
    }),
  };
}
