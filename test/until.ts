/** Ends a test that hangs. A consumer of Kafka alone may take 20 s: a session and a rebalance. */
const LIMIT_MS = 30_000;

/** Resolves when a condition holds; fails the test with the condition's text if it does not in time, half a minute by default. */
export async function until(condition: () => boolean, limit_ms = LIMIT_MS): Promise<void> {
  const end_ms = performance.now() + limit_ms;
  while (!condition()) {
    if (performance.now() > end_ms) throw new Error(`never came true: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
