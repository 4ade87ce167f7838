/** Resolves when a condition holds; fails the test with the condition's text if it does not within 15 s. */
export async function until(condition: () => boolean): Promise<void> {
  const end_ms = performance.now() + 15_000;
  while (!condition()) {
    if (performance.now() > end_ms) throw new Error(`never came true: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
