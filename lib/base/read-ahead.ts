/** The same pieces; the next one is asked for while one is taken. */
export async function* readAhead<T>(pieces: AsyncIterable<T>): AsyncGenerator<T> {
  const iterator = pieces[Symbol.asyncIterator]();
  let next = ask(iterator);
  try {
    for (;;) {
      const result = await next;
      if (result.done === true) return;
      next = ask(iterator);
      yield result.value;
    }
  } finally {
    await iterator.return?.();
  }
}

/** A rejection until it is awaited must not count as unhandled. */
function ask<T>(iterator: AsyncIterator<T>): Promise<IteratorResult<T>> {
  const asking = iterator.next();
  asking.catch(() => undefined);
  return asking;
}
