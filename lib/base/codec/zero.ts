/**
 * Zero messages for the decoder: what `create` gives, and made of copies.
 *
 * How fast V8 copies an object depends on the place in the source that does it: one that meets a single shape is four
 * times as fast as one that meets all of ours, but adding a property to its result is fifty times as slow. So every
 * shape of a message, that is, every set of the fields that a zero message lacks, gets a place and a template of its
 * own, and which one a message needs is looked up in its bytes before they are read.
 */
import { create, type DescField, type DescMessage } from '@bufbuild/protobuf';
import { FeatureSet_FieldPresence } from '@bufbuild/protobuf/wkt';
import { type Fields, UNUSUAL } from './support.js';

/** Copies a template. */
type Copier = (template: Fields) => Fields;

/** A zero message with some of its optional fields, which wait for their values. */
interface Shape {
  readonly template: Fields;
  readonly copy: Copier;
}

/** What a message type's zero messages are made of. */
export interface Zero {
  readonly template: Fields;
  /** By which optional fields are there, as a mask. */
  readonly shapes: Map<number, Shape>;
  /** The optional fields, by their bits in a mask. */
  readonly optional: readonly string[];
  /** The bit of an optional field, by tag. */
  readonly bits: readonly number[];
  /** What can be changed in place is made anew for every message. */
  readonly lists: readonly string[];
  readonly maps: readonly string[];
  readonly oneofs: readonly string[];
}

/** More shapes than that are for the common place: somebody tries them all. */
const MOST_SHAPES = 16;
/** As many as a mask of small integers has; what is beyond is added to the message when it is read. */
const MOST_BITS = 30;

const VARINT = 0;
const FIXED_64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

/** All the same, and each of them a place of its own. */
const COPIERS: Copier[] = [
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
];

/** For the shapes that come after those. */
const copyAny: Copier = (template) => ({ ...template });

/** Prepares a message type, given the tag of each of its fields. */
export function zeroOf(schema: DescMessage, tagOf: (field: DescField) => number): Zero {
  const names = (kind: DescField['fieldKind']): string[] =>
    schema.fields.filter((field) => field.fieldKind === kind).map((field) => field.localName);
  const optional = schema.fields
    .filter((field) => field.oneof === undefined && field.presence !== FeatureSet_FieldPresence.IMPLICIT)
    .sort((a, b) => a.number - b.number)
    .slice(0, MOST_BITS);
  const bits: number[] = [];
  optional.forEach((field, bit) => (bits[tagOf(field)] = 1 << bit));
  return {
    template: packed({ ...create(schema) }),
    shapes: new Map(),
    optional: optional.map((field) => field.localName),
    bits,
    lists: names('list'),
    maps: names('map'),
    oneofs: schema.oneofs.map((oneof) => oneof.localName),
  };
}

/**
 * A zero message for what is in the bytes: the optional fields found there are in it, undefined until they are read,
 * which all of them are, or the message is given up.
 */
export function zeroMessage(zero: Zero, bytes: Uint8Array, start: number, end: number): Fields {
  const mask = zero.optional.length === 0 ? 0 : scan(zero.bits, bytes, start, end);
  const shape = zero.shapes.get(mask) ?? newShape(zero, mask);
  const message = shape.copy(shape.template);
  for (const name of zero.lists) message[name] = [];
  for (const name of zero.maps) message[name] = {};
  for (const name of zero.oneofs) message[name] = { case: undefined };
  return message;
}

function newShape(zero: Zero, mask: number): Shape {
  if (zero.shapes.size >= MOST_SHAPES) return { template: zero.template, copy: copyAny };
  const fields = { ...zero.template };
  zero.optional.forEach((name, bit) => {
    if ((mask & (1 << bit)) !== 0) fields[name] = undefined;
  });
  const shape = { template: packed(fields), copy: COPIERS.pop() ?? copyAny };
  zero.shapes.set(mask, shape);
  return shape;
}

/**
 * The same object, laid out as a literal would be: V8 makes a hash table, slow to copy and to use, of one that gets a
 * dozen of properties one after the other, but not of what comes from JSON.
 */
function packed(fields: Fields): Fields {
  const names = Object.keys(fields).map((name) => [name, null]);
  return Object.assign(JSON.parse(JSON.stringify(Object.fromEntries(names))) as Fields, fields);
}

/**
 * The bits of the optional fields that are there. It steps as reading does, so that it finds no field that reading does
 * not; one that it misses, for a tag or a length longer than need be, is only read more slowly.
 */
function scan(bits: readonly number[], bytes: Uint8Array, start: number, end: number): number {
  let mask = 0;
  let at = start;
  while (at < end) {
    let tag = bytes[at++] ?? 0;
    const wireType = tag & 7;
    if (tag > 0x7f) {
      const second = bytes[at++] ?? 0;
      tag = (tag & 0x7f) | (second << 7);
      if (second > 0x7f) at = skipVarint(bytes, at);
    }
    if (tag < bits.length) mask |= bits[tag] ?? 0;
    if (wireType === VARINT) at = skipVarint(bytes, at);
    else if (wireType === LENGTH_DELIMITED) {
      const length = bytes[at] ?? 0;
      at = length > 0x7f ? skipLong(bytes, at) : at + 1 + length;
    } else if (wireType === FIXED_64) at += 8;
    else if (wireType === FIXED_32) at += 4;
    else throw UNUSUAL;
  }
  return mask;
}

function skipVarint(bytes: Uint8Array, start: number): number {
  let at = start;
  while ((bytes[at++] ?? 0) > 0x7f);
  return at;
}

/** Skips something longer than 127 bytes, and its length. */
function skipLong(bytes: Uint8Array, start: number): number {
  let at = start;
  let length = 0;
  let scale = 1;
  let byte = 0x80;
  while (byte > 0x7f) {
    byte = bytes[at++] ?? 0;
    length += (byte & 0x7f) * scale;
    scale *= 0x80;
  }
  return at + length;
}
