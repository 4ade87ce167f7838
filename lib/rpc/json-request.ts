/**
 * Requests in proto3 JSON, read strictly. The library alone would book another amount, day, text or key than the caller
 * wrote: JSON.parse rounds numbers beyond 2^53, BigInt reads `0x10`, Date reads 31 February as 3 March, and where unknown
 * fields are ignored so are the names of enums. Its errors name neither the field nor the reason of most faults.
 */
import {
  type DescEnum,
  type DescField,
  type DescMessage,
  fromJson,
  fromJsonString,
  type JsonValue,
  ScalarType,
} from '@bufbuild/protobuf';
import { EmptySchema } from '@bufbuild/protobuf/wkt';
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import type { Decoded } from './chain.js';
import { MESSAGE_MAX_BYTES, tooLarge, utf8Text } from './decode.js';
import { CallError, fail } from './errors.js';
import { COMMANDS, PROTO_KEY, swallowedKey } from './proto-key.js';
import { timestampProblem } from './json-time.js';

/** Names that a caller made up are shown up to here. */
const SHOWN_MAX_CHARS = 100;

/** The message that the bytes are in JSON, or the error that answers them. */
export function decodeJson(schema: DescMessage, bytes: Uint8Array): Decoded {
  if (bytes.length > MESSAGE_MAX_BYTES) return tooLarge('the request');
  const text = utf8Text(bytes);
  if (text instanceof CallError) return text;
  let json: JsonValue;
  try {
    json = JSON.parse(text) as JsonValue;
  } catch (cause) {
    return fail(ErrorReason.MALFORMED_MESSAGE, 'the body is not JSON', { cause });
  }
  if (!isObject(json)) return fail(ErrorReason.MALFORMED_MESSAGE, 'the body is not a JSON object');
  const ignoreUnknownFields = !schema.typeName.startsWith(COMMANDS);
  const problem =
    keyGivenTwice(text) ?? problemInMessage(schema, json, { path: '', isStrict: !ignoreUnknownFields });
  if (problem !== undefined) return problem;
  try {
    return fromJson(schema, json, { ignoreUnknownFields });
  } catch (cause) {
    // The checks above should have found it; what the library says goes no further than here, since it quotes values.
    return fail(ErrorReason.MALFORMED_MESSAGE, `the request is not a ${schema.typeName}`, { cause });
  }
}

/** JSON.parse takes the last of two values in silence. Only the library's reader of text looks, so it reads as nothing. */
function keyGivenTwice(text: string): CallError | undefined {
  try {
    fromJsonString(EmptySchema, text, { ignoreUnknownFields: true });
    return undefined;
  } catch (cause) {
    const key = /duplicate object key "(.*)"$/s.exec(cause instanceof Error ? cause.message : '')?.[1];
    const message = key === undefined ? 'the body is not JSON' : `the key ${shown(key)} is given twice`;
    return fail(ErrorReason.MALFORMED_MESSAGE, message, { cause });
  }
}

type JsonObject = Record<string, JsonValue>;

/** Where a value stands, and whether it belongs to a command. */
interface Place {
  readonly path: string;
  readonly isStrict: boolean;
}

function isObject(json: JsonValue): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

function problemInMessage(schema: DescMessage, json: JsonValue, place: Place): CallError | undefined {
  if (schema.typeName === 'google.protobuf.Timestamp') return timestampProblem(json, place.path);
  // The other types with a JSON form of their own are the library's to read.
  if (schema.typeName.startsWith('google.protobuf.')) return undefined;
  if (!isObject(json)) return malformed(place.path, 'is not a JSON object');
  const fields = fieldsOf(schema);
  const given = new Map<unknown, string>();
  for (const [key, value] of Object.entries(json)) {
    const field = fields.get(key);
    const at = { path: join(place.path, field?.name ?? shown(key)), isStrict: place.isStrict };
    if (field === undefined) {
      if (place.isStrict) return unknownField(at.path, schema);
      continue;
    }
    for (const thing of [field, field.oneof]) {
      if (thing === undefined || (thing === field.oneof && value === null)) continue;
      const earlier = given.get(thing);
      if (earlier !== undefined) {
        const what =
          thing === field ? 'are the same field' : `are one of ${thing.name}: only one may be given`;
        return malformed(at.path, `${earlier} and ${key} ${what}`);
      }
      given.set(thing, key);
    }
    if (field.message?.typeName === 'google.protobuf.FieldMask' && typeof value === 'string') {
      json[key] = camelPaths(value);
    }
    const problem = value === null ? undefined : problemInField(field, value, at);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function problemInField(field: DescField, value: JsonValue, place: Place): CallError | undefined {
  switch (field.fieldKind) {
    case 'list':
      if (!Array.isArray(value)) return malformed(place.path, 'is not a JSON array');
      for (const [index, item] of value.entries()) {
        const path = `${place.path}[${String(index)}]`;
        const problem = problemInItem(field, item, { path, isStrict: place.isStrict });
        if (problem !== undefined) return problem;
      }
      return undefined;
    case 'map':
      if (!isObject(value)) return malformed(place.path, 'is not a JSON object');
      for (const [key, item] of Object.entries(value)) {
        if (key === PROTO_KEY) return swallowedKey(place.path);
        const path = `${place.path}[${JSON.stringify(shown(key))}]`;
        const problem = isWhole(key)
          ? problemInItem(field, item, { path, isStrict: place.isStrict })
          : malformed(path, HALF_A_CHARACTER);
        if (problem !== undefined) return problem;
      }
      return undefined;
    default:
      return problemInItem(field, value, place);
  }
}

function problemInItem(field: DescField, value: JsonValue, place: Place): CallError | undefined {
  if (value === null) return malformed(place.path, 'is null');
  if (field.message !== undefined) {
    if (field.message.typeName !== 'google.protobuf.FieldMask') {
      return problemInMessage(field.message, value, place);
    }
    const isMask = typeof value === 'string' && MASK.test(value);
    return isMask ? undefined : malformed(place.path, 'is not a text of field names, separated by commas');
  }
  if (field.enum !== undefined) return enumProblem(field.enum, value, place.path);
  const description = scalarFault(field.scalar, value);
  return description === undefined ? undefined : malformed(place.path, description);
}

/** A number that the enum does not have is the rules' to refuse, as it is in binary. */
function enumProblem(desc: DescEnum, value: JsonValue, path: string): CallError | undefined {
  if (typeof value === 'number' && Number.isInteger(value)) return undefined;
  if (typeof value !== 'string') return malformed(path, 'is not the name of an enum value');
  if (desc.values.some(({ name }) => name === value)) return undefined;
  const description = `must be one of ${desc.values.map(({ name }) => name).join(', ')}`;
  return fail(ErrorReason.INVALID_FIELD, `${path}: ${description}`, {
    fields: [{ field: path, description, rule: 'enum.defined_only' }],
  });
}

const DECIMAL = /^-?(0|[1-9]\d*)$/;
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;
const MASK = /^([A-Za-z_][\w.]*(,[A-Za-z_][\w.]*)*)?$/;
const UNTRUSTED_NUMBER = 'is not a decimal number within what JSON can carry; send it as a string of digits';
const HALF_A_CHARACTER = 'holds half a character (a lone surrogate)';

/** What is wrong with a value, as a sentence without its subject; the value itself is not repeated. */
function scalarFault(type: ScalarType, value: JsonValue): string | undefined {
  switch (type) {
    case ScalarType.STRING:
      if (typeof value !== 'string') return 'is not a text';
      return isWhole(value) ? undefined : HALF_A_CHARACTER;
    case ScalarType.BOOL:
      return typeof value === 'boolean' ? undefined : 'is neither true nor false';
    case ScalarType.BYTES:
      return typeof value === 'string' && BASE64.test(value) ? undefined : 'is not base64';
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return wholeFault(value, -(2n ** 63n), 2n ** 63n - 1n);
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return wholeFault(value, 0n, 2n ** 64n - 1n);
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return wholeFault(value, -(2n ** 31n), 2n ** 31n - 1n);
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return wholeFault(value, 0n, 2n ** 32n - 1n);
    default:
      return typeof value === 'number' || typeof value === 'string' ? undefined : 'is not a number';
  }
}

function wholeFault(value: JsonValue, least: bigint, most: bigint): string | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') return 'is not a number';
  if (typeof value === 'number' ? !Number.isSafeInteger(value) : !DECIMAL.test(value))
    return UNTRUSTED_NUMBER;
  const whole = BigInt(value);
  return whole < least || whole > most ? 'is larger or smaller than its type can hold' : undefined;
}

/** Whether each surrogate of the text has its other half. */
function isWhole(text: string): boolean {
  return text.isWellFormed();
}

/** A mask in the spelling that the library reads; callers may write the names of fields as the contracts have them. */
function camelPaths(mask: string): string {
  return mask.replaceAll(/(?<=[A-Za-z0-9])_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

const fieldsBySchema = new WeakMap<DescMessage, ReadonlyMap<string, DescField>>();

/** The fields under both of their names. */
function fieldsOf(schema: DescMessage): ReadonlyMap<string, DescField> {
  let fields = fieldsBySchema.get(schema);
  if (fields === undefined) {
    fields = new Map(
      schema.fields.flatMap((field): [string, DescField][] => [
        [field.name, field],
        [field.jsonName, field],
      ]),
    );
    fieldsBySchema.set(schema, fields);
  }
  return fields;
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function shown(name: string): string {
  return name.length > SHOWN_MAX_CHARS ? `${name.slice(0, SHOWN_MAX_CHARS)}…` : name;
}

function malformed(path: string, description: string): CallError {
  return fail(ErrorReason.MALFORMED_MESSAGE, `${path}: ${description}`, {
    fields: [{ field: path, description }],
  });
}

function unknownField(path: string, schema: DescMessage): CallError {
  const description = `is not a field of ${schema.typeName}`;
  const message = `unknown field ${path}: commands are refused rather than half understood`;
  return fail(ErrorReason.UNKNOWN_FIELD, message, { fields: [{ field: path, description }] });
}
