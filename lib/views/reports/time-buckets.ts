/** How the bounds of a report fall on the 15-minute buckets of the rollups: the same for all stores. */
import { INT64_MAX, INT64_MIN, smallerOf } from '../../base/bigints.js';
import { ROLLUP_WIDTH } from './fold.js';

const INT32_MAX = 2n ** 31n - 1n;

/** Of the bounds of a report, UTC microseconds. */
export interface BoundBuckets {
  /** The buckets that a bound lies inside of. */
  readonly cut: readonly bigint[];
  /** The first and the last bucket within the bounds, cut ones included. */
  readonly first: bigint;
  readonly last: bigint;
}

export function bucketsOf(bounds: readonly bigint[]): BoundBuckets {
  return {
    cut: cutBuckets(bounds),
    first: bucketOf(bounds[0] ?? INT64_MIN),
    last: bucketOf((bounds.at(-1) ?? INT64_MAX) - 1n),
  };
}

/** Whether a bound lies inside of a bucket, and does not begin it. Nothing is dated before 1970. */
export function isCut(bound: bigint): boolean {
  return bound > 0n && bound % ROLLUP_WIDTH !== 0n;
}

/** -1n for all times before 1970; at most int4's end, beyond which nothing is dated. */
export function bucketOf(time: bigint): bigint {
  if (time < 0n) return -1n;
  return smallerOf(time / ROLLUP_WIDTH, INT32_MAX);
}

function cutBuckets(bounds: readonly bigint[]): bigint[] {
  return [...new Set(bounds.filter(isCut).map(bucketOf))].filter((bucket) => bucket < INT32_MAX);
}
