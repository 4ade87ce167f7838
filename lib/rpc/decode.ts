/** From bytes to a request, for both doors. A request that cannot be decoded becomes the error that says why. */
import { Buffer } from 'node:buffer';
import type { DescMessage } from '@bufbuild/protobuf';
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import { decodeMessage } from '../base/codec/binary.js';
import type { Decoded } from './chain.js';
import { type CallError, fail } from './errors.js';
import { COMMANDS, mapWithProtoKey, swallowedKey } from './proto-key.js';

/** Messages in and out are at most this large. */
export const MESSAGE_MAX_BYTES = 4 * 1024 * 1024;

/** The message, or the error that answers it. The library's own text goes no further than the log: it quotes amounts. */
export function decodeBinary(schema: DescMessage, bytes: Uint8Array): Decoded {
  if (bytes.length > MESSAGE_MAX_BYTES) return tooLarge('the request');
  if (schema.typeName.startsWith(COMMANDS)) {
    const path = mapWithProtoKey(schema, bytes);
    if (path !== undefined) return swallowedKey(path);
  }
  try {
    return decodeMessage(schema, bytes);
  } catch (cause) {
    return fail(ErrorReason.MALFORMED_MESSAGE, `the bytes are not a ${schema.typeName}`, { cause });
  }
}

/** MESSAGE_TOO_LARGE. `what` is the request or the answer. */
export function tooLarge(what: string): CallError {
  return fail(ErrorReason.MESSAGE_TOO_LARGE, `${what} is larger than ${String(MESSAGE_MAX_BYTES)} bytes`);
}

/** UNSUPPORTED_ENCODING, with the encodings that the door knows. */
export function unsupportedEncoding(known: readonly string[]): CallError {
  const message = `the message is compressed in an unknown way; this server knows ${known.join(', ')}`;
  return fail(ErrorReason.UNSUPPORTED_ENCODING, message);
}

/** WRONG_MESSAGE_COUNT. */
export function wrongMessageCount(method: string): CallError {
  return fail(ErrorReason.WRONG_MESSAGE_COUNT, `${method} takes exactly one message`);
}

/** The bytes as text, or the error: bytes that are not UTF-8 would become U+FFFD, another text than the caller's. */
export function utf8Text(bytes: Uint8Array): string | CallError {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    return strictUtf8.decode(buffer);
  } catch (cause) {
    return fail(ErrorReason.MALFORMED_MESSAGE, 'the body is not UTF-8', { cause });
  }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });
