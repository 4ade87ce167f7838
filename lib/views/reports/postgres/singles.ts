/** The single records that a report counts beside the sums: those of the tail, and where a bound cuts a segment. */
import type { Buffer } from 'node:buffer';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TimeBasis } from '../view.js';
import { bucketsOf } from '../time-buckets.js';
import { type BoundSegment, reportBucketOf } from './intervals.js';
import { PackCursor } from './pack.js';
import { offTimePacksOf, packsOf, type ReportStore, type Standing } from './standing.js';

/** Records that are read before other calls have their turn: some milliseconds. */
const TURN_RECORDS = 10_000;

/** Takes the record at which the cursor stands, and its report bucket. */
export type TakeRecord = (cursor: PackCursor, bucket: number) => void;

/** What counts. */
export interface SinglesScope {
  readonly basis: TimeBasis;
  readonly bounds: readonly bigint[];
  /** The last position that counts; null: all. */
  readonly through: bigint | null;
}

interface Source {
  readonly packs: AsyncIterable<Buffer> | Iterable<Buffer>;
  /** Whether a record counts here, as far as its time of record and its time of effect differ. */
  readonly counts: 'all' | 'on time' | 'off time';
}

/** Gives every single record that counts, once. */
export async function takeSingles(
  store: ReportStore,
  standing: Standing,
  { basis, bounds, through }: SinglesScope,
  take: TakeRecord,
): Promise<void> {
  const { ledger } = standing;
  if (ledger === undefined) return;
  const times = bounds.map(Number);
  const last = Number(through ?? Infinity);
  let read = 0;
  for (const { packs, counts } of sourcesOf(store, standing, ledger, basis, bounds)) {
    for await (const pack of packs) {
      const cursor = new PackCursor(pack);
      while (cursor.next()) {
        if ((read += 1) % TURN_RECORDS === 0) await nextTurn();
        if (cursor.ledger !== ledger || cursor.position > last) continue;
        if (counts !== 'all' && (counts === 'off time') !== cursor.isOffTime) continue;
        const bucket =
          basis === 'effective' && cursor.isOffTime
            ? reportBucketOf(bounds, cursor.effectiveTime)
            : reportBucketOf(times, cursor.recordedTime);
        if (bucket >= 0) take(cursor, bucket);
      }
    }
  }
}

function* sourcesOf(
  store: ReportStore,
  { tail, open, segments, sealed }: Standing,
  ledger: number,
  basis: TimeBasis,
  bounds: readonly bigint[],
): Generator<Source> {
  yield { packs: tail, counts: 'all' };
  if (open !== undefined) yield { packs: packsOf(store, ledger, open), counts: 'all' };
  for (const segment of cutSegments(bounds, segments)) {
    yield { packs: packsOf(store, ledger, segment), counts: basis === 'recorded' ? 'all' : 'on time' };
  }
  const { cut } = bucketsOf(bounds);
  if (basis === 'effective' && cut.length > 0 && sealed >= 0n) {
    yield { packs: offTimePacksOf(store, ledger, cut, sealed), counts: 'off time' };
  }
}

/** The sealed segments that a bound cuts, each once. */
function cutSegments(
  bounds: readonly bigint[],
  segments: readonly (BoundSegment | undefined)[],
): BoundSegment[] {
  const cut = new Map<bigint, BoundSegment>();
  for (const [index, segment] of segments.entries()) {
    const bound = bounds[index];
    if (segment !== undefined && bound !== undefined && segment.fromTime < bound) {
      cut.set(segment.through, segment);
    }
  }
  return [...cut.values()];
}
