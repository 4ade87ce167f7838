/**
 * Messages as proto3 JSON with sorted keys: one text, for a message of any store. A message type is compiled once, since
 * the library's reflection took a seventh of all that VerifyLedger does.
 */
import {
  type DescEnum,
  type DescField,
  type DescMessage,
  isFieldSet,
  type MessageShape,
  ScalarType,
} from '@bufbuild/protobuf';
import { type Timestamp, TimestampSchema } from '@bufbuild/protobuf/wkt';

/** Writes a value that is set. */
type Write = (value: unknown) => string;

interface CompiledField {
  readonly field: DescField;
  readonly write: Write;
  /** `"name":` */
  readonly prefix: string;
}

const compiled = new WeakMap<DescMessage, readonly CompiledField[]>();

/** @throws Error for a type with a kind of field that no row has: bytes, floats, maps but of strings */
export function canonicalJson<D extends DescMessage>(schema: D, message: MessageShape<D>): string {
  const members: string[] = [];
  for (const { field, write, prefix } of fieldsOf(schema)) {
    if (isFieldSet(message, field)) members.push(prefix + write(valueOf(message, field)));
  }
  // Joined, the text is one piece of memory; a text that was added up keeps every part, several times as much.
  return `{${members.join(',')}}`;
}

function fieldsOf(schema: DescMessage): readonly CompiledField[] {
  const known = compiled.get(schema);
  if (known !== undefined) return known;
  const fields = [...schema.fields]
    .sort((one, other) => (one.jsonName < other.jsonName ? -1 : 1))
    .map((field) => ({ field, write: writeOf(field), prefix: `${JSON.stringify(field.jsonName)}:` }));
  compiled.set(schema, fields);
  return fields;
}

function valueOf(message: object, { oneof, localName }: DescField): unknown {
  if (oneof === undefined) return Reflect.get(message, localName);
  const member: unknown = Reflect.get(message, oneof.localName);
  return typeof member === 'object' && member !== null ? Reflect.get(member, 'value') : undefined;
}

function writeOf(field: DescField): Write {
  switch (field.fieldKind) {
    case 'scalar':
      return scalarWrite(field, field.scalar);
    case 'enum':
      return enumWrite(field.enum);
    case 'message':
      return messageWrite(field.message);
    case 'list':
      return listWrite(field, itemWrite(field));
    case 'map':
      if (field.mapKey !== ScalarType.STRING || field.scalar !== ScalarType.STRING) throw unexpected(field);
      return mapText;
  }
}

function itemWrite(field: DescField & { fieldKind: 'list' }): Write {
  switch (field.listKind) {
    case 'scalar':
      return scalarWrite(field, field.scalar);
    case 'enum':
      return enumWrite(field.enum);
    case 'message':
      return messageWrite(field.message);
  }
}

function scalarWrite(field: DescField, scalar: ScalarType): Write {
  switch (scalar) {
    case ScalarType.STRING:
      return (value) => JSON.stringify(value);
    case ScalarType.BOOL:
    case ScalarType.INT32:
    case ScalarType.UINT32:
      return String;
    case ScalarType.INT64:
    case ScalarType.UINT64:
      return (value) => `"${String(value)}"`;
    default:
      throw unexpected(field);
  }
}

function enumWrite({ values }: DescEnum): Write {
  const names = new Map<unknown, string>();
  // Of names for one number the first is written.
  for (const { number, name } of values) if (!names.has(number)) names.set(number, JSON.stringify(name));
  return (value) => names.get(value) ?? String(value);
}

function messageWrite(schema: DescMessage): Write {
  if (schema.typeName === TimestampSchema.typeName) {
    return (value) => (isTimestamp(value) ? timestampText(value) : 'null');
  }
  return (value) => (isMessage(value) ? canonicalJson(schema, value) : 'null');
}

function listWrite(field: DescField, write: Write): Write {
  return (value) => {
    if (!Array.isArray(value)) throw unexpected(field);
    return `[${value.map(write).join(',')}]`;
  };
}

/** A map of strings. Its keys are in the order that an object made of them sorted has: whole numbers come first. */
function mapText(value: unknown): string {
  const entries = Object.entries(value ?? {}).sort(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify(Object.fromEntries(entries));
}

function timestampText({ seconds, nanos }: Timestamp): string {
  const whole = new Date(Number(seconds) * 1_000).toISOString().slice(0, 'YYYY-MM-DDTHH:MM:SS'.length);
  if (nanos === 0) return `"${whole}Z"`;
  const digits = String(nanos).padStart(9, '0');
  const short = digits.endsWith('000000') ? 3 : digits.endsWith('000') ? 6 : 9;
  return `"${whole}.${digits.slice(0, short)}Z"`;
}

function isMessage(value: unknown): value is MessageShape<DescMessage> {
  return typeof value === 'object' && value !== null && '$typeName' in value;
}

function isTimestamp(value: unknown): value is Timestamp {
  return isMessage(value) && value.$typeName === TimestampSchema.typeName;
}

function unexpected(field: DescField): Error {
  return new Error(`${String(field)} has no canonical form`);
}
