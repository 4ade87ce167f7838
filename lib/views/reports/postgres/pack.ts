/**
 * How the view keeps postings and declines: packed, many in one bytea. A record costs some 50 bytes and no
 * index entry; as a row of a table, with its two indexes, it cost PostgreSQL ten times the work.
 *
 * A pack holds records of one segment, in order of position. It begins with where the segment's run of
 * positions and its 15 minutes begin (two int64); records say the rest in few bytes:
 *
 *     tag, position - base (u16), recorded time - base (u32), ledger (u32), kind or reason (u8),
 *     currency (3 letters), principal (int64)
 *     of a posting: its effective time (int64) if that is not the recorded time; the number of entries (u16),
 *     then account (u32) and amount (int64, below zero a debit) of each; if it moved further currencies their
 *     number (u8), then currency and principal (u64 and int64: low and high half) of each
 *
 * All numbers are big-endian. Records of one segment have one base, so that they can be copied from pack to
 * pack as they are.
 */
import { Buffer } from 'node:buffer';
import { ROLLUP_WIDTH } from '../fold.js';
import type { DeclineFact, PostingFact, VolumeFact } from '../fold.js';

/** A run is of 65,536 positions. */
export const RUN_BITS = 16n;
const RUN_POSITIONS = 2 ** Number(RUN_BITS);

const HEADER_BYTES = 16;
/** Of what postings and declines have in common. */
const COMMON_BYTES = 1 + 2 + 4 + 4 + 1 + 3 + 8;
const ENTRY_BYTES = 12;
const FURTHER_BYTES = 3 + 16;
const FIRST_BYTES = 256;

const DECLINE = 1;
const OFF_TIME = 2;
const FURTHER = 4;

/** What events were recorded in one 15 minutes and in one run of positions. */
export interface Segment {
  /** Number of the 15 minutes since 1970. */
  readonly bucket: number;
  /** Number of the run. */
  readonly run: number;
}

/** The segment of an event. */
export function segmentOf(position: bigint, recordedTime: bigint): Segment {
  return { bucket: Number(recordedTime / ROLLUP_WIDTH), run: Number(position >> RUN_BITS) };
}

/** Makes one pack. */
export class PackBuilder {
  readonly segment: Segment;
  #bytes = Buffer.allocUnsafe(FIRST_BYTES);
  #end = HEADER_BYTES;
  #records = 0;

  constructor(segment: Segment) {
    this.segment = segment;
    this.#bytes.writeBigInt64BE(BigInt(segment.run) << RUN_BITS, 0);
    this.#bytes.writeBigInt64BE(BigInt(segment.bucket) * ROLLUP_WIDTH, 8);
  }

  /** How many records are in it. */
  get records(): number {
    return this.#records;
  }

  /** The accounts of the entries are the numbers from `first` on. */
  addPosting(posting: PostingFact, ledger: number, accounts: readonly number[], first: number): void {
    const { entries, volumes, effectiveTime, recordedTime } = posting;
    const isOffTime = effectiveTime !== recordedTime;
    const hasFurther = volumes.length > 1;
    const size_bytes =
      COMMON_BYTES + 8 + 2 + entries.length * ENTRY_BYTES + 1 + volumes.length * FURTHER_BYTES;
    let at = this.#begin(size_bytes, (isOffTime ? OFF_TIME : 0) | (hasFurther ? FURTHER : 0), posting);
    const [principal] = volumes;
    at = this.#common(at, ledger, posting.kind, principal?.currency ?? '', principal?.principal ?? 0n);
    const bytes = this.#bytes;
    if (isOffTime) at = bytes.writeBigInt64BE(effectiveTime, at);
    at = bytes.writeUInt16BE(entries.length, at);
    let next = first;
    for (const { amount } of entries) {
      at = bytes.writeUInt32BE(accounts[next++] ?? 0, at);
      at = bytes.writeBigInt64BE(amount, at);
    }
    if (hasFurther) at = this.#further(at, volumes);
    this.#end = at;
  }

  addDecline(decline: DeclineFact, ledger: number): void {
    const at = this.#begin(COMMON_BYTES, DECLINE, decline);
    this.#end = this.#common(at, ledger, decline.reason, decline.currency, decline.principal);
  }

  /** The record of another pack of the segment, at which the cursor stands. */
  copy(cursor: PackCursor): void {
    const { bytes, start, end } = cursor;
    this.#reserve(end - start);
    bytes.copy(this.#bytes, this.#end, start, end);
    this.#end += end - start;
    this.#records += 1;
  }

  /** The pack so far. */
  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#end);
  }

  #begin(
    size_bytes: number,
    tag: number,
    { position, recordedTime }: { readonly position: bigint; readonly recordedTime: bigint },
  ): number {
    this.#reserve(size_bytes);
    const { bucket, run } = this.segment;
    const at = this.#bytes.writeUInt8(tag, this.#end);
    const offset = Number(position - (BigInt(run) << RUN_BITS));
    this.#bytes.writeUInt16BE(offset, at);
    this.#records += 1;
    return this.#bytes.writeUInt32BE(Number(recordedTime - BigInt(bucket) * ROLLUP_WIDTH), at + 2);
  }

  #common(at: number, ledger: number, what: number, currency: string, principal: bigint): number {
    const bytes = this.#bytes;
    bytes.writeUInt32BE(ledger, at);
    bytes.writeUInt8(what, at + 4);
    writeCurrency(bytes, currency, at + 5);
    return bytes.writeBigInt64BE(principal, at + 8);
  }

  #further(at: number, volumes: readonly VolumeFact[]): number {
    const bytes = this.#bytes;
    let end = bytes.writeUInt8(volumes.length - 1, at);
    for (const { currency, principal } of volumes.slice(1)) {
      writeCurrency(bytes, currency, end);
      end = bytes.writeBigUInt64BE(BigInt.asUintN(64, principal), end + 3);
      end = bytes.writeBigInt64BE(principal >> 64n, end);
    }
    return end;
  }

  #reserve(size_bytes: number): void {
    const needed = this.#end + size_bytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#end);
    this.#bytes = larger;
  }
}

/**
 * Goes through a pack. It makes no object per record, since a report goes through tens of thousands: its
 * fields and methods are of the record at which it stands.
 */
export class PackCursor {
  readonly bytes: Buffer;
  readonly #basePosition: number;
  readonly #baseTime: number;
  /** Where the record begins and ends. */
  start = HEADER_BYTES;
  end = HEADER_BYTES;
  isDecline = false;
  /** Whether the effective time is not the recorded time. */
  isOffTime = false;
  position = 0;
  /** UTC microseconds. */
  recordedTime = 0;
  ledger = 0;
  /** The kind of a posting, the reason of a decline. */
  what = 0;
  entries = 0;
  #tag = 0;
  /** Where the entries begin. */
  #entriesAt = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.#basePosition = Number(bytes.readBigInt64BE(0));
    this.#baseTime = Number(bytes.readBigInt64BE(8));
  }

  /** Of all records. */
  get segment(): Segment {
    return {
      bucket: this.#baseTime / Number(ROLLUP_WIDTH),
      run: this.#basePosition / RUN_POSITIONS,
    };
  }

  /** Goes to the next record; false after the last. */
  next(): boolean {
    const { bytes, end: start } = this;
    if (start >= bytes.length) return false;
    const tag = bytes.readUInt8(start);
    this.start = start;
    this.#tag = tag;
    this.isDecline = (tag & DECLINE) !== 0;
    this.isOffTime = (tag & OFF_TIME) !== 0;
    this.position = this.#basePosition + bytes.readUInt16BE(start + 1);
    this.recordedTime = this.#baseTime + bytes.readUInt32BE(start + 3);
    this.ledger = bytes.readUInt32BE(start + 7);
    this.what = bytes.readUInt8(start + 11);
    let at = start + COMMON_BYTES;
    this.entries = 0;
    if (!this.isDecline) {
      if (this.isOffTime) at += 8;
      this.entries = bytes.readUInt16BE(at);
      this.#entriesAt = at + 2;
      at += 2 + this.entries * ENTRY_BYTES;
      if ((tag & FURTHER) !== 0) at += 1 + bytes.readUInt8(at) * FURTHER_BYTES;
    }
    this.end = at;
    return true;
  }

  get currency(): string {
    return readCurrency(this.bytes, this.start + 12);
  }

  /** In `currency`, minor units. */
  get principal(): bigint {
    return this.bytes.readBigInt64BE(this.start + 15);
  }

  /** UTC microseconds. */
  get effectiveTime(): bigint {
    return this.isOffTime ? this.bytes.readBigInt64BE(this.start + COMMON_BYTES) : BigInt(this.recordedTime);
  }

  /** The account of an entry. */
  account(index: number): number {
    return this.bytes.readUInt32BE(this.#entriesAt + index * ENTRY_BYTES);
  }

  /** Of an entry: above zero a credit, below zero a debit. */
  amount(index: number): bigint {
    return this.bytes.readBigInt64BE(this.#entriesAt + index * ENTRY_BYTES + 4);
  }

  /** What a posting moved in each currency, `currency` first; of a decline what was asked for. */
  volumes(): VolumeFact[] {
    const volumes: VolumeFact[] = [{ currency: this.currency, principal: this.principal }];
    if ((this.#tag & FURTHER) === 0) return volumes;
    const { bytes } = this;
    let at = this.#entriesAt + this.entries * ENTRY_BYTES;
    const end = at + 1 + bytes.readUInt8(at) * FURTHER_BYTES;
    for (at += 1; at < end; at += FURTHER_BYTES) {
      const principal = (bytes.readBigInt64BE(at + 11) << 64n) | bytes.readBigUInt64BE(at + 3);
      volumes.push({ currency: readCurrency(bytes, at), principal });
    }
    return volumes;
  }
}

/** Codes as numbers of three bytes, once read. */
const CURRENCIES = new Map<number, string>();

function readCurrency(bytes: Buffer, at: number): string {
  const code = bytes.readUIntBE(at, 3);
  let currency = CURRENCIES.get(code);
  if (currency === undefined) {
    currency = bytes.toString('latin1', at, at + 3);
    CURRENCIES.set(code, currency);
  }
  return currency;
}

function writeCurrency(bytes: Buffer, currency: string, at: number): void {
  if (currency.length !== 3) throw new RangeError('a currency has three letters');
  bytes.write(currency, at, 'latin1');
}
