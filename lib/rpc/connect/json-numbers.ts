/**
 * 64-bit numbers in JSON, as the caller wrote them. JSON.parse rounds a number beyond 2^53 before anyone can see it, and
 * JavaScript's BigInt reads `0x10` and ` 5`: either would book another amount than the caller meant.
 */
import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';

const DECIMAL = /^-?(0|[1-9]\d*)$/;
const WIDE: ReadonlySet<ScalarType> = new Set([
  ScalarType.INT64,
  ScalarType.UINT64,
  ScalarType.SINT64,
  ScalarType.FIXED64,
  ScalarType.SFIXED64,
]);

/** The path of the first 64-bit number that is not written as a decimal that can be trusted; undefined if there is none. */
export function untrustedNumber(schema: DescMessage, json: unknown, path = ''): string | undefined {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined;
  for (const field of schema.fields) {
    for (const name of new Set([field.jsonName, field.name])) {
      if (!Object.hasOwn(json, name)) continue;
      const found = untrustedIn(field, Reflect.get(json, name), path + field.name);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function untrustedIn(field: DescField, value: unknown, path: string): string | undefined {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      const found = untrustedIn(field, item, `${path}[${String(index)}]`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (field.message !== undefined) return untrustedNumber(field.message, value, `${path}.`);
  if (field.scalar === undefined || !WIDE.has(field.scalar)) return undefined;
  const isTrusted =
    typeof value === 'number'
      ? Number.isSafeInteger(value)
      : typeof value !== 'string' || DECIMAL.test(value);
  return isTrusted ? undefined : path;
}
