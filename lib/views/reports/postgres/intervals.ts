/**
 * Which report bucket a sealed sum is in. A sum is in a bucket as a whole, or in none: where a bound cuts what
 * was summed up, single records are read instead.
 */
import { bucketOf, isCut } from '../time-buckets.js';

/** The half-open intervals between ascending edges, and which report bucket each is in. */
export interface Intervals {
  /** Ascending, each once. */
  readonly edges: readonly bigint[];
  /** One more than edges: of what is before the first edge, then of what follows each; -1 for none. */
  readonly buckets: readonly number[];
}

/** A sealed segment that holds a bound: the first with a record at or after it. */
export interface BoundSegment {
  /** Its positions: beyond `after`, up to `through`. */
  readonly after: bigint;
  readonly through: bigint;
  /** When its first record was recorded, UTC microseconds. */
  readonly fromTime: bigint;
}

class IntervalsBuilder {
  readonly #edges: bigint[] = [];
  readonly #buckets: number[] = [-1];

  /** From this edge on it is this bucket. The last word on an edge counts. */
  from(edge: bigint, bucket: number): void {
    if (this.#edges.at(-1) === edge) {
      this.#buckets.pop();
    } else {
      this.#edges.push(edge);
    }
    this.#buckets.push(bucket);
  }

  /** What lies between is cut: it is in none, and what follows it is in this bucket. */
  cut(from: bigint, through: bigint, bucket: number): void {
    // Several bounds may cut the same.
    if (this.#edges.at(-1) !== through) this.from(from, -1);
    this.from(through, bucket);
  }

  /** Without edges between equals, so that one report bucket has two edges at most. */
  build(): Intervals {
    const edges: bigint[] = [];
    const buckets = [-1];
    for (const [index, edge] of this.#edges.entries()) {
      const bucket = this.#buckets[index + 1] ?? -1;
      if (bucket === buckets.at(-1)) continue;
      edges.push(edge);
      buckets.push(bucket);
    }
    return { edges, buckets };
  }
}

/**
 * By time of record, in positions - 1. `segments`: for each bound the sealed segment that holds it, undefined
 * where all that is sealed was recorded before it. `sealed`: the last position that the sums may count.
 */
export function positionIntervals(
  bounds: readonly bigint[],
  segments: readonly (BoundSegment | undefined)[],
  sealed: bigint,
): Intervals {
  const intervals = new IntervalsBuilder();
  for (const [index, bound] of bounds.entries()) {
    const bucket = index === bounds.length - 1 ? -1 : index;
    const segment = segments[index];
    if (segment === undefined) {
      intervals.from(sealed, bucket);
    } else if (segment.fromTime >= bound) {
      intervals.from(segment.after, bucket);
    } else {
      intervals.cut(segment.after, segment.through, bucket);
    }
  }
  return intervals.build();
}

/** By effective time, in numbers of 15 minutes. */
export function timeIntervals(bounds: readonly bigint[]): Intervals {
  const intervals = new IntervalsBuilder();
  for (const [index, bound] of bounds.entries()) {
    const bucket = index === bounds.length - 1 ? -1 : index;
    const number = bucketOf(bound);
    if (isCut(bound)) {
      intervals.cut(number, number + 1n, bucket);
    } else {
      intervals.from(number, bucket);
    }
  }
  return intervals.build();
}

/** In which report bucket a time is: bounds ascend; -1 for none. */
export function reportBucketOf<T extends number | bigint>(bounds: readonly T[], time: T): number {
  let [low, high] = [0, bounds.length];
  // The first bound beyond the time.
  while (low < high) {
    const middle = (low + high) >>> 1;
    const bound = bounds[middle];
    if (bound !== undefined && bound <= time) low = middle + 1;
    else high = middle;
  }
  return low === bounds.length ? -1 : low - 1;
}
