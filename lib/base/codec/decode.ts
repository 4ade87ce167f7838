/**
 * Decoding, compiled: every message type becomes a table of closures, one a tag, and a template to copy. Input that is
 * not as an encoder of ours would write it (another wire type, a message field twice, groups, cut off) is left to the
 * library, from its first byte.
 */
import { Buffer } from 'node:buffer';
import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { getTextEncoding } from '@bufbuild/protobuf/wire';
import { type Fields, isSupported, type KnownScalar, scalarOf, UNUSUAL } from './support.js';
import { type Zero, zeroMessage, zeroOf } from './zero.js';

/** Reads the value at the cursor, whose tag is read, into a message. */
type FieldReader = (message: Fields, cursor: Cursor) => void;

/** Reads the value at the cursor. */
type ValueReader = (cursor: Cursor) => unknown;

/** How a message type is read; filled after it is made known, since types may contain themselves. */
interface Decoder {
  readonly zero: Zero;
  /** By tag: the number and the wire type. */
  readonly readers: (FieldReader | undefined)[];
  readonly numbers: Set<number>;
}

/** Where in the input we are. */
interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
  /** The end of the message that is read. */
  end: number;
  depth: number;
  /** The input as a Buffer, once text needs it. */
  text: Buffer | undefined;
}

const VARINT = 0;
const FIXED_64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

/** The library's. */
const DEEPEST = 100;
/** Up to here a loop in JavaScript beats the native decoder. */
const SHORT_TEXT = 6;
const TWO_28 = 0x1000_0000;

const NOTHING = new Uint8Array(0);
const words = new DataView(new ArrayBuffer(8));

const decoders = new WeakMap<DescMessage, Decoder | null>();

/** The message, or undefined if the library has to read it. */
export function decodeCompiled(schema: DescMessage, bytes: Uint8Array): Fields | undefined {
  const decoder = decoderOf(schema);
  // Types do not keep an array of numbers out, which the library refuses.
  if (decoder === null || !ArrayBuffer.isView(bytes)) return undefined;
  try {
    return readMessage(decoder, { bytes, at: 0, end: bytes.length, depth: 0, text: undefined });
  } catch {
    return undefined;
  }
}

function decoderOf(schema: DescMessage): Decoder | null {
  let decoder = decoders.get(schema);
  if (decoder === undefined) {
    decoder = isSupported(schema) ? compile(schema) : null;
    decoders.set(schema, decoder);
  }
  return decoder;
}

/** Only called for what is supported, and then all within it is. */
function compile(schema: DescMessage): Decoder {
  const known = decoders.get(schema);
  if (known) return known;
  const decoder: Decoder = {
    zero: zeroOf(schema, tagOf),
    readers: [],
    numbers: new Set(schema.fields.map((field) => field.number)),
  };
  decoders.set(schema, decoder);
  for (const field of schema.fields) addReaders(decoder, field);
  return decoder;
}

function readMessage(decoder: Decoder, cursor: Cursor): Fields {
  if (++cursor.depth > DEEPEST) throw UNUSUAL;
  const { readers } = decoder;
  const { bytes, end } = cursor;
  const message = zeroMessage(decoder.zero, bytes, cursor.at, end);
  let unknown: unknown[] | undefined;
  while (cursor.at < end) {
    let tag = bytes[cursor.at] ?? 0;
    if (tag > 0x7f) tag = readTag(cursor);
    else cursor.at++;
    const read = readers[tag];
    if (read === undefined) (unknown ??= []).push(readUnknown(decoder, tag, cursor));
    else read(message, cursor);
  }
  if (cursor.at !== end) throw UNUSUAL;
  if (unknown !== undefined) message.$unknown = unknown;
  cursor.depth--;
  return message;
}

/** A message within another one, its length before it. */
function readNested(decoder: Decoder, cursor: Cursor): Fields {
  const outer = cursor.end;
  cursor.end = readEnd(cursor);
  const message = readMessage(decoder, cursor);
  cursor.end = outer;
  return message;
}

function readUnknown(decoder: Decoder, tag: number, cursor: Cursor): unknown {
  const no = tag >>> 3;
  const wireType = tag & 7;
  // A number of ours with another wire type, which the library reads as if it were the right one.
  if (no === 0 || decoder.numbers.has(no)) throw UNUSUAL;
  const start = cursor.at;
  switch (wireType) {
    case VARINT:
      while ((cursor.bytes[cursor.at++] ?? 0) > 0x7f);
      break;
    case FIXED_64:
      cursor.at += 8;
      break;
    case LENGTH_DELIMITED:
      cursor.at = readEnd(cursor);
      break;
    case FIXED_32:
      cursor.at += 4;
      break;
    default:
      throw UNUSUAL;
  }
  if (cursor.at > cursor.end) throw UNUSUAL;
  return { no, wireType, data: cursor.bytes.subarray(start, cursor.at) };
}

function tagOf(field: DescField): number {
  const wireType = field.fieldKind === 'map' ? LENGTH_DELIMITED : wireTypeOf(scalarOf(field));
  return (field.number << 3) | wireType;
}

function addReaders(decoder: Decoder, field: DescField): void {
  const tag = tagOf(field);
  if (field.fieldKind === 'list') {
    decoder.readers[tag] = itemReader(field);
    if ((tag & 7) === VARINT) {
      decoder.readers[(field.number << 3) | LENGTH_DELIMITED] = packedReader(field);
    }
  } else if (field.fieldKind === 'map') {
    decoder.readers[tag] = mapReader(field);
  } else {
    decoder.readers[tag] =
      field.oneof === undefined ? singularReader(field) : memberReader(field, field.oneof.localName);
  }
}

function singularReader(field: DescField): FieldReader {
  const name = field.localName;
  if (field.message !== undefined) {
    const decoder = compile(field.message);
    return (message, cursor) => {
      // The library merges a second one into the first.
      if (message[name] !== undefined) throw UNUSUAL;
      message[name] = readNested(decoder, cursor);
    };
  }
  const read = valueReader(field);
  return (message, cursor) => {
    message[name] = read(cursor);
  };
}

function memberReader(field: DescField, oneof: string): FieldReader {
  const name = field.localName;
  const read = valueReader(field);
  const merges = field.message !== undefined;
  return (message, cursor) => {
    if (merges && (message[oneof] as Fields).case === name) throw UNUSUAL;
    message[oneof] = { case: name, value: read(cursor) };
  };
}

function itemReader(field: DescField): FieldReader {
  const name = field.localName;
  const read = valueReader(field);
  return (message, cursor) => {
    (message[name] as unknown[]).push(read(cursor));
  };
}

function packedReader(field: DescField): FieldReader {
  const name = field.localName;
  const read = valueReader(field);
  return (message, cursor) => {
    const list = message[name] as unknown[];
    const outer = cursor.end;
    cursor.end = readEnd(cursor);
    while (cursor.at < cursor.end) list.push(read(cursor));
    cursor.end = outer;
  };
}

function mapReader(field: DescField & { fieldKind: 'map' }): FieldReader {
  const name = field.localName;
  const read = valueReader(field);
  const zero = zeroReader(field);
  const keyTag = (1 << 3) | LENGTH_DELIMITED;
  const valueTag = (2 << 3) | wireTypeOf(scalarOf(field));
  return (message, cursor) => {
    const outer = cursor.end;
    const end = (cursor.end = readEnd(cursor));
    let key = '';
    let value: unknown;
    while (cursor.at < end) {
      const tag = cursor.bytes[cursor.at++];
      if (tag === keyTag) key = readText(cursor);
      else if (tag === valueTag) value = read(cursor);
      // The library does not skip what else may be in an entry.
      else throw UNUSUAL;
    }
    cursor.end = outer;
    (message[name] as Fields)[key] = value ?? zero();
  };
}

/** What a map's entry has that lacks a value. */
function zeroReader(field: DescField & { fieldKind: 'map' }): () => unknown {
  if (field.message !== undefined) {
    const decoder = compile(field.message);
    return () => zeroMessage(decoder.zero, NOTHING, 0, 0);
  }
  switch (scalarOf(field)) {
    case ScalarType.STRING:
      return () => '';
    case ScalarType.BYTES:
      return () => new Uint8Array(0);
    case ScalarType.BOOL:
      return () => false;
    case ScalarType.INT64:
    case ScalarType.SINT64:
      return () => 0n;
    default: {
      const zero = field.enum?.values[0]?.number ?? 0;
      return () => zero;
    }
  }
}

function wireTypeOf(scalar: KnownScalar | undefined): number {
  return scalar === undefined || scalar === ScalarType.STRING || scalar === ScalarType.BYTES
    ? LENGTH_DELIMITED
    : VARINT;
}

function valueReader(field: DescField): ValueReader {
  if (field.message !== undefined) {
    const decoder = compile(field.message);
    return (cursor) => readNested(decoder, cursor);
  }
  switch (scalarOf(field)) {
    case ScalarType.STRING:
      return readText;
    case ScalarType.BYTES:
      return readBytes;
    case ScalarType.BOOL:
      return readBool;
    case ScalarType.INT32:
      return readInt32;
    case ScalarType.UINT32:
      return readUint32;
    case ScalarType.INT64:
      return readInt64;
    case ScalarType.SINT64:
      return readSint64;
    case undefined:
      throw UNUSUAL;
  }
}

function readText(cursor: Cursor): string {
  const end = readEnd(cursor);
  const start = cursor.at;
  cursor.at = end;
  if (end - start <= SHORT_TEXT) {
    const text = readAscii(cursor.bytes, start, end);
    if (text !== undefined) return text;
  }
  const { bytes } = cursor;
  const buffer = (cursor.text ??= asBuffer(bytes));
  // Undefined is UTF-8 too, without a look at the name.
  const text = buffer.toString(undefined, start, end);
  // What is no UTF-8 has become U+FFFD, and a mark at the start is the library's to strip: it decides by its own rules.
  if (text.includes('\ufffd') || text.charCodeAt(0) === 0xfeff) {
    return getTextEncoding().decodeUtf8(bytes.subarray(start, end), true);
  }
  return text;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function readAscii(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = '';
  for (let at = start; at < end; at++) {
    const code = bytes[at] ?? 0x80;
    if (code > 0x7f) return undefined;
    text += String.fromCharCode(code);
  }
  return text;
}

/** A view of the input, as the library gives it. */
function readBytes(cursor: Cursor): Uint8Array {
  const end = readEnd(cursor);
  const start = cursor.at;
  cursor.at = end;
  return cursor.bytes.subarray(start, end);
}

function readBool(cursor: Cursor): boolean {
  const byte = cursor.bytes[cursor.at++] ?? 0x80;
  if (byte > 0x7f || cursor.at > cursor.end) throw UNUSUAL;
  return byte !== 0;
}

function readInt32(cursor: Cursor): number {
  return readUint32(cursor) | 0;
}

/** The low 32 bits of a varint. */
function readUint32(cursor: Cursor): number {
  const byte = cursor.bytes[cursor.at] ?? 0x80;
  if (byte <= 0x7f) {
    cursor.at++;
    if (cursor.at > cursor.end) throw UNUSUAL;
    return byte;
  }
  readWords(cursor);
  return words.getUint32(0, true);
}

function readInt64(cursor: Cursor): bigint {
  const byte = cursor.bytes[cursor.at] ?? 0x80;
  if (byte <= 0x7f) {
    cursor.at++;
    if (cursor.at > cursor.end) throw UNUSUAL;
    return BigInt(byte);
  }
  readWords(cursor);
  return words.getBigInt64(0, true);
}

function readSint64(cursor: Cursor): bigint {
  readWords(cursor);
  const low = words.getInt32(0, true);
  const high = words.getInt32(4, true);
  const sign = -(low & 1);
  words.setInt32(0, ((low >>> 1) | (high << 31)) ^ sign, true);
  words.setInt32(4, (high >>> 1) ^ sign, true);
  return words.getBigInt64(0, true);
}

/** A varint of up to ten bytes into `words`. */
function readWords(cursor: Cursor): void {
  const { bytes } = cursor;
  let at = cursor.at;
  let low = 0;
  let high = 0;
  let byte = 0x80;
  for (let shift = 0; shift < 28 && byte > 0x7f; shift += 7) {
    byte = bytes[at++] ?? 0;
    low |= (byte & 0x7f) << shift;
  }
  if (byte > 0x7f) {
    byte = bytes[at++] ?? 0;
    low |= (byte & 0x0f) << 28;
    high = (byte & 0x70) >> 4;
    for (let shift = 3; shift <= 31 && byte > 0x7f; shift += 7) {
      byte = bytes[at++] ?? 0;
      high |= (byte & 0x7f) << shift;
    }
  }
  if (byte > 0x7f || at > cursor.end) throw UNUSUAL;
  cursor.at = at;
  words.setInt32(0, low, true);
  words.setInt32(4, high, true);
}

/** A tag of more than one byte. */
function readTag(cursor: Cursor): number {
  const start = cursor.at;
  const { bytes } = cursor;
  let tag = 0;
  let scale = 1;
  let byte = 0x80;
  while (byte > 0x7f) {
    byte = bytes[cursor.at++] ?? 0;
    tag += (byte & 0x7f) * scale;
    scale *= 0x80;
    if (scale > TWO_28 * 0x80) throw UNUSUAL;
  }
  if (cursor.at > cursor.end || cursor.at - start > 5 || tag > 0xffff_ffff) throw UNUSUAL;
  return tag;
}

/** Reads a length: the offset that it ends at. */
function readEnd(cursor: Cursor): number {
  const length = readUint32(cursor);
  const end = cursor.at + length;
  if (end > cursor.end) throw UNUSUAL;
  return end;
}
