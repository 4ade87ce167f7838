/**
 * Decoding, compiled: every message type becomes one function of straight code, made of its descriptor when the type is first
 * seen. It reads the fields into variables and makes the message at the end as one literal, whose shape V8 knows. Input that is
 * not as an encoder of ours would write it (another wire type, a message field twice, groups, cut off) is left to the library,
 * from its first byte.
 */
import { Buffer } from 'node:buffer';
import { create, type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { getTextEncoding } from '@bufbuild/protobuf/wire';
import { FeatureSet_FieldPresence } from '@bufbuild/protobuf/wkt';
import { compileSource } from '../compile.js';
import { type Fields, isSupported, scalarOf, UNUSUAL, wireTypeOf } from './support.js';

/** Where in the input we are. */
interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
  depth: number;
  /** The input as a Buffer, once text needs it. */
  text: Buffer | undefined;
}

/** Reads the message from the cursor to an offset. */
type Reader = (cursor: Cursor, end: number) => Fields;

const VARINT = 0;
const FIXED_64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

/** The library's. */
const DEEPEST = 100;
/** Up to here a loop in JavaScript is faster than the native decoder. */
const SHORT_TEXT = 6;
/** Longer texts are not compared with the last one of their field. */
const LONGEST_REPEATED = 40;
/** With more optional fields than these there are too many shapes to write a literal for each. */
const MOST_LITERAL_OPTIONALS = 3;
const TWO_28 = 0x1000_0000;

const words = new DataView(new ArrayBuffer(8));

/** Null: the library has to read the type. */
const readers = new WeakMap<DescMessage, Reader | null>();

/** The message, or undefined if the library has to read it. */
export function decodeCompiled(schema: DescMessage, bytes: Uint8Array): Fields | undefined {
  let reader = readers.get(schema);
  if (reader === undefined) {
    reader = isSupported(schema) ? compile(schema, new Map()) : null;
    readers.set(schema, reader);
  }
  // Types do not keep an array of numbers out, which the library refuses.
  if (reader === null || !ArrayBuffer.isView(bytes)) return undefined;
  try {
    return reader({ bytes, at: 0, depth: 0, text: undefined }, bytes.length);
  } catch {
    return undefined;
  }
}

/** What generated code calls. */
const RUNTIME = {
  UNUSUAL,
  NOTHING: new Uint8Array(0),
  readTag,
  readEnd,
  readUnknown,
  text: readText,
  repeatedText: readRepeatedText,
  bytes: readBytes,
  bool: readBool,
  int32: readInt32,
  uint32: readUint32,
  int64: readInt64,
  sint64: readSint64,
};

/** The functions of a type's own: nested readers and the numbers of its fields, by their names in the text. */
type Constants = Record<string, unknown>;

/** Only called for what is supported, and then all within it is. `underWay` has the types that may contain this one. */
function compile(schema: DescMessage, underWay: Map<DescMessage, { read: Reader | undefined }>): Reader {
  const known = readers.get(schema);
  if (known) return known;
  const self: { read: Reader | undefined } = { read: undefined };
  underWay.set(schema, self);
  const constants: Constants = { ...RUNTIME };
  constants.numbers = new Set(schema.fields.map(({ number }) => number));
  const nested = (message: DescMessage): string => {
    const name = `read${String(Object.keys(constants).length)}`;
    const around = underWay.get(message);
    // A type that contains itself is not there yet when its text is compiled.
    constants[name] = around === undefined ? compile(message, underWay) : lateReader(around);
    return name;
  };
  // The text is a reader: see readerText.
  const read = compileSource(constants, readerText(schema, nested)) as Reader;
  self.read = read;
  underWay.delete(schema);
  readers.set(schema, read);
  return read;
}

function lateReader(holder: { readonly read: Reader | undefined }): Reader {
  return (cursor, end) => {
    if (holder.read === undefined) throw UNUSUAL;
    return holder.read(cursor, end);
  };
}

function readerText(schema: DescMessage, nested: (message: DescMessage) => string): string {
  const variables = schema.fields.map((field) => (field.oneof === undefined ? variableOf(field) : ''));
  const oneofs = schema.oneofs.map(({ localName }) => `let ${localName}$;`);
  return `
${schema.fields.map((field) => (isRepeatable(field) ? `let last${String(field.number)} = '';` : '')).join('')}
return function(c, end) {
  if (++c.depth > ${String(DEEPEST)}) throw UNUSUAL;
  const { bytes: b } = c;
  let unknown;
  ${[...variables, ...oneofs].join(' ')}
  while (c.at < end) {
    let tag = b[c.at];
    if (tag > 0x7f) tag = readTag(c, end);
    else c.at++;
    switch (tag) {
      ${schema.fields.map((field) => casesOf(field, nested)).join('\n      ')}
      default: (unknown ??= []).push(readUnknown(c, tag, end, numbers));
    }
  }
  if (c.at !== end) throw UNUSUAL;
  c.depth--;
  ${messageText(schema)}
};`;
}

/** The name of a field's variable. */
function nameOf(field: DescField): string {
  return `f${String(field.number)}`;
}

function variableOf(field: DescField): string {
  return isOptional(field) ? `let ${nameOf(field)};` : `let ${nameOf(field)} = ${zeroText(field)};`;
}

/** Whether a message without the field lacks its property. */
function isOptional(field: DescField): boolean {
  const isSingular = field.fieldKind !== 'list' && field.fieldKind !== 'map';
  return isSingular && field.oneof === undefined && field.presence !== FeatureSet_FieldPresence.IMPLICIT;
}

/** Whether the field's text is often that of the message before: then the same string is taken, its hash computed already. */
function isRepeatable(field: DescField): boolean {
  return field.fieldKind === 'scalar' && field.scalar === ScalarType.STRING;
}

/** What a message has where nothing was read. */
function zeroText(field: DescField): string {
  if (field.fieldKind === 'list') return '[]';
  return field.fieldKind === 'map' ? '{}' : zeroValueText(field);
}

function zeroValueText(field: DescField): string {
  switch (scalarOf(field)) {
    case ScalarType.STRING:
      return `''`;
    case ScalarType.BYTES:
      return 'NOTHING';
    case ScalarType.BOOL:
      return 'false';
    case ScalarType.INT64:
    case ScalarType.SINT64:
      return '0n';
    default:
      return String(field.enum?.values[0]?.number ?? 0);
  }
}

/** The message of what was read: properties in the library's order, those that may be absent behind them. */
function messageText(schema: DescMessage): string {
  const byName = new Map(schema.fields.map((field) => [field.localName, nameOf(field)]));
  const oneofs = new Set(schema.oneofs.map(({ localName }) => localName));
  const always = Object.keys(create(schema)).map((name) => {
    if (name === '$typeName') return `$typeName: ${JSON.stringify(schema.typeName)}`;
    return oneofs.has(name)
      ? `${name}: ${name}$ ?? { case: undefined }`
      : `${name}: ${byName.get(name) ?? ''}`;
  });
  const optional = schema.fields.filter(isOptional).sort((a, b) => a.number - b.number);
  const property = (field: DescField) => `${field.localName}: ${nameOf(field)}`;
  if (optional.length > MOST_LITERAL_OPTIONALS) {
    const later = optional.map(
      (field) => `if (${nameOf(field)} !== undefined) m.${field.localName} = ${nameOf(field)};`,
    );
    return `const m = { ${always.join(', ')} };\n  ${later.join('\n  ')}\n  ${unknownText}`;
  }
  const literal = (rest: readonly DescField[], taken: readonly DescField[]): string => {
    const [field, ...others] = rest;
    if (field === undefined) return `{ ${[...always, ...taken.map(property)].join(', ')} }`;
    return `${nameOf(field)} === undefined ? ${literal(others, taken)} : ${literal(others, [...taken, field])}`;
  };
  return `const m = ${literal(optional, [])};\n  ${unknownText}`;
}

const unknownText = 'if (unknown !== undefined) m.$unknown = unknown;\n  return m;';

/** The cases of the switch over tags that read a field. */
function casesOf(field: DescField, nested: (message: DescMessage) => string): string {
  if (field.fieldKind === 'map')
    return `case ${tagText(field, LENGTH_DELIMITED)}: { ${mapText(field, nested)} break; }`;
  const read = valueText(field, nested);
  const tag = tagText(field, wireTypeOf(scalarOf(field)));
  const target = nameOf(field);
  if (field.fieldKind === 'list') {
    const packed = `{ const e = readEnd(c, end); while (c.at < e) ${target}.push(${valueText(field, nested, 'e')}); break; }`;
    const isPackable = wireTypeOf(scalarOf(field)) === VARINT;
    const alsoPacked = isPackable ? ` case ${tagText(field, LENGTH_DELIMITED)}: ${packed}` : '';
    return `case ${tag}: ${target}.push(${read}); break;${alsoPacked}`;
  }
  if (field.oneof !== undefined) {
    const oneof = `${field.oneof.localName}$`;
    const name = JSON.stringify(field.localName);
    const merges =
      field.message === undefined
        ? ''
        : `if (${oneof} !== undefined && ${oneof}.case === ${name}) throw UNUSUAL; `;
    return `case ${tag}: ${merges}${oneof} = { case: ${name}, value: ${read} }; break;`;
  }
  if (field.message !== undefined) {
    // The library merges a second one into the first.
    return `case ${tag}: if (${target} !== undefined) throw UNUSUAL; ${target} = ${read}; break;`;
  }
  return isRepeatable(field)
    ? `case ${tag}: ${target} = last${String(field.number)} = repeatedText(c, end, last${String(field.number)}); break;`
    : `case ${tag}: ${target} = ${read}; break;`;
}

/** One entry of a map. The library does not skip what else may be in it. */
function mapText(field: DescField & { fieldKind: 'map' }, nested: (message: DescMessage) => string): string {
  const zero = field.message === undefined ? zeroValueText(field) : `${nested(field.message)}(c, c.at)`;
  return (
    `const e = readEnd(c, end); let k = '', v; while (c.at < e) { const t = b[c.at++]; ` +
    `if (t === ${String((1 << 3) | LENGTH_DELIMITED)}) k = text(c, e); ` +
    `else if (t === ${String((2 << 3) | wireTypeOf(scalarOf(field)))}) v = ${valueText(field, nested, 'e')}; ` +
    `else throw UNUSUAL; } if (c.at !== e) throw UNUSUAL; ${nameOf(field)}[k] = v ?? ${zero};`
  );
}

/** An expression that reads a value, of a message that ends at `end`. */
function valueText(field: DescField, nested: (message: DescMessage) => string, end = 'end'): string {
  if (field.message !== undefined) return `${nested(field.message)}(c, readEnd(c, ${end}))`;
  switch (scalarOf(field)) {
    case ScalarType.STRING:
      return `text(c, ${end})`;
    case ScalarType.BYTES:
      return `bytes(c, ${end})`;
    case ScalarType.BOOL:
      return `bool(c, ${end})`;
    case ScalarType.INT32:
      return `int32(c, ${end})`;
    case ScalarType.UINT32:
      return `uint32(c, ${end})`;
    case ScalarType.INT64:
      return `int64(c, ${end})`;
    case ScalarType.SINT64:
      return `sint64(c, ${end})`;
    case undefined:
      throw UNUSUAL;
  }
}

function tagText(field: DescField, wireType: number): string {
  return String((field.number << 3) | wireType);
}

function readUnknown(cursor: Cursor, tag: number, end: number, numbers: ReadonlySet<number>): unknown {
  const no = tag >>> 3;
  const wireType = tag & 7;
  // A number of ours with another wire type, which the library reads as if it were the right one.
  if (no === 0 || numbers.has(no)) throw UNUSUAL;
  const start = cursor.at;
  switch (wireType) {
    case VARINT:
      while ((cursor.bytes[cursor.at++] ?? 0) > 0x7f);
      break;
    case FIXED_64:
      cursor.at += 8;
      break;
    case LENGTH_DELIMITED:
      cursor.at = readEnd(cursor, end);
      break;
    case FIXED_32:
      cursor.at += 4;
      break;
    default:
      throw UNUSUAL;
  }
  if (cursor.at > end) throw UNUSUAL;
  return { no, wireType, data: cursor.bytes.subarray(start, cursor.at) };
}

/** The text at the cursor; if it is the last one again, that string. */
function readRepeatedText(cursor: Cursor, limit: number, last: string): string {
  const { bytes, at } = cursor;
  const { length } = last;
  if (bytes[at] === length && length > 0 && length <= LONGEST_REPEATED && at + length < limit) {
    let index = 0;
    while (index < length) {
      const byte = bytes[at + 1 + index] ?? 0x80;
      if (byte > 0x7f || byte !== last.charCodeAt(index)) break;
      index++;
    }
    if (index === length) {
      cursor.at = at + 1 + length;
      return last;
    }
  }
  return readText(cursor, limit);
}

function readText(cursor: Cursor, limit: number): string {
  const end = readEnd(cursor, limit);
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
function readBytes(cursor: Cursor, limit: number): Uint8Array {
  const end = readEnd(cursor, limit);
  const start = cursor.at;
  cursor.at = end;
  return cursor.bytes.subarray(start, end);
}

function readBool(cursor: Cursor, limit: number): boolean {
  const byte = cursor.bytes[cursor.at++] ?? 0x80;
  if (byte > 0x7f || cursor.at > limit) throw UNUSUAL;
  return byte !== 0;
}

function readInt32(cursor: Cursor, limit: number): number {
  return readUint32(cursor, limit) | 0;
}

/** The low 32 bits of a varint. */
function readUint32(cursor: Cursor, limit: number): number {
  const byte = cursor.bytes[cursor.at] ?? 0x80;
  if (byte <= 0x7f) {
    cursor.at++;
    if (cursor.at > limit) throw UNUSUAL;
    return byte;
  }
  readWords(cursor, limit);
  return words.getUint32(0, true);
}

function readInt64(cursor: Cursor, limit: number): bigint {
  const byte = cursor.bytes[cursor.at] ?? 0x80;
  if (byte <= 0x7f) {
    cursor.at++;
    if (cursor.at > limit) throw UNUSUAL;
    return BigInt(byte);
  }
  readWords(cursor, limit);
  return words.getBigInt64(0, true);
}

function readSint64(cursor: Cursor, limit: number): bigint {
  readWords(cursor, limit);
  const low = words.getInt32(0, true);
  const high = words.getInt32(4, true);
  const sign = -(low & 1);
  words.setInt32(0, ((low >>> 1) | (high << 31)) ^ sign, true);
  words.setInt32(4, (high >>> 1) ^ sign, true);
  return words.getBigInt64(0, true);
}

/** A varint of up to ten bytes into `words`. */
function readWords(cursor: Cursor, limit: number): void {
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
  if (byte > 0x7f || at > limit) throw UNUSUAL;
  cursor.at = at;
  words.setInt32(0, low, true);
  words.setInt32(4, high, true);
}

/** A tag of more than one byte. */
function readTag(cursor: Cursor, limit: number): number {
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
  if (cursor.at > limit || cursor.at - start > 5 || tag > 0xffff_ffff) throw UNUSUAL;
  return tag;
}

/** Reads a length: the offset that it ends at. */
function readEnd(cursor: Cursor, limit: number): number {
  const length = readUint32(cursor, limit);
  const end = cursor.at + length;
  if (end > limit) throw UNUSUAL;
  return end;
}
