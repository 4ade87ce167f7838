/** The ends of int64, and comparisons of bigint, which Math.min and Math.max do not take. */

/** The greatest int64: the end of every position, amount and time. */
export const INT64_MAX = 2n ** 63n - 1n;
export const INT64_MIN = -(2n ** 63n);

export function smallerOf(one: bigint, other: bigint): bigint {
  return other < one ? other : one;
}

export function largerOf(one: bigint, other: bigint): bigint {
  return other > one ? other : one;
}

/** The smallest of some values. @throws TypeError if there is none */
export function smallestOf(values: readonly bigint[]): bigint {
  return values.reduce(smallerOf);
}

/** The largest of some values. @throws TypeError if there is none */
export function largestOf(values: readonly bigint[]): bigint {
  return values.reduce(largerOf);
}
