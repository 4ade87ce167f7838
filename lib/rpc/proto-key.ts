/** A map key that JavaScript's objects swallow: maps are plain objects, and an assignment to `__proto__` is no entry. */
import { Buffer } from 'node:buffer';
import type { DescField, DescMessage } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import { type CallError, fail } from './errors.js';

/** The messages in which nothing may be dropped in silence. */
export const COMMANDS = 'quittance.command.';

export const PROTO_KEY = '__proto__';

/**
 * The path of a map in these bytes that has an entry under `__proto__`, which decoding would drop in silence; undefined
 * if there is none. Bytes that are no message have none: decoding refuses them.
 */
export function mapWithProtoKey(schema: DescMessage, bytes: Uint8Array): string | undefined {
  // The wire has many spellings for tags and lengths, and one for the key itself: few messages pass this test.
  if (!Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(PROTO_KEY)) return undefined;
  try {
    const reader = new BinaryReader(bytes);
    return mapIn(schema, reader, reader.len, '');
  } catch {
    return undefined;
  }
}

function mapIn(schema: DescMessage, reader: BinaryReader, end: number, path: string): string | undefined {
  while (reader.pos < end) {
    const [number, wireType] = reader.tag();
    const field = schema.fields.find((each) => each.number === number);
    if (field === undefined || wireType !== WireType.LengthDelimited) {
      reader.skip(wireType, number);
      continue;
    }
    const found = mapInField(field, reader, `${path}${field.name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function mapInField(field: DescField, reader: BinaryReader, path: string): string | undefined {
  const end = reader.uint32() + reader.pos;
  let found: string | undefined;
  if (field.fieldKind === 'map') found = keyIn(field, reader, end, path);
  else if (field.message !== undefined) found = mapIn(field.message, reader, end, `${path}.`);
  reader.pos = end;
  return found;
}

/** Looks at one entry of a map. */
function keyIn(
  field: DescField & { fieldKind: 'map' },
  reader: BinaryReader,
  end: number,
  path: string,
): string | undefined {
  let found: string | undefined;
  while (reader.pos < end && found === undefined) {
    const [number, wireType] = reader.tag();
    if (number === 1 && wireType === WireType.LengthDelimited) {
      if (Buffer.from(reader.bytes()).toString() === PROTO_KEY) found = path;
    } else if (number === 2 && wireType === WireType.LengthDelimited && field.message !== undefined) {
      const valueEnd = reader.uint32() + reader.pos;
      found = mapIn(field.message, reader, valueEnd, `${path}.`);
      reader.pos = valueEnd;
    } else {
      reader.skip(wireType, number);
    }
  }
  return found;
}

/** INVALID_FIELD: the entry would be lost. */
export function swallowedKey(path: string): CallError {
  const description = `the key ${PROTO_KEY} cannot be stored`;
  return fail(ErrorReason.INVALID_FIELD, `${path}: ${description}`, {
    fields: [{ field: path, description }],
  });
}
