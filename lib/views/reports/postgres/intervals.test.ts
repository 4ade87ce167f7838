/** Which report bucket a sealed sum is in, against looking at each of its records. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ROLLUP_WIDTH } from '../fold.js';
import { bucketsOf } from '../time-buckets.js';
import {
  type BoundSegment,
  type Intervals,
  positionIntervals,
  reportBucketOf,
  timeIntervals,
} from './intervals.js';

/** What the SQL does: width_bucket, then the bucket of that interval. */
function bucketIn({ edges, buckets }: Intervals, key: bigint): number | undefined {
  return buckets[edges.filter((edge) => edge <= key).length];
}

function expectAscending({ edges, buckets }: Intervals): void {
  expect(buckets).toHaveLength(edges.length + 1);
  for (const [index, edge] of edges.entries()) {
    if (index > 0) expect(edge).toBeGreaterThan(edges[index - 1] ?? edge);
  }
}

const boundsIn = (most: number) =>
  fc
    .uniqueArray(fc.nat(most), { minLength: 2, maxLength: 9 })
    .map((times) => times.sort((one, other) => one - other).map(BigInt));

test('a segment is in the bucket that holds all its records, and in none if a bound cuts it', () => {
  // One record at each time; the position of a record is its number.
  const times = fc
    .uniqueArray(fc.nat(60), { minLength: 1, maxLength: 30 })
    .map((values) => values.sort((one, other) => one - other).map(BigInt));
  const sizes = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 30, maxLength: 30 });
  fc.assert(
    fc.property(times, sizes, boundsIn(70), (recorded, lengths, bounds) => {
      const segments: (BoundSegment & { readonly toTime: bigint })[] = [];
      for (let first = 0; first < recorded.length;) {
        const last = Math.min(recorded.length, first + (lengths[segments.length] ?? 1)) - 1;
        segments.push({
          after: BigInt(first) - 1n,
          through: BigInt(last),
          fromTime: recorded[first] ?? 0n,
          toTime: recorded[last] ?? 0n,
        });
        first = last + 1;
      }
      const holding = bounds.map((bound) => segments.find(({ toTime }) => toTime >= bound));
      const intervals = positionIntervals(bounds, holding, BigInt(recorded.length) - 1n);
      expectAscending(intervals);
      for (const { after, through, fromTime, toTime } of segments) {
        const isCut = bounds.some((bound) => fromTime < bound && bound <= toTime);
        const expected = isCut ? -1 : reportBucketOf(bounds, fromTime);
        for (let position = after + 1n; position <= through; position += 1n) {
          expect(bucketIn(intervals, position - 1n)).toBe(expected);
        }
      }
    }),
    { seed: 3, numRuns: 500 },
  );
});

test('15 minutes are in the bucket that holds all of them, and in none if a bound cuts them', () => {
  const quarter = fc.nat(40).map((number) => BigInt(number) * ROLLUP_WIDTH);
  const time = fc.oneof(quarter, fc.bigInt(0n, 40n * ROLLUP_WIDTH), fc.constant(-(2n ** 63n)));
  const bounds = fc
    .uniqueArray(fc.oneof(time, fc.constant(2n ** 63n - 1n)), { minLength: 2, maxLength: 9 })
    .map((times) => times.sort((one, other) => (one < other ? -1 : 1)));
  fc.assert(
    fc.property(bounds, (asked) => {
      const intervals = timeIntervals(asked);
      expectAscending(intervals);
      const { cut } = bucketsOf(asked);
      for (let bucket = 0n; bucket < 42n; bucket += 1n) {
        const expected = cut.includes(bucket) ? -1 : reportBucketOf(asked, bucket * ROLLUP_WIDTH);
        expect(bucketIn(intervals, bucket)).toBe(expected);
      }
    }),
    { seed: 4, numRuns: 500 },
  );
});

test('a time is in the bucket between its bounds: the first belongs to it, the last does not', () => {
  fc.assert(
    fc.property(boundsIn(50), fc.nat(60), (bounds, at) => {
      const time = BigInt(at);
      const index = bounds.findIndex((bound, n) => bound <= time && time < (bounds[n + 1] ?? bound));
      expect(reportBucketOf(bounds, time)).toBe(index);
      expect(reportBucketOf(bounds.map(Number), at)).toBe(index);
    }),
    { seed: 5 },
  );
});
