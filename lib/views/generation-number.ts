/** Numbers of generations in stores that can be emptied behind our back. */

/** 2026-01-01T00:00:00Z, seconds since 1970. */
const ORIGIN_S = 1_767_225_600;

/**
 * The number of the first generation of a store that knows of none. Readers hold on to a generation by its number: in a
 * store that was emptied it must not come again, so it grows with time (seconds; fits 31 bits until 2094).
 */
export function firstGeneration(now_ms: number): number {
  return Math.max(1, Math.floor(now_ms / 1_000) - ORIGIN_S);
}
