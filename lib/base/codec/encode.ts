/**
 * Encoding, compiled: every message type becomes one function of straight code, made of its descriptor when the type is first
 * seen. It writes the fields in the order of their numbers into one scratch buffer. Each function takes the offset to write at and
 * returns the next one. A value that is not what its field's type says (a number for an int64, nothing for a message) is left to
 * the library.
 */
import { Buffer } from 'node:buffer';
import { type DescField, type DescMessage, type Message, ScalarType } from '@bufbuild/protobuf';
import { FeatureSet_FieldPresence } from '@bufbuild/protobuf/wkt';
import { compileSource } from '../compile.js';
import { type Fields, isSupported, scalarOf, UNUSUAL, wireTypeOf } from './support.js';

/** Writes a message without a tag. */
type Writer = (message: unknown, at: number) => number;

const LENGTH_DELIMITED = 2;

const INITIAL_BYTES = 64 * 1024;
/** A larger scratch is let go after the message that needed it. */
const KEPT_BYTES = 4 * 1024 * 1024;
/** Enough for a tag and a varint, or a tag and a length. */
const ROOM = 16;
/** From here on the native encoder is faster than a loop in JavaScript. */
const SHORT_TEXT = 40;
const TWO_32 = 0x1_0000_0000;
const INT64_MAX = 0x7fff_ffff_ffff_ffffn;
const INT64_MIN = -0x8000_0000_0000_0000n;

let scratch = Buffer.alloc(INITIAL_BYTES);
let busy = false;
const words = new DataView(new ArrayBuffer(8));

/** Null: the library has to write the type. */
const writers = new WeakMap<DescMessage, Writer | null>();

/** The bytes of a message after `leading` bytes that are left to the caller; undefined if the library has to make them. */
export function encodeCompiled(schema: DescMessage, message: Message, leading = 0): Buffer | undefined {
  let writer = writers.get(schema);
  if (writer === undefined) {
    writer = isSupported(schema) ? compile(schema, new Map()) : null;
    writers.set(schema, writer);
  }
  // A getter that encodes a message within ours would overwrite it.
  if (writer === null || busy) return undefined;
  busy = true;
  try {
    const end = writer(message, leading);
    const bytes = Buffer.allocUnsafe(end);
    scratch.copy(bytes, leading, leading, end);
    return bytes;
  } catch {
    return undefined;
  } finally {
    busy = false;
    if (scratch.length > KEPT_BYTES) scratch = Buffer.alloc(INITIAL_BYTES);
  }
}

/** What generated code calls. */
const RUNTIME = {
  UNUSUAL,
  asFields,
  asList,
  open: openLength,
  close: closeLength,
  writeUnknown,
  text: writeText,
  bytes: writeBytes,
  bool: writeBool,
  int32: writeInt32,
  uint32: writeUint32,
  int64: writeInt64,
  sint64: writeSint64,
};

/** Gives text for a function that writes a nested message with its tag. */
type Nested = (field: DescField, number: number) => string;

/** Only called for what is supported, and then all within it is. `underWay` has the types that may contain this one. */
function compile(schema: DescMessage, underWay: Map<DescMessage, { write: Writer | undefined }>): Writer {
  const known = writers.get(schema);
  if (known) return known;
  const self: { write: Writer | undefined } = { write: undefined };
  underWay.set(schema, self);
  const constants: Record<string, unknown> = { ...RUNTIME };
  let functions = '';
  const nested: Nested = ({ message }, number) => {
    if (message === undefined) throw UNUSUAL;
    const count = String(Object.keys(constants).length);
    const around = underWay.get(message);
    // A type that contains itself is not there yet when its text is compiled.
    constants[`write${count}`] = around === undefined ? compile(message, underWay) : lateWriter(around);
    functions += nestedText(count, tagOf(number, LENGTH_DELIMITED));
    return `nested${count}`;
  };
  const writer = writerText(schema, nested);
  // The text is a writer: see writerText.
  const write = compileSource(constants, `${functions}\nreturn ${writer};`) as Writer;
  self.write = write;
  underWay.delete(schema);
  writers.set(schema, write);
  return write;
}

function lateWriter(holder: { readonly write: Writer | undefined }): Writer {
  return (message, at) => {
    if (holder.write === undefined) throw UNUSUAL;
    return holder.write(message, at);
  };
}

/** A nested message with its tag. Its length takes as many bytes as the last one's did, or the message is moved. */
function nestedText(count: string, tag: number): string {
  return `
let size${count} = 1;
function nested${count}(v, at) {
  const size = size${count};
  const from = open(${String(tag)}, size, at);
  const end = write${count}(v, from);
  const moved = close(from, end, size);
  size${count} = size + moved - end;
  return moved;
}`;
}

function writerText(schema: DescMessage, nested: Nested): string {
  const fields = schema.fields.toSorted((a, b) => a.number - b.number);
  const lines: string[] = [];
  for (let index = 0; index < fields.length; index++) {
    const field = fields[index];
    if (field?.oneof === undefined) {
      if (field !== undefined) lines.push(fieldText(field, nested));
      continue;
    }
    // Members that follow one another need one look at the oneof, not one each.
    const run = [field];
    for (let next = fields[index + 1]; next?.oneof === field.oneof; next = fields[index + 1]) {
      run.push(next);
      index++;
    }
    lines.push(oneofText(field.oneof.localName, run, nested));
  }
  return `function(m, at) {
  if (m.$typeName !== ${JSON.stringify(schema.typeName)}) throw UNUSUAL;
  let v;
  ${lines.join('\n  ')}
  return m.$unknown === undefined ? at : writeUnknown(m.$unknown, at);
}`;
}

function fieldText(field: DescField, nested: Nested): string {
  const value = `m.${field.localName}`;
  if (field.fieldKind === 'list') return listText(field, nested);
  if (field.fieldKind === 'map') return mapText(field, nested);
  const write = valueText(field, field.number, nested);
  return `v = ${value}; if (${presentText(field)}) at = ${write};`;
}

/** Whether a field is written whose value is `v`: it is if `v` is not the zero of its type, right or wrong. */
function presentText(field: DescField): string {
  const scalar = scalarOf(field);
  if (scalar === undefined || field.presence !== FeatureSet_FieldPresence.IMPLICIT) return 'v !== undefined';
  switch (scalar) {
    case ScalarType.STRING:
      return `v !== ''`;
    case ScalarType.BYTES:
      return '!(v instanceof Uint8Array && v.length === 0)';
    case ScalarType.BOOL:
      return 'v !== false';
    case ScalarType.INT64:
    case ScalarType.SINT64:
      return 'v !== 0n';
    default:
      return 'v !== 0';
  }
}

function oneofText(name: string, members: readonly DescField[], nested: Nested): string {
  const cases = members.map(
    (field) =>
      `case ${JSON.stringify(field.localName)}: v = v.value; at = ${valueText(field, field.number, nested)}; break;`,
  );
  return `v = asFields(m.${name}); switch (v.case) {\n    ${cases.join('\n    ')}\n  }`;
}

function listText(field: DescField & { fieldKind: 'list' }, nested: Nested): string {
  const each = (write: string) => `for (let i = 0; i < list.length; i++) { v = list[i]; at = ${write}; }`;
  const list = `const list = asList(m.${field.localName});`;
  if (!field.packed) return `{ ${list} ${each(valueText(field, field.number, nested))} }`;
  const tag = String(tagOf(field.number, LENGTH_DELIMITED));
  const items = each(valueText(field, 0, nested));
  return `{ ${list} if (list.length > 0) { const from = open(${tag}, 1, at); at = from; ${items} at = close(from, at, 1); } }`;
}

function mapText(field: DescField & { fieldKind: 'map' }, nested: Nested): string {
  const tag = String(tagOf(field.number, LENGTH_DELIMITED));
  const keyTag = String(tagOf(1, LENGTH_DELIMITED));
  return (
    `{ const map = asFields(m.${field.localName}); for (const key of Object.keys(map)) { ` +
    `const from = open(${tag}, 1, at); at = text(${keyTag}, key, from); v = map[key]; ` +
    `at = ${valueText(field, 2, nested)}; at = close(from, at, 1); } }`
  );
}

/** An expression that writes the value `v` of a field with a number; without a tag if that is 0. */
function valueText(field: DescField, number: number, nested: Nested): string {
  const scalar = scalarOf(field);
  if (scalar === undefined) return `${nested(field, number)}(v, at)`;
  const tag = number === 0 ? '0' : String(tagOf(number, wireTypeOf(scalar)));
  switch (scalar) {
    case ScalarType.STRING:
      return `text(${tag}, v, at)`;
    case ScalarType.BYTES:
      return `bytes(${tag}, v, at)`;
    case ScalarType.BOOL:
      return `bool(${tag}, v, at)`;
    case ScalarType.INT32:
      return `int32(${tag}, v, at)`;
    case ScalarType.UINT32:
      return `uint32(${tag}, v, at)`;
    case ScalarType.INT64:
      return `int64(${tag}, v, at)`;
    case ScalarType.SINT64:
      return `sint64(${tag}, v, at)`;
  }
}

function asFields(value: unknown): Fields {
  if (typeof value !== 'object' || value === null) throw UNUSUAL;
  return value as Fields;
}

function asList(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw UNUSUAL;
  return value;
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
    at = writeVarint(((no << 3) | wireType) >>> 0, at);
    scratch.set(data, at);
    at += data.length;
  }
  return at;
}

function writeText(tag: number, value: unknown, start: number): number {
  if (typeof value !== 'string') throw UNUSUAL;
  const { length } = value;
  // A UTF-16 code unit takes three bytes at most.
  room(start, ROOM + length * 3);
  const at = writeTag(tag, start);
  const end = length <= SHORT_TEXT ? writeAscii(value, at + 1) : -1;
  if (end < 0) return writeLongText(value, at);
  scratch[at] = length;
  return end;
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
function writeLongText(text: string, at: number): number {
  const from = writeVarint(text.length, at);
  const written = scratch.write(text, from, 'utf8');
  const moved = at + varintBytes(written);
  if (moved !== from) scratch.copyWithin(moved, from, from + written);
  return writeVarint(written, at) + written;
}

function writeBytes(tag: number, value: unknown, start: number): number {
  if (!(value instanceof Uint8Array)) throw UNUSUAL;
  const { length } = value;
  room(start, ROOM + length);
  const at = writeVarint(length, writeTag(tag, start));
  scratch.set(value, at);
  return at + length;
}

function writeBool(tag: number, value: unknown, start: number): number {
  if (typeof value !== 'boolean') throw UNUSUAL;
  room(start, ROOM);
  const at = writeTag(tag, start);
  scratch[at] = value ? 1 : 0;
  return at + 1;
}

function writeInt32(tag: number, value: unknown, start: number): number {
  if (typeof value !== 'number' || (value | 0) !== value) throw UNUSUAL;
  room(start, ROOM);
  const at = writeTag(tag, start);
  return value < 0 ? writeWords(value >>> 0, 0xffff_ffff, at) : writeVarint(value, at);
}

function writeUint32(tag: number, value: unknown, start: number): number {
  if (typeof value !== 'number' || value >>> 0 !== value) throw UNUSUAL;
  room(start, ROOM);
  return writeVarint(value, writeTag(tag, start));
}

function writeInt64(tag: number, value: unknown, start: number): number {
  if (typeof value !== 'bigint') throw UNUSUAL;
  room(start, ROOM);
  const at = writeTag(tag, start);
  const number = Number(value);
  if (number >= 0 && number <= Number.MAX_SAFE_INTEGER) return writeSafe(number, at);
  setWords(value);
  return writeWords(words.getUint32(0, true), words.getUint32(4, true), at);
}

function writeSint64(tag: number, value: unknown, start: number): number {
  if (typeof value !== 'bigint') throw UNUSUAL;
  room(start, ROOM);
  const at = writeTag(tag, start);
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
  if (value < TWO_32) return writeVarint(value, at);
  const low = value >>> 0;
  return writeWords(low, (value - low) / TWO_32, at);
}

/** A varint of 64 bits; `high` may be zero only if the caller wants five bytes at least. */
function writeWords(low: number, high: number, start: number): number {
  const bytes = scratch;
  if (high === 0) return writeVarint(low, start);
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
  return writeVarint(rest, start + 5);
}

/** The caller has made room. */
function writeVarint(value: number, start: number): number {
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

/** A tag: two bytes at most, as the numbers supported are; none if it is 0. The caller has made room. */
function writeTag(tag: number, at: number): number {
  if (tag === 0) return at;
  if (tag > 0x7f) {
    scratch[at] = (tag & 0x7f) | 0x80;
    scratch[at + 1] = tag >>> 7;
    return at + 2;
  }
  scratch[at] = tag;
  return at + 1;
}

/** Writes a tag and leaves so many bytes for a length: where what has that length starts. */
function openLength(tag: number, size: number, start: number): number {
  room(start, ROOM);
  return writeTag(tag, start) + size;
}

/** Writes the length into the bytes left before `from`, and moves what follows if it needs more or fewer. */
function closeLength(from: number, end: number, size: number): number {
  const length = end - from;
  const needed = varintBytes(length);
  if (needed !== size) {
    room(end, ROOM);
    scratch.copyWithin(from - size + needed, from, end);
  }
  writeVarint(length, from - size);
  return end + needed - size;
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
