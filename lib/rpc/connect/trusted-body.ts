/** The body of a command as its caller wrote it: what decoding would round or drop in silence is refused before. */
import { gunzipSync } from 'node:zlib';
import type { DescMessage } from '@bufbuild/protobuf';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { type CallError, fail } from '../errors.js';
import { untrustedNumber } from './json-numbers.js';
import { COMMANDS, holdsProtoKey, holdsProtoKeyInJson, swallowedKey } from '../proto-key.js';

/** What is known of a body before it is read. */
export interface BodyHead {
  readonly contentType: string;
  readonly contentEncoding: string;
}

/** The body to go on with, or why not. */
export type TrustedBody =
  | { readonly body: AsyncIterable<Uint8Array>; readonly failure?: undefined }
  | { readonly failure: CallError };

/** Reads and checks the body of a command; that of a query, and what is too large anyway, passes unread. */
export async function trustedBody(
  schema: DescMessage,
  head: BodyHead,
  body: AsyncIterable<Uint8Array>,
  max_bytes: number,
): Promise<TrustedBody> {
  if (!schema.typeName.startsWith(COMMANDS)) return { body };
  const iterator = body[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  let size_bytes = 0;
  let isWhole = false;
  while (size_bytes <= max_bytes && !isWhole) {
    const next = await iterator.next();
    if (next.done === true) {
      isWhole = true;
    } else {
      chunks.push(next.value);
      size_bytes += next.value.length;
    }
  }
  const rest: AsyncIterable<Uint8Array> = { [Symbol.asyncIterator]: () => iterator };
  if (!isWhole) return { body: joined(chunks, rest) };
  const failure = problemIn(schema, head, Buffer.concat(chunks), max_bytes);
  return failure === undefined ? { body: joined(chunks, rest) } : { failure };
}

function problemIn(
  schema: DescMessage,
  { contentType, contentEncoding }: BodyHead,
  sent: Buffer,
  max_bytes: number,
): CallError | undefined {
  const bytes = contentEncoding === 'gzip' ? unzipped(sent, max_bytes) : sent;
  // What cannot be unzipped, or parsed, the library refuses by itself.
  if (bytes === undefined) return undefined;
  if (!contentType.includes('json')) return holdsProtoKey(bytes) ? swallowedKey() : undefined;
  const text = bytes.toString();
  if (holdsProtoKeyInJson(text)) return swallowedKey();
  const path = untrustedNumber(schema, parsed(text));
  if (path === undefined) return undefined;
  const description = 'is not a decimal number within what JSON can carry; send it as a string of digits';
  return fail(ErrorReason.MALFORMED_MESSAGE, `${path}: ${description}`, {
    fields: [{ field: path, description }],
  });
}

function unzipped(bytes: Buffer, max_bytes: number): Buffer | undefined {
  try {
    return gunzipSync(bytes, { maxOutputLength: max_bytes });
  } catch {
    return undefined;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function* joined(
  chunks: readonly Uint8Array[],
  rest: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* chunks;
  yield* rest;
}
