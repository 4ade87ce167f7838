/** Numbers of generations in stores that an operator, or a failure, can empty. */

/** 2026-01-01T00:00:00Z, seconds since 1970. */
const ORIGIN_S = 1_767_225_600;

/**
 * The number of the first generation of a store that has none. Readers keep a generation by its number: after
 * a store was emptied, no number may come again, so numbers grow with time (seconds; fits 31 bits until
 * 2094).
 */
export function firstGeneration(now_ms: number): number {
  return Math.max(1, Math.floor(now_ms / 1_000) - ORIGIN_S);
}
