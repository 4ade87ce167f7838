/** Resources are closed in the reverse order of their making, also when the making fails half-way. */

/** A stack of what must be closed. */
export type Closeables = {
  /** Remembers how to close what was just made. `name` appears in the error if closing fails. */
  add: (name: string, close: () => Promise<void> | void) => void;
  /**
   * Closes everything, the last made first, one after the other. A failure does not keep the rest open.
   * A second call gives the same promise.
   *
   * @throws AggregateError with what failed to close.
   */
  close: () => Promise<void>;
};

/** An empty stack. */
export function createCloseables(): Closeables {
  const stack: { name: string; close: () => Promise<void> | void }[] = [];
  let closing: Promise<void> | undefined;
  return {
    add: (name, close) => {
      // What is made while the rest is being closed would never be closed.
      if (closing) throw new Error(`${name} was opened after closing began`);
      stack.push({ name, close });
    },
    close: () => (closing ??= unwind(stack)),
  };
}

/** Runs the wiring; if it throws, closes what it had made so far and throws the wiring's own error. */
export async function unwindOnFailure<T>(closeables: Closeables, wire: () => Promise<T>): Promise<T> {
  try {
    return await wire();
  } catch (error) {
    // Why the wiring failed is what the reader needs; that something then failed to close follows from it.
    await closeables.close().catch(() => undefined);
    throw error;
  }
}

async function unwind(stack: { name: string; close: () => Promise<void> | void }[]): Promise<void> {
  const failures: Error[] = [];
  for (let next = stack.pop(); next; next = stack.pop()) {
    try {
      // One after the other: what was made later may still need what was made before.
      await next.close();
    } catch (cause) {
      failures.push(new Error(`closing ${next.name} failed`, { cause }));
    }
  }
  if (failures.length > 0)
    throw new AggregateError(failures, failures.map((each) => each.message).join('; '));
}
