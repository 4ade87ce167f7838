/** What a segment comes to when it is sealed: its sums, and its records by ledger. Pure. */
import { ROLLUP_WIDTH } from '../fold.js';
import { PackBuilder, type PackCursor, type Segment } from './pack.js';
import { RecordSums } from './record-sums.js';

/** How many records a pack of a sealed segment has at most: what a page of single rows decodes. */
const PACK_RECORDS = 1_024;

/** A pack that is full, or the last one. */
export interface SealedPack {
  readonly pack: PackBuilder;
  /** The position of its last record. */
  through: bigint;
}

/** All that a segment says of one ledger. */
export interface LedgerSums {
  readonly ledger: number;
  readonly sums: RecordSums;
  readonly packs: SealedPack[];
  /** The records off time again, by the 15 minutes that they are dated in. */
  readonly offTime: Map<number, SealedPack[]>;
}

/** Takes the records of a segment, in order of position. */
export class SegmentSums {
  readonly segment: Segment;
  readonly ledgers = new Map<number, LedgerSums>();
  /** When the first and the last record were recorded, UTC microseconds. */
  fromTime = -1;
  toTime = -1;
  /** The position of the last record. */
  through = -1n;

  constructor(segment: Segment) {
    this.segment = segment;
  }

  add(cursor: PackCursor): void {
    if (this.fromTime < 0) this.fromTime = cursor.recordedTime;
    this.toTime = cursor.recordedTime;
    this.through = BigInt(cursor.position);
    const { sums, packs, offTime } = this.#ledger(cursor.ledger);
    sums.add(cursor, this.segment.bucket);
    copyTo(packs, this.segment, cursor);
    if (!cursor.isOffTime) return;
    const bucket = Number(cursor.effectiveTime / ROLLUP_WIDTH);
    let dated = offTime.get(bucket);
    if (dated === undefined) offTime.set(bucket, (dated = []));
    copyTo(dated, this.segment, cursor);
  }

  #ledger(ledger: number): LedgerSums {
    let found = this.ledgers.get(ledger);
    if (found === undefined) {
      found = { ledger, sums: new RecordSums(), packs: [], offTime: new Map() };
      this.ledgers.set(ledger, found);
    }
    return found;
  }
}

function copyTo(packs: SealedPack[], segment: Segment, cursor: PackCursor): void {
  const through = BigInt(cursor.position);
  let last = packs.at(-1);
  if (last === undefined || last.pack.records >= PACK_RECORDS) {
    last = { pack: new PackBuilder(segment), through };
    packs.push(last);
  }
  last.pack.copy(cursor);
  last.through = through;
}
