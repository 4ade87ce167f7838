/** Randomness that a seed repeats. */

/** From 0 to below 1. */
export type Random = () => number;

/** mulberry32, by Tommy Ettinger: small, and good enough to choose what happens next. */
export function seeded(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** A whole number from 0 to below a limit. */
export function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

/** One of some things. @throws Error if there is none */
export function oneOf<T>(random: Random, things: readonly T[]): T {
  const found = things[below(random, things.length)];
  if (found === undefined) throw new Error('there is nothing to choose from');
  return found;
}

/** A UUID of version 4. */
export function uuidOf(random: Random): string {
  const digits = Array.from({ length: 32 }, () => below(random, 16).toString(16)).join('');
  const variant = (8 + below(random, 4)).toString(16);
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `4${digits.slice(13, 16)}`,
    `${variant}${digits.slice(17, 20)}`,
    digits.slice(20),
  ].join('-');
}
