import { PATIENCE_MS } from './patience.js';

/** Resolves when a condition holds; fails the test with the condition's text if it does not in time. */
export async function until(condition: () => boolean, limit_ms = PATIENCE_MS): Promise<void> {
  const end_ms = performance.now() + limit_ms;
  while (!condition()) {
    if (performance.now() > end_ms) throw new Error(`never came true: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
