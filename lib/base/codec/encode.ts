/**
 * Encoding, compiled: every message type becomes an array of closures, one a field in the order of the numbers, that
 * write into one scratch buffer. Each takes the offset to write at and returns the next one. A value that is not what
 * its field's type says (a number for an int64, nothing for a message) is left to the library.
 */
import { Buffer } from 'node:buffer';
import { type DescField, type DescMessage, type Message, ScalarType } from '@bufbuild/protobuf';
import { FeatureSet_FieldPresence } from '@bufbuild/protobuf/wkt';
import { type Fields, isSupported, type KnownScalar, scalarOf, UNUSUAL } from './support.js';

/** Writes what a message has in a field, if anything. */
type FieldWriter = (message: Fields, at: number) => number;

/** Writes a value, zero or not, and the tag before it. */
type ValueWriter = (value: unknown, at: number) => number;

/** How a message type is written; filled after it is made known, since types may contain themselves. */
interface Encoder {
  readonly typeName: string;
  readonly writers: FieldWriter[];
}

const VARINT = 0;
const LENGTH_DELIMITED = 2;

const INITIAL_BYTES = 64 * 1024;
/** A larger scratch is let go after the message that needed it. */
const KEPT_BYTES = 4 * 1024 * 1024;
/** Enough for a tag and a varint, or a tag and a length. */
const ROOM = 16;
/** From here on the native encoder beats a loop in JavaScript. */
const SHORT_TEXT = 20;
const TWO_32 = 0x1_0000_0000;
const INT64_MAX = 0x7fff_ffff_ffff_ffffn;
const INT64_MIN = -0x8000_0000_0000_0000n;

let scratch = Buffer.alloc(INITIAL_BYTES);
let busy = false;
const words = new DataView(new ArrayBuffer(8));

const encoders = new WeakMap<DescMessage, Encoder | null>();

/** The bytes of a message, or undefined if the library has to make them. */
export function encodeCompiled(schema: DescMessage, message: Message): Buffer | undefined {
  const encoder = encoderOf(schema);
  // A getter that encodes a message within ours would overwrite it.
  if (encoder === null || busy) return undefined;
  busy = true;
  try {
    const end = writeMessage(encoder, message, 0);
    const bytes = Buffer.allocUnsafe(end);
    scratch.copy(bytes, 0, 0, end);
    return bytes;
  } catch {
    return undefined;
  } finally {
    busy = false;
    if (scratch.length > KEPT_BYTES) scratch = Buffer.alloc(INITIAL_BYTES);
  }
}

function encoderOf(schema: DescMessage): Encoder | null {
  let encoder = encoders.get(schema);
  if (encoder === undefined) {
    encoder = isSupported(schema) ? compile(schema) : null;
    encoders.set(schema, encoder);
  }
  return encoder;
}

/** Only called for what is supported, and then all within it is. */
function compile(schema: DescMessage): Encoder {
  const known = encoders.get(schema);
  if (known) return known;
  const encoder: Encoder = { typeName: schema.typeName, writers: [] };
  encoders.set(schema, encoder);
  const fields = schema.fields.toSorted((a, b) => a.number - b.number);
  for (let index = 0; index < fields.length; index++) {
    const field = fields[index];
    if (field?.oneof === undefined) {
      if (field !== undefined) encoder.writers.push(fieldWriter(field));
      continue;
    }
    // Members that follow one another need one look at the oneof, not one each.
    const run = [field];
    for (let next = fields[index + 1]; next?.oneof === field.oneof; next = fields[index + 1]) {
      run.push(next);
      index++;
    }
    encoder.writers.push(oneofWriter(field.oneof.localName, run));
  }
  return encoder;
}

function writeMessage(encoder: Encoder, value: unknown, start: number): number {
  const message = asFields(value);
  if (message.$typeName !== encoder.typeName) throw UNUSUAL;
  let at = start;
  for (const write of encoder.writers) at = write(message, at);
  return message.$unknown === undefined ? at : writeUnknown(message.$unknown, at);
}

function asFields(value: unknown): Fields {
  if (typeof value !== 'object' || value === null) throw UNUSUAL;
  return value as Fields;
}

function writeUnknown(unknown: unknown, start: number): number {
  if (!Array.isArray(unknown)) throw UNUSUAL;
  let at = start;
  for (const item of unknown as unknown[]) {
    const { no, wireType, data } = asFields(item);
    if (typeof no !== 'number' || typeof wireType !== 'number' || !(data instanceof Uint8Array))
      throw UNUSUAL;
    if (!(no > 0 && no < 0x2000_0000 && wireType >= 0 && wireType <= 5)) throw UNUSUAL;
    room(at, ROOM + data.length);
    at = writeUint32(((no << 3) | wireType) >>> 0, at);
    scratch.set(data, at);
    at += data.length;
  }
  return at;
}

function fieldWriter(field: DescField): FieldWriter {
  const name = field.localName;
  if (field.fieldKind === 'list') return listWriter(field);
  if (field.fieldKind === 'map') return mapWriter(field);
  const write = valueWriter(field, field.number);
  const scalar = scalarOf(field);
  if (scalar === undefined || field.presence !== FeatureSet_FieldPresence.IMPLICIT) {
    return (message, at) => {
      const value = message[name];
      return value === undefined ? at : write(value, at);
    };
  }
  return implicitWriter(name, scalar, write);
}

/** One closure a type, though all say "unless zero": each comparison then only ever sees one type. */
function implicitWriter(name: string, scalar: KnownScalar, write: ValueWriter): FieldWriter {
  switch (scalar) {
    case ScalarType.STRING:
      return (message, at) => {
        const value = message[name];
        return value === '' ? at : write(value, at);
      };
    case ScalarType.BYTES:
      return (message, at) => {
        const value = message[name];
        return value instanceof Uint8Array && value.length === 0 ? at : write(value, at);
      };
    case ScalarType.BOOL:
      return (message, at) => {
        const value = message[name];
        return value === false ? at : write(value, at);
      };
    case ScalarType.INT32:
    case ScalarType.UINT32:
      return (message, at) => {
        const value = message[name];
        return value === 0 ? at : write(value, at);
      };
    case ScalarType.INT64:
    case ScalarType.SINT64:
      return (message, at) => {
        const value = message[name];
        return value === 0n ? at : write(value, at);
      };
  }
}

function oneofWriter(name: string, members: readonly DescField[]): FieldWriter {
  const writers = new Map<unknown, ValueWriter>(
    members.map((field) => [field.localName, valueWriter(field, field.number)]),
  );
  return (message, at) => {
    const oneof = asFields(message[name]);
    if (oneof.case === undefined) return at;
    const write = writers.get(oneof.case);
    return write === undefined ? at : write(oneof.value, at);
  };
}

function listWriter(field: DescField & { fieldKind: 'list' }): FieldWriter {
  const name = field.localName;
  if (field.packed) return packedWriter(field);
  const write = valueWriter(field, field.number);
  return (message, start) => {
    const list = message[name];
    if (!Array.isArray(list)) throw UNUSUAL;
    let at = start;
    for (let index = 0; index < list.length; index++) at = write(list[index], at);
    return at;
  };
}

function packedWriter(field: DescField & { fieldKind: 'list' }): FieldWriter {
  const name = field.localName;
  const tag = tagOf(field.number, LENGTH_DELIMITED);
  const write = bareWriter(scalarOf(field));
  return (message, start) => {
    const list = message[name];
    if (!Array.isArray(list)) throw UNUSUAL;
    if (list.length === 0) return start;
    room(start, ROOM);
    const from = writeTag(tag, start) + 1;
    let at = from;
    for (let index = 0; index < list.length; index++) {
      room(at, ROOM);
      at = write(list[index], at);
    }
    return writeLengthBefore(from, at);
  };
}

function mapWriter(field: DescField & { fieldKind: 'map' }): FieldWriter {
  const name = field.localName;
  const tag = tagOf(field.number, LENGTH_DELIMITED);
  const writeKey = scalarWriter(1, ScalarType.STRING);
  const writeValue = valueWriter(field, 2);
  return (message, start) => {
    const map = asFields(message[name]);
    let at = start;
    for (const key of Object.keys(map)) {
      room(at, ROOM);
      const from = writeTag(tag, at) + 1;
      at = writeLengthBefore(from, writeValue(map[key], writeKey(key, from)));
    }
    return at;
  };
}

/** For the value of a field, an item of its list or a value of its map. */
function valueWriter(field: DescField, number: number): ValueWriter {
  const scalar = scalarOf(field);
  if (scalar !== undefined) return scalarWriter(number, scalar);
  if (field.message === undefined) throw UNUSUAL;
  const encoder = compile(field.message);
  const tag = tagOf(number, LENGTH_DELIMITED);
  return (value, at) => {
    room(at, ROOM);
    const from = writeTag(tag, at) + 1;
    return writeLengthBefore(from, writeMessage(encoder, value, from));
  };
}

function scalarWriter(number: number, scalar: KnownScalar): ValueWriter {
  switch (scalar) {
    case ScalarType.STRING:
      return textWriter(tagOf(number, LENGTH_DELIMITED));
    case ScalarType.BYTES:
      return bytesWriter(tagOf(number, LENGTH_DELIMITED));
    case ScalarType.INT64: {
      const tag = tagOf(number, VARINT);
      return (value, at) => {
        room(at, ROOM);
        return writeInt64(value, writeTag(tag, at));
      };
    }
    default: {
      const tag = tagOf(number, VARINT);
      const write = bareWriter(scalar);
      return (value, at) => {
        room(at, ROOM);
        return write(value, writeTag(tag, at));
      };
    }
  }
}

/** Varints without tags; the caller has made room. */
function bareWriter(scalar: KnownScalar | undefined): ValueWriter {
  switch (scalar) {
    case ScalarType.BOOL:
      return writeBool;
    case ScalarType.INT32:
      return writeInt32;
    case ScalarType.UINT32:
      return writeCheckedUint32;
    case ScalarType.INT64:
      return writeInt64;
    case ScalarType.SINT64:
      return writeSint64;
    default:
      throw UNUSUAL;
  }
}

function textWriter(tag: number): ValueWriter {
  return (value, start) => {
    if (typeof value !== 'string') throw UNUSUAL;
    const { length } = value;
    // A UTF-16 code unit takes three bytes at most.
    room(start, ROOM + length * 3);
    const at = writeTag(tag, start);
    const end = length <= SHORT_TEXT ? writeAscii(value, at + 1) : -1;
    if (end < 0) return writeText(value, at);
    scratch[at] = length;
    return end;
  };
}

/** The end of the text, or -1 if it is not all ASCII. */
function writeAscii(text: string, start: number): number {
  const bytes = scratch;
  let at = start;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) return -1;
    bytes[at++] = code;
  }
  return at;
}

/** Text and the length before it, which is only known afterwards: for most it is as long as if it were ASCII. */
function writeText(text: string, at: number): number {
  const from = writeUint32(text.length, at);
  const written = scratch.write(text, from, 'utf8');
  const moved = at + varintBytes(written);
  if (moved !== from) scratch.copyWithin(moved, from, from + written);
  return writeUint32(written, at) + written;
}

function bytesWriter(tag: number): ValueWriter {
  return (value, start) => {
    if (!(value instanceof Uint8Array)) throw UNUSUAL;
    const { length } = value;
    room(start, ROOM + length);
    const at = writeUint32(length, writeTag(tag, start));
    scratch.set(value, at);
    return at + length;
  };
}

function writeBool(value: unknown, at: number): number {
  if (typeof value !== 'boolean') throw UNUSUAL;
  scratch[at] = value ? 1 : 0;
  return at + 1;
}

function writeInt32(value: unknown, at: number): number {
  if (typeof value !== 'number' || (value | 0) !== value) throw UNUSUAL;
  return value < 0 ? writeWords(value >>> 0, 0xffff_ffff, at) : writeUint32(value, at);
}

function writeCheckedUint32(value: unknown, at: number): number {
  if (typeof value !== 'number' || value >>> 0 !== value) throw UNUSUAL;
  return writeUint32(value, at);
}

function writeInt64(value: unknown, at: number): number {
  if (typeof value !== 'bigint') throw UNUSUAL;
  const number = Number(value);
  if (number >= 0 && number <= Number.MAX_SAFE_INTEGER) return writeSafe(number, at);
  setWords(value);
  return writeWords(words.getUint32(0, true), words.getUint32(4, true), at);
}

function writeSint64(value: unknown, at: number): number {
  if (typeof value !== 'bigint') throw UNUSUAL;
  const number = Number(value);
  // Doubled it has to be safe still.
  if (number >= -0x10_0000_0000_0000 && number <= 0xf_ffff_ffff_ffff) {
    return writeSafe(number < 0 ? -2 * number - 1 : 2 * number, at);
  }
  setWords(value);
  const low = words.getInt32(0, true);
  const high = words.getInt32(4, true);
  const sign = high >> 31;
  return writeWords(((low << 1) ^ sign) >>> 0, (((high << 1) | (low >>> 31)) ^ sign) >>> 0, at);
}

function setWords(value: bigint): void {
  if (value > INT64_MAX || value < INT64_MIN) throw UNUSUAL;
  words.setBigInt64(0, value, true);
}

function writeSafe(value: number, at: number): number {
  if (value < TWO_32) return writeUint32(value, at);
  const low = value >>> 0;
  return writeWords(low, (value - low) / TWO_32, at);
}

/** A varint of 64 bits; `high` may be zero only if the caller wants five bytes at least. */
function writeWords(low: number, high: number, start: number): number {
  const bytes = scratch;
  if (high === 0) return writeUint32(low, start);
  bytes[start] = (low & 0x7f) | 0x80;
  bytes[start + 1] = ((low >>> 7) & 0x7f) | 0x80;
  bytes[start + 2] = ((low >>> 14) & 0x7f) | 0x80;
  bytes[start + 3] = ((low >>> 21) & 0x7f) | 0x80;
  const middle = (low >>> 28) | ((high & 0x7) << 4);
  const rest = high >>> 3;
  if (rest === 0) {
    bytes[start + 4] = middle;
    return start + 5;
  }
  bytes[start + 4] = middle | 0x80;
  return writeUint32(rest, start + 5);
}

/** The caller has made room. */
function writeUint32(value: number, start: number): number {
  const bytes = scratch;
  let at = start;
  let rest = value;
  while (rest > 0x7f) {
    bytes[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[at] = rest;
  return at + 1;
}

/** A tag: two bytes at most, as the numbers supported are. The caller has made room. */
function writeTag(tag: number, at: number): number {
  if (tag > 0x7f) {
    scratch[at] = (tag & 0x7f) | 0x80;
    scratch[at + 1] = tag >>> 7;
    return at + 2;
  }
  scratch[at] = tag;
  return at + 1;
}

/** Puts a length into the byte left before `from`, and moves what follows if it needs more. */
function writeLengthBefore(from: number, end: number): number {
  const length = end - from;
  if (length <= 0x7f) {
    scratch[from - 1] = length;
    return end;
  }
  const more = varintBytes(length) - 1;
  room(end, more);
  scratch.copyWithin(from + more, from, end);
  writeUint32(length, from - 1);
  return end + more;
}

function varintBytes(value: number): number {
  if (value <= 0x7f) return 1;
  if (value <= 0x3fff) return 2;
  if (value <= 0x1f_ffff) return 3;
  return value <= 0xfff_ffff ? 4 : 5;
}

function tagOf(number: number, wireType: number): number {
  return (number << 3) | wireType;
}

/** Makes sure that `needed` bytes can be written at an offset. */
function room(at: number, needed: number): void {
  if (at + needed > scratch.length) grow(at + needed);
}

function grow(needed: number): void {
  const larger = Buffer.alloc(Math.max(needed, scratch.length * 2));
  larger.set(scratch);
  scratch = larger;
}
