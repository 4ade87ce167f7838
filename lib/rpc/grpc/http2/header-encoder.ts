/** Writes header blocks without a table and without Huffman coding: each block says all that it means (RFC 7541). */
import type { Buffer } from 'node:buffer';
import { STATIC_TABLE } from './static-table.js';

/** As grpc-js gives them. */
export type OutgoingHeaders = Readonly<Record<string, string | number | readonly string[] | undefined>>;

const STATUS = ':status';
/** A field of the static table as one byte. */
const STATUS_200 = 0x88;
/** Says that the sender keeps a table of no bytes, as a peer demands that has made its own smaller. */
export const NO_TABLE = 0x20;

const STATIC_NAMES = new Map<string, number>();
STATIC_TABLE.forEach(([name], index) => {
  if (!STATIC_NAMES.has(name)) STATIC_NAMES.set(name, index + 1);
});
/** An index of up to two bytes and two lengths of up to five. */
const FIELD_OVERHEAD_BYTES = 12;

/** At least as many bytes as the block takes. */
export function headersMaxBytes(headers: OutgoingHeaders): number {
  let bytes = 1;
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined) continue;
    if (typeof value === 'string') bytes += name.length + value.length + FIELD_OVERHEAD_BYTES;
    else if (typeof value === 'number') bytes += name.length + 20 + FIELD_OVERHEAD_BYTES;
    else for (const each of value) bytes += name.length + each.length + FIELD_OVERHEAD_BYTES;
  }
  return bytes;
}

/** @returns where the block ends */
export function writeHeaders(into: Buffer, start: number, headers: OutgoingHeaders): number {
  let at = start;
  // A pseudo-header comes before all others, whose order stays.
  const status = headers[STATUS];
  if (Number(status) === 200) into[at++] = STATUS_200;
  else if (status !== undefined) at = writeField(into, at, STATUS, String(status));
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || name === STATUS) continue;
    if (typeof value === 'string') {
      at = writeField(into, at, name, value);
    } else if (typeof value === 'number') {
      at = writeField(into, at, name, String(value));
    } else {
      for (const each of value) at = writeField(into, at, name, each);
    }
  }
  return at;
}

function writeField(into: Buffer, start: number, name: string, value: string): number {
  const index = STATIC_NAMES.get(name);
  if (index !== undefined) return writeText(into, writeInteger(into, start, 0, 0x0f, index), value);
  into[start] = 0;
  return writeText(into, writeText(into, start + 1, name), value);
}

function writeText(into: Buffer, start: number, text: string): number {
  const at = writeInteger(into, start, 0, 0x7f, text.length);
  if (text.length > 64) return at + into.write(text, at, 'latin1');
  for (let index = 0; index < text.length; index += 1) into[at + index] = text.charCodeAt(index);
  return at + text.length;
}

/** @param mask the largest integer that the prefix holds */
function writeInteger(into: Buffer, start: number, pattern: number, mask: number, value: number): number {
  if (value < mask) {
    into[start] = pattern | value;
    return start + 1;
  }
  into[start] = pattern | mask;
  let at = start + 1;
  let rest = value - mask;
  for (; rest >= 0x80; rest >>>= 7) into[at++] = 0x80 | (rest & 0x7f);
  into[at] = rest;
  return at + 1;
}
