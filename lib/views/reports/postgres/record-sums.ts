/** Sums of records by account or currency, kind or reason, and 15 minutes: what rollups hold. Pure. */
import { ROLLUP_WIDTH } from '../fold.js';
import type { PackCursor } from './pack.js';
import { Sides } from './sides.js';

/** What one group has in common, and the last event in it. */
export interface Group {
  /** Numbers of 15 minutes since 1970. */
  readonly recordedBucket: number;
  readonly effectiveBucket: number;
  /** Whether its transactions are dated when they were recorded. */
  readonly onTime: boolean;
  /** Below 2^53, as in a pack. */
  position: number;
}

/** What an account's entries of one kind come to. */
export interface EntrySums extends Group {
  readonly account: number;
  readonly kind: number;
  readonly sides: Sides;
}

/** What postings of one kind, or declines for one reason, come to in one currency. */
export interface VolumeSums extends Group {
  readonly what: number;
  readonly currency: string;
  principal: bigint;
  count: number;
}

/** Of one ledger. */
export class RecordSums {
  readonly entries = new Map<string | number, EntrySums>();
  readonly volumes = new Map<string, VolumeSums>();
  readonly declines = new Map<string, VolumeSums>();

  /** Adds a record that was recorded in these 15 minutes; all of a sum are of the same. Records come in any order. */
  add(cursor: PackCursor, recordedBucket: number): void {
    const onTime = !cursor.isOffTime;
    const effectiveBucket = onTime ? recordedBucket : Number(cursor.effectiveTime / ROLLUP_WIDTH);
    const group = { recordedBucket, effectiveBucket, onTime, position: cursor.position };
    if (cursor.isDecline) {
      addVolume(this.declines, cursor.what, cursor.currency, cursor.principal, group);
      return;
    }
    for (let index = 0; index < cursor.entries; index += 1) addEntry(this.entries, cursor, index, group);
    if (!cursor.hasFurther) {
      addVolume(this.volumes, cursor.what, cursor.currency, cursor.principal, group);
      return;
    }
    for (const { currency, principal } of cursor.volumes()) {
      addVolume(this.volumes, cursor.what, currency, principal, group);
    }
  }
}

function addEntry(
  sums: Map<string | number, EntrySums>,
  cursor: PackCursor,
  index: number,
  group: Readonly<Group>,
): void {
  const { recordedBucket, effectiveBucket, onTime, position } = group;
  const account = cursor.account(index);
  const kind = cursor.what;
  // A kind takes one byte in a pack.
  const number = account * 256 + kind;
  const key = onTime ? number : `${String(number)} ${String(effectiveBucket)}`;
  let found = sums.get(key);
  if (found === undefined) {
    const sides = new Sides();
    found = { recordedBucket, effectiveBucket, onTime, position, account, kind, sides };
    sums.set(key, found);
  }
  found.position = Math.max(found.position, position);
  found.sides.add(cursor, index);
}

function addVolume(
  sums: Map<string, VolumeSums>,
  what: number,
  currency: string,
  principal: bigint,
  group: Readonly<Group>,
): void {
  const { recordedBucket, effectiveBucket, onTime, position } = group;
  const key = `${String(what)} ${currency} ${onTime ? '' : String(effectiveBucket)}`;
  let found = sums.get(key);
  if (found === undefined) {
    const zero = { principal: 0n, count: 0 };
    found = { recordedBucket, effectiveBucket, onTime, position, what, currency, ...zero };
    sums.set(key, found);
  }
  found.position = Math.max(found.position, position);
  found.principal += principal;
  found.count += 1;
}

/** Below int64's end. */
const MOST = 2n ** 62n;

/** The sums of several columns as rows of int64: as many rows as the largest sum needs. */
export function int64Rows(sums: readonly bigint[]): (readonly bigint[])[] {
  if (sums.every((sum) => sum <= MOST)) return [sums];
  const rows: bigint[][] = [];
  let left = sums;
  do {
    const row = left.map((sum) => (sum > MOST ? MOST : sum));
    rows.push(row);
    left = left.map((sum, column) => sum - (row[column] ?? 0n));
  } while (left.some((sum) => sum > 0n));
  return rows;
}
