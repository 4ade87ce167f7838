/**
 * Array parameters that are filled value by value, so that a batch becomes columns without a row object or an
 * array in between. The form is that of `lib/log/postgres-arrays.ts`: PostgreSQL reads it in binary.
 */
import { Buffer } from 'node:buffer';

const OID = { bytea: 17, int8: 20, int2: 21, uuid: 2950 } as const;

const HEADER_BYTES = 20;
const LENGTH_BYTES = 4;
const NULL_LENGTH = -1;
/** Where no value is expected; a column that gets some all the same doubles it as often as it needs. */
const LEAST_BYTES = 256;

/**
 * The bytes of an array parameter while values are added to it. Nulls at its end are not sent: `unnest` of
 * several arrays fills a shorter one up with nulls, so that a column without values costs nothing. One array of
 * a statement must be without nulls.
 */
class GrowingArray {
  readonly #oid: number;
  #bytes: Buffer;
  #view: DataView;
  #end = HEADER_BYTES;
  #count = 0;
  /** Up to the last value that is not null. */
  #sentEnd = HEADER_BYTES;
  #sentCount = 0;

  /** There is room for so many bytes of values, and for the lengths of so many values. */
  constructor(oid: number, expected: number, size_bytes: number) {
    this.#oid = oid;
    this.#bytes = Buffer.allocUnsafe(HEADER_BYTES + LENGTH_BYTES * expected + size_bytes + LEAST_BYTES);
    this.#view = viewOf(this.#bytes);
  }

  /** How many values it has. */
  get count(): number {
    return this.#count;
  }

  /** Adds a null. */
  addNull(): void {
    const at = this.#room(0);
    this.#view.setInt32(at, NULL_LENGTH);
  }

  /** The parameter as it is sent. The array takes no further values. */
  parameter(): Buffer {
    // Dimensions, whether there may be nulls, the type of the elements, their count, the lower bound.
    this.#view.setInt32(0, 1);
    this.#view.setInt32(4, 1);
    this.#view.setInt32(8, this.#oid);
    this.#view.setInt32(12, this.#sentCount);
    this.#view.setInt32(16, 1);
    return this.#bytes.subarray(0, this.#sentEnd);
  }

  protected writeInt8(value: bigint): void {
    const at = this.#next(8);
    this.#view.setInt32(at, 8);
    this.#view.setBigInt64(at + LENGTH_BYTES, value);
  }

  protected writeInt2(value: number): void {
    const at = this.#next(2);
    this.#view.setInt32(at, 2);
    this.#view.setInt16(at + LENGTH_BYTES, value);
  }

  protected writeBytes(value: Uint8Array): void {
    const at = this.#next(value.length);
    this.#view.setInt32(at, value.length);
    this.#bytes.set(value, at + LENGTH_BYTES);
  }

  /** Makes room for a value that is not null; answers where it begins. */
  #next(size_bytes: number): number {
    const at = this.#room(size_bytes);
    this.#sentEnd = this.#end;
    this.#sentCount = this.#count;
    return at;
  }

  #room(size_bytes: number): number {
    const at = this.#end;
    const end = at + LENGTH_BYTES + size_bytes;
    if (end > this.#bytes.length) this.#grow(end);
    this.#end = end;
    this.#count += 1;
    return at;
  }

  #grow(least_bytes: number): void {
    const grown = Buffer.allocUnsafe(Math.max(least_bytes, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = grown;
    this.#view = viewOf(grown);
  }
}

function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length);
}

/** A `bigint[]`. */
export class Int8Column extends GrowingArray {
  /** With room for so many values that are not null. */
  constructor(expected = 0) {
    super(OID.int8, expected, 8 * expected);
  }

  add(value: bigint): void {
    this.writeInt8(value);
  }

  /** Adds a value, or null in place of 0. */
  addUnlessZero(value: bigint): void {
    if (value === 0n) this.addNull();
    else this.writeInt8(value);
  }

  /** Adds a value; undefined is null. */
  addOptional(value: bigint | undefined): void {
    if (value === undefined) this.addNull();
    else this.writeInt8(value);
  }
}

/** A `smallint[]`. */
export class Int2Column extends GrowingArray {
  /** With room for so many values that are not null. */
  constructor(expected = 0) {
    super(OID.int2, expected, 2 * expected);
  }

  add(value: number): void {
    this.writeInt2(value);
  }

  /** Adds a value; undefined is null. */
  addOptional(value: number | undefined): void {
    if (value === undefined) this.addNull();
    else this.writeInt2(value);
  }
}

/** A `bytea[]` or a `uuid[]` of 16 bytes each. */
export class BytesColumn extends GrowingArray {
  /** With room for so many values of so many bytes in all. */
  constructor(type: 'bytea' | 'uuid', expected = 0, size_bytes = 0) {
    super(OID[type], expected, size_bytes);
  }

  /** Adds a value; undefined is null. */
  add(value: Uint8Array | undefined): void {
    if (value === undefined) this.addNull();
    else this.writeBytes(value);
  }
}
