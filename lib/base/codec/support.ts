/**
 * Which messages the compiled codec takes on: proto3 messages of varints, text, bytes, messages, lists and maps keyed
 * by text. That is all of ours; the library keeps the rest (proto2, editions, fixed widths, groups, well-known types
 * that it represents as something else than a message).
 */
import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { Edition } from '@bufbuild/protobuf/wkt';

/** A message as the codec sees it: whatever may be under its fields' names. */
export type Fields = Record<string, unknown>;

/** Thrown within the codec, never out of it: the library shall do this one, with its errors and its semantics. */
export class Unusual extends Error {}

/** The only one, so that giving up does not cost a stack trace. */
export const UNUSUAL = new Unusual('left to the library');

/** The scalars that the codec knows; an enum is an INT32 on the wire. */
export type KnownScalar =
  | ScalarType.STRING
  | ScalarType.BYTES
  | ScalarType.BOOL
  | ScalarType.INT32
  | ScalarType.UINT32
  | ScalarType.INT64
  | ScalarType.SINT64;

/** Up to here a tag has two bytes. */
const HIGHEST_NUMBER = 512;

/** In fields the library represents these as scalars and JSON, not as messages. */
const SPECIAL =
  /^google\.protobuf\.(Struct|Value|ListValue|(Double|Float|U?Int(32|64)|Bool|String|Bytes)Value)$/;

/** Whether the codec can do a message and all that can be within it. */
export function isSupported(schema: DescMessage, seen = new Set<DescMessage>()): boolean {
  if (seen.has(schema)) return true;
  seen.add(schema);
  if (schema.file.edition !== Edition.EDITION_PROTO3 || SPECIAL.test(schema.typeName)) return false;
  return schema.fields.every(
    (field) => isSupportedField(field) && (field.message === undefined || isSupported(field.message, seen)),
  );
}

/** The scalar of a field or of the items or values of one, undefined for messages. */
export function scalarOf(field: DescField): KnownScalar | undefined {
  if (field.message !== undefined) return undefined;
  const scalar = field.scalar ?? ScalarType.INT32;
  if (!isKnownScalar(scalar)) throw UNUSUAL;
  return scalar;
}

const VARINT = 0;
const LENGTH_DELIMITED = 2;

/** How a scalar is written; undefined is a message. */
export function wireTypeOf(scalar: KnownScalar | undefined): number {
  return scalar === undefined || scalar === ScalarType.STRING || scalar === ScalarType.BYTES
    ? LENGTH_DELIMITED
    : VARINT;
}

function isSupportedField(field: DescField): boolean {
  if (field.number > HIGHEST_NUMBER || !field.utf8Validation) return false;
  if (field.scalar !== undefined && !isKnownScalar(field.scalar)) return false;
  if (field.enum?.open === false) return false;
  if ('longAsString' in field && field.longAsString) return false;
  if ('delimitedEncoding' in field && field.delimitedEncoding) return false;
  return field.fieldKind !== 'map' || field.mapKey === ScalarType.STRING;
}

function isKnownScalar(scalar: ScalarType): scalar is KnownScalar {
  switch (scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
    case ScalarType.BOOL:
    case ScalarType.INT32:
    case ScalarType.UINT32:
    case ScalarType.INT64:
    case ScalarType.SINT64:
      return true;
    default:
      return false;
  }
}
