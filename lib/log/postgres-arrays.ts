/**
 * Arrays as PostgreSQL reads them in binary: `pg` sends a Buffer as it is, but turns an array into text that
 * both sides must quote and parse (a bytea[] even as hex). Use one where the statement says
 * `unnest($1::bigint[])`.
 */
import { Buffer } from 'node:buffer';

const OID = { bytea: 17, int8: 20, int2: 21, int4: 23, text: 25, uuid: 2950 } as const;

const HEADER_BYTES = 20;
const LENGTH_BYTES = 4;
const NULL_LENGTH = -1;

/** A `bigint[]`. */
export function int8Array(values: readonly bigint[]): Buffer {
  const width = LENGTH_BYTES + 8;
  const out = allocate(OID.int8, values.length, values.length * width);
  let at = HEADER_BYTES;
  for (const value of values) {
    out.writeInt32BE(8, at);
    out.writeBigInt64BE(value, at + LENGTH_BYTES);
    at += width;
  }
  return out;
}

/** A `smallint[]`. */
export function int2Array(values: readonly number[]): Buffer {
  const width = LENGTH_BYTES + 2;
  const out = allocate(OID.int2, values.length, values.length * width);
  let at = HEADER_BYTES;
  for (const value of values) {
    out.writeInt32BE(2, at);
    out.writeInt16BE(value, at + LENGTH_BYTES);
    at += width;
  }
  return out;
}

/** An `integer[]`. */
export function int4Array(values: readonly number[]): Buffer {
  const width = LENGTH_BYTES + 4;
  const out = allocate(OID.int4, values.length, values.length * width);
  let at = HEADER_BYTES;
  for (const value of values) {
    out.writeInt32BE(4, at);
    out.writeInt32BE(value, at + LENGTH_BYTES);
    at += width;
  }
  return out;
}

/** A `text[]`; for texts that cannot hold a zero character, such as ids. */
export function textArray(values: readonly string[]): Buffer {
  let size_bytes = 0;
  for (const value of values) size_bytes += LENGTH_BYTES + Buffer.byteLength(value);
  const out = allocate(OID.text, values.length, size_bytes);
  let at = HEADER_BYTES;
  for (const value of values) {
    const written = out.write(value, at + LENGTH_BYTES);
    out.writeInt32BE(written, at);
    at += LENGTH_BYTES + written;
  }
  return out;
}

/** A `bytea[]`; undefined is null. */
export function byteaArray(values: readonly (Uint8Array | undefined)[]): Buffer {
  return chunkArray(OID.bytea, values);
}

/** A `uuid[]` of 16 bytes each; undefined is null. */
export function uuidArray(values: readonly (Uint8Array | undefined)[]): Buffer {
  return chunkArray(OID.uuid, values);
}

function chunkArray(oid: number, values: readonly (Uint8Array | undefined)[]): Buffer {
  let size_bytes = 0;
  for (const value of values) size_bytes += LENGTH_BYTES + (value?.length ?? 0);
  const out = allocate(oid, values.length, size_bytes);
  let at = HEADER_BYTES;
  for (const value of values) {
    out.writeInt32BE(value?.length ?? NULL_LENGTH, at);
    at += LENGTH_BYTES;
    if (value === undefined) continue;
    out.set(value, at);
    at += value.length;
  }
  return out;
}

/**
 * The header: dimensions, whether there may be nulls (they may), the type of the elements, their count, the
 * lower bound.
 */
function allocate(oid: number, count: number, size_bytes: number): Buffer {
  const out = Buffer.allocUnsafe(HEADER_BYTES + size_bytes);
  out.writeInt32BE(1, 0);
  out.writeInt32BE(1, 4);
  out.writeInt32BE(oid, 8);
  out.writeInt32BE(count, 12);
  out.writeInt32BE(1, 16);
  return out;
}
