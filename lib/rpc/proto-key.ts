/** A map key that JavaScript's objects swallow: maps are plain objects, and an assignment to `__proto__` is no entry. */
import { Buffer } from 'node:buffer';
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import { type CallError, fail } from './errors.js';

/** The messages in which nothing may be dropped in silence. */
export const COMMANDS = 'quittance.command.';

/** A map entry with this key in binary: field 1, nine bytes. */
const IN_BINARY = Buffer.from('\x0a\x09__proto__', 'latin1');
const IN_JSON = /"__proto__"\s*:/;

/** Whether binary bytes hold a map entry under `__proto__`, which decoding would drop in silence. */
export function holdsProtoKey(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(IN_BINARY);
}

/** The same for JSON. */
export function holdsProtoKeyInJson(text: string): boolean {
  return IN_JSON.test(text);
}

/** INVALID_FIELD: the key would be lost. */
export function swallowedKey(): CallError {
  const description = 'the key __proto__ cannot be stored';
  return fail(ErrorReason.INVALID_FIELD, `metadata: ${description}`, {
    fields: [{ field: 'metadata', description }],
  });
}
