/**
 * How the view keeps postings and declines: packed, many in one bytea. A record costs some 50 bytes and no
 * index entry; as a row of a table, with its two indexes, it cost PostgreSQL ten times the work.
 *
 * A pack holds records of one segment, in order of position. It begins with where the segment's run of
 * positions and its 15 minutes begin (two int64); records say the rest in few bytes:
 *
 *     tag, position - base (u16), recorded time - base (u32), ledger (u32), kind or reason (u8),
 *     currency (3 letters; zeros if one of the currencies is an asset), principal (int64)
 *     of a posting: its effective time (int64) if that is not the recorded time; the number of entries (u16),
 *     then account (u32) and amount (int64, below zero a debit) of each; if it moved further currencies their
 *     number (u8), then currency and principal (u64 and int64: low and high half) of each
 *     if one of the currencies is an asset: all of them, each in 20 bytes, filled up with zeros
 *
 * All numbers are big-endian. Records of one segment have one base, so that they can be copied from pack to
 * pack as they are.
 */
import { Buffer } from 'node:buffer';
import { Direction } from '../../../../gen/quittance/common/v1/transaction_pb.js';
import type * as log from '../../../../gen/quittance/event/v1/event_pb.js';
import { isAssetUnit } from '../../../base/currency.js';
import { effectiveTimeOf } from '../../../log/effective-time.js';
import { accountOf, postingOf, ROLLUP_WIDTH, type VolumeFact } from '../fold.js';

/** A run is of 65,536 positions. */
export const RUN_BITS = 16n;
const RUN_POSITIONS = 2 ** Number(RUN_BITS);

const HEADER_BYTES = 16;
/** Of what postings and declines have in common. */
const COMMON_BYTES = 1 + 2 + 4 + 4 + 1 + 3 + 8;
const ENTRY_BYTES = 12;
const FURTHER_BYTES = 3 + 16;
/** Of the unit of an asset: a code of 16 characters, a sign and an exponent of two digits. */
const ASSET_BYTES = 20;
const FIRST_BYTES = 256;

/** The high half of an int64 below which the whole is an exact number. */
const EXACT_HIGH = 2 ** 20;

const DECLINE = 1;
const OFF_TIME = 2;
const FURTHER = 4;
/** Its currencies stand at its end. */
const ASSETS = 8;

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
  readonly #basePosition: bigint;
  readonly #baseTime: bigint;
  #bytes: Buffer;
  #view: DataView;
  #end = HEADER_BYTES;
  #records = 0;

  /** `size_bytes`: how large it may get; it grows beyond. */
  constructor(segment: Segment, size_bytes = FIRST_BYTES) {
    this.segment = segment;
    this.#basePosition = BigInt(segment.run) << RUN_BITS;
    this.#baseTime = BigInt(segment.bucket) * ROLLUP_WIDTH;
    this.#bytes = Buffer.allocUnsafe(size_bytes);
    this.#view = viewOf(this.#bytes);
    this.#view.setBigInt64(0, this.#basePosition);
    this.#view.setBigInt64(8, this.#baseTime);
  }

  /** How many records are in it. */
  get records(): number {
    return this.#records;
  }

  /** `accounts`: from `firstAccount` on, the number of each account of the event. */
  addPosting(
    event: log.Event,
    posted: log.TransactionPosted,
    ledger: number,
    accounts: readonly number[],
    firstAccount: number,
  ): void {
    const { entries } = posted;
    const effectiveTime = effectiveTimeOf(event);
    const isOffTime = effectiveTime !== event.recordedTimeMicros;
    const currency = currencyOf(posted);
    // Only journals in several currencies and their reversals.
    const further = currency === undefined ? postingOf(event, posted).volumes : [];
    const first = currency ?? further[0]?.currency ?? '';
    const assets = assetsAmong(first, further);
    const tag =
      (isOffTime ? OFF_TIME : 0) | (further.length > 1 ? FURTHER : 0) | (assets.length > 0 ? ASSETS : 0);
    this.#reserve(
      COMMON_BYTES +
        8 +
        2 +
        entries.length * ENTRY_BYTES +
        1 +
        further.length * FURTHER_BYTES +
        assets.length * ASSET_BYTES,
    );
    let at = this.#common(tag, event, ledger, posted.kind, first, posted.amount);
    const view = this.#view;
    if (isOffTime) {
      view.setBigInt64(at, effectiveTime);
      at += 8;
    }
    view.setUint16(at, entries.length);
    at += 2;
    for (const { account, direction, amount } of entries) {
      view.setUint32(at, accounts[firstAccount + account] ?? 0);
      view.setBigInt64(at + 4, direction === Direction.DEBIT ? -amount : amount);
      at += ENTRY_BYTES;
    }
    if (further.length > 1) at = this.#further(at, further, assets.length > 0);
    this.#end = this.#assets(at, assets);
  }

  addDecline(event: log.Event, declined: log.TransactionDeclined, ledger: number): void {
    const { reason, currency, amount } = declined;
    const assets = assetsAmong(currency, []);
    this.#reserve(COMMON_BYTES + assets.length * ASSET_BYTES);
    const tag = DECLINE | (assets.length > 0 ? ASSETS : 0);
    this.#end = this.#assets(this.#common(tag, event, ledger, reason, currency, amount), assets);
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

  /** Gives where what follows is written. */
  #common(
    tag: number,
    { position, recordedTimeMicros }: log.Event,
    ledger: number,
    what: number,
    currency: string,
    principal: bigint,
  ): number {
    const [view, at] = [this.#view, this.#end];
    view.setUint8(at, tag);
    view.setUint16(at + 1, Number(position - this.#basePosition));
    view.setUint32(at + 3, Number(recordedTimeMicros - this.#baseTime));
    view.setUint32(at + 7, ledger);
    view.setUint8(at + 11, what);
    writeCurrency(view, (tag & ASSETS) === 0 ? currency : NO_CURRENCY, at + 12);
    view.setBigInt64(at + 15, principal);
    this.#records += 1;
    return at + COMMON_BYTES;
  }

  #further(at: number, volumes: readonly VolumeFact[], hasAssets: boolean): number {
    const view = this.#view;
    view.setUint8(at, volumes.length - 1);
    let end = at + 1;
    for (const { currency, principal } of volumes.slice(1)) {
      writeCurrency(view, hasAssets ? NO_CURRENCY : currency, end);
      view.setBigUint64(end + 3, BigInt.asUintN(64, principal));
      view.setBigInt64(end + 11, principal >> 64n);
      end += FURTHER_BYTES;
    }
    return end;
  }

  #assets(at: number, units: readonly string[]): number {
    let end = at;
    for (const unit of units) {
      writeAsset(this.#bytes, unit, end);
      end += ASSET_BYTES;
    }
    return end;
  }

  #reserve(size_bytes: number): void {
    const needed = this.#end + size_bytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#end);
    this.#bytes = larger;
    this.#view = viewOf(larger);
  }
}

/** The currency of all entries; undefined if there are several. */
function currencyOf(posted: log.TransactionPosted): string | undefined {
  let currency: string | undefined;
  for (const entry of posted.entries) {
    const its = accountOf(posted, entry).currency;
    if (currency !== undefined && its !== currency) return undefined;
    currency = its;
  }
  return currency;
}

/**
 * Goes through a pack. It makes no object per record, since a report goes through tens of thousands: its
 * fields and methods are of the record at which it stands.
 */
export class PackCursor {
  readonly bytes: Buffer;
  readonly #view: DataView;
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
  #assetsAt = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.#view = viewOf(bytes);
    this.#basePosition = Number(this.#view.getBigInt64(0));
    this.#baseTime = Number(this.#view.getBigInt64(8));
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
    const view = this.#view;
    const start = this.end;
    if (start >= view.byteLength) return false;
    const tag = view.getUint8(start);
    this.start = start;
    this.#tag = tag;
    this.isDecline = (tag & DECLINE) !== 0;
    this.isOffTime = (tag & OFF_TIME) !== 0;
    this.position = this.#basePosition + view.getUint16(start + 1);
    this.recordedTime = this.#baseTime + view.getUint32(start + 3);
    this.ledger = view.getUint32(start + 7);
    this.what = view.getUint8(start + 11);
    let at = start + COMMON_BYTES;
    this.entries = 0;
    if (!this.isDecline) {
      if (this.isOffTime) at += 8;
      this.entries = view.getUint16(at);
      this.#entriesAt = at + 2;
      at += 2 + this.entries * ENTRY_BYTES;
      if ((tag & FURTHER) !== 0) at += 1 + view.getUint8(at) * FURTHER_BYTES;
    }
    if ((tag & ASSETS) !== 0) {
      this.#assetsAt = at;
      at += this.currencies * ASSET_BYTES;
    }
    this.end = at;
    return true;
  }

  /** Whether a posting moved further currencies. */
  get hasFurther(): boolean {
    return (this.#tag & FURTHER) !== 0;
  }

  get currency(): string {
    return this.#currencyAt(0, this.start + 12);
  }

  /** The currency of a number: at this place, or at the end of the record. */
  #currencyAt(number: number, at: number): string {
    return (this.#tag & ASSETS) === 0
      ? readCurrency(this.#view, at)
      : readAsset(this.bytes, this.#assetsAt + number * ASSET_BYTES);
  }

  /** In `currency`, minor units. */
  get principal(): bigint {
    return this.#view.getBigInt64(this.start + 15);
  }

  /** UTC microseconds. */
  get effectiveTime(): bigint {
    return this.isOffTime ? this.#view.getBigInt64(this.start + COMMON_BYTES) : BigInt(this.recordedTime);
  }

  /** The account of an entry. */
  account(index: number): number {
    return this.#view.getUint32(this.#entriesAt + index * ENTRY_BYTES);
  }

  /** Of an entry: above zero a credit, below zero a debit. */
  amount(index: number): bigint {
    return this.#view.getBigInt64(this.#entriesAt + index * ENTRY_BYTES + 4);
  }

  /** The same as a number; undefined if it is 2^52 or more. */
  exactAmount(index: number): number | undefined {
    const at = this.#entriesAt + index * ENTRY_BYTES + 4;
    const high = this.#view.getInt32(at);
    if (high < -EXACT_HIGH || high >= EXACT_HIGH) return undefined;
    return high * 2 ** 32 + this.#view.getUint32(at + 4);
  }

  /** How many currencies a posting moved. */
  get currencies(): number {
    if ((this.#tag & FURTHER) === 0) return 1;
    return 1 + this.#view.getUint8(this.#entriesAt + this.entries * ENTRY_BYTES);
  }

  /** Gives the record another ledger and other accounts: how another generation numbers them. */
  renumber(ledger: number, accountOf: (account: number) => number): void {
    this.#view.setUint32(this.start + 7, ledger);
    for (let index = 0; index < this.entries; index += 1) {
      this.#view.setUint32(this.#entriesAt + index * ENTRY_BYTES, accountOf(this.account(index)));
    }
  }

  /** Whether the record says the same as the one at which another cursor stands, byte by byte. */
  isSame(other: PackCursor): boolean {
    return (
      this.position === other.position &&
      this.recordedTime === other.recordedTime &&
      this.end - this.start === other.end - other.start &&
      this.bytes.compare(other.bytes, other.start, other.end, this.start, this.end) === 0
    );
  }

  /** What a posting moved in each currency, `currency` first; of a decline what was asked for. */
  volumes(): VolumeFact[] {
    const volumes: VolumeFact[] = [{ currency: this.currency, principal: this.principal }];
    if ((this.#tag & FURTHER) === 0) return volumes;
    const view = this.#view;
    let at = this.#entriesAt + this.entries * ENTRY_BYTES;
    const end = at + 1 + view.getUint8(at) * FURTHER_BYTES;
    for (at += 1; at < end; at += FURTHER_BYTES) {
      const principal = (view.getBigInt64(at + 11) << 64n) | view.getBigUint64(at + 3);
      volumes.push({ currency: this.#currencyAt(volumes.length, at), principal });
    }
    return volumes;
  }
}

/** Codes as numbers of three bytes, once read. */
const CURRENCIES = new Map<number, string>();

function readCurrency(view: DataView, at: number): string {
  const code = (view.getUint16(at) << 8) | view.getUint8(at + 2);
  let currency = CURRENCIES.get(code);
  if (currency === undefined) {
    currency = String.fromCharCode(code >> 16, (code >> 8) & 0xff, code & 0xff);
    CURRENCIES.set(code, currency);
  }
  return currency;
}

const NO_CURRENCY = '\0\0\0';

function writeCurrency(view: DataView, currency: string, at: number): void {
  if (currency.length !== 3) throw new RangeError('a currency has three letters');
  for (let index = 0; index < 3; index += 1) view.setUint8(at + index, currency.charCodeAt(index));
}

/** All currencies of a record, if one of them is an asset. */
function assetsAmong(first: string, further: readonly VolumeFact[]): readonly string[] {
  if (!isAssetUnit(first) && !further.some(({ currency }) => isAssetUnit(currency))) return NO_ASSETS;
  return further.length > 1 ? further.map(({ currency }) => currency) : [first];
}

const NO_ASSETS: readonly string[] = [];

function readAsset(bytes: Buffer, at: number): string {
  const end = bytes.indexOf(0, at);
  return bytes.toString('latin1', at, end);
}

function writeAsset(bytes: Buffer, unit: string, at: number): void {
  if (unit.length >= ASSET_BYTES) throw new RangeError('the unit of an asset has at most 19 characters');
  bytes.fill(0, at, at + ASSET_BYTES);
  bytes.write(unit, at, 'latin1');
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
