/**
 * Array parameters that are filled value by value, so that a batch becomes columns without a row object or an
 * array in between. The form is that of `lib/log/postgres-arrays.ts`: PostgreSQL reads it in binary.
 */
import { Buffer } from 'node:buffer';

const OID = { bytea: 17, int8: 20, int2: 21, uuid: 2950 } as const;

const HEADER_BYTES = 20;
const LENGTH_BYTES = 4;
const NULL_LENGTH = -1;
/** Enough for a batch of some hundred rows; a larger one doubles it. */
const FIRST_BYTES = 4096;

/**
 * The bytes of an array parameter while values are added to it. Nulls at its end are not sent: `unnest` of
 * several arrays fills a shorter one up with nulls, so that a column without values costs nothing. One array of
 * a statement must be without nulls.
 */
class GrowingArray {
  readonly #oid: number;
  #bytes = Buffer.allocUnsafe(FIRST_BYTES);
  #view = viewOf(this.#bytes);
  #end = HEADER_BYTES;
  #count = 0;
  /** Up to the last value that is not null. */
  #sentEnd = HEADER_BYTES;
  #sentCount = 0;

  constructor(oid: number) {
    this.#oid = oid;
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
  constructor() {
    super(OID.int8);
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
  constructor() {
    super(OID.int2);
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
  constructor(type: 'bytea' | 'uuid') {
    super(OID[type]);
  }

  /** Adds a value; undefined is null. */
  add(value: Uint8Array | undefined): void {
    if (value === undefined) this.addNull();
    else this.writeBytes(value);
  }
}
