/**
 * The messages of a request, decoded by us and not by connect-es. It decodes before any interceptor runs, and what it
 * finds wrong there it answers by itself: INTERNAL for bytes that are no message, texts that quote amounts, no
 * ErrorInfo, nothing counted and nothing logged. It reads JSON less strictly than money needs (see json-request.ts). Its
 * parts for compression and envelopes are used as they are.
 */
import type { DescMessage } from '@bufbuild/protobuf';
import { base64Decode } from '@bufbuild/protobuf/wire';
import { Code, ConnectError } from '@connectrpc/connect';
import { compressionGzip } from '@connectrpc/connect-node';
import {
  compressedFlag,
  type Compression,
  type EnvelopedMessage,
  readAllBytes,
  transformSplitEnvelope,
} from '@connectrpc/connect/protocol';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import type { Decoded } from '../chain.js';
import {
  decodeBinary,
  MESSAGE_MAX_BYTES,
  tooLarge,
  unsupportedEncoding,
  wrongMessageCount,
} from '../decode.js';
import { CallError, fail } from '../errors.js';
import { decodeJson } from '../json-request.js';
import type { Method } from '../service.js';
import type { Form } from './form.js';

/** Brotli as Node has it takes seconds of processor time for a large answer. */
export const ACCEPTED_COMPRESSION: readonly Compression[] = [compressionGzip];
const KNOWN_ENCODINGS = [...ACCEPTED_COMPRESSION.map(({ name }) => name), 'identity'];

/** A request as it comes in. */
export interface Incoming {
  readonly method: Method;
  readonly form: Form;
  readonly header: Headers;
  /** The URL of a call by GET, which carries the message; undefined for all others. */
  readonly query: URLSearchParams | undefined;
  readonly body: AsyncIterable<Uint8Array>;
}

/** The one message of the request, or the error that answers it. */
export async function onlyMessage(incoming: Incoming): Promise<Decoded> {
  const { method, form } = incoming;
  if (!form.isEnveloped) return plainMessage(incoming);
  let found: Decoded | undefined;
  for await (const message of messagesOf(incoming)) {
    // What follows the message and cannot be read is no second message, and says more than a count.
    if (found !== undefined) return message instanceof CallError ? message : wrongMessageCount(method.name);
    found = message;
  }
  return found ?? wrongMessageCount(method.name);
}

/** All messages of the request. What cannot be decoded comes as the error that it is; what cannot be read ends them. */
export async function* messagesOf(incoming: Incoming): AsyncGenerator<Decoded> {
  const { method, form, header, body } = incoming;
  const compression = compressionOf(header.get(form.encodingHeader));
  if (compression instanceof CallError) {
    yield compression;
    return;
  }
  const envelopes = transformSplitEnvelope(MESSAGE_MAX_BYTES)(body)[Symbol.asyncIterator]();
  while (true) {
    let next: IteratorResult<EnvelopedMessage>;
    try {
      next = await envelopes.next();
    } catch (error) {
      yield readError(error);
      return;
    }
    if (next.done === true) return;
    yield await messageIn(next.value, method.desc.input, form, compression);
  }
}

async function messageIn(
  { flags, data }: EnvelopedMessage,
  schema: DescMessage,
  form: Form,
  compression: Compression | undefined,
): Promise<Decoded> {
  if ((flags & ~compressedFlag) !== 0) {
    return fail(ErrorReason.MALFORMED_MESSAGE, 'an envelope of the request has flags that no request has');
  }
  if ((flags & compressedFlag) === 0) return decode(schema, form, data);
  if (compression === undefined) {
    return fail(ErrorReason.MALFORMED_MESSAGE, 'a message is compressed, and no header says in which way');
  }
  return decompressed(schema, form, data, compression);
}

/** The message of a call without envelopes: the body, or what the query of a call by GET holds. */
async function plainMessage({ method, form, header, query, body }: Incoming): Promise<Decoded> {
  const named = query === undefined ? header.get(form.encodingHeader) : query.get('compression');
  const compression = compressionOf(named);
  if (compression instanceof CallError) return compression;
  let bytes: Uint8Array;
  try {
    bytes =
      query === undefined
        ? await readAllBytes(body, MESSAGE_MAX_BYTES, header.get('Content-Length'))
        : bytesOfQuery(query);
  } catch (error) {
    return readError(error);
  }
  return compression === undefined
    ? decode(method.desc.input, form, bytes)
    : decompressed(method.desc.input, form, bytes, compression);
}

function bytesOfQuery(query: URLSearchParams): Uint8Array {
  const message = query.get('message') ?? '';
  if (query.get('base64') !== '1') return Buffer.from(message);
  try {
    return base64Decode(message);
  } catch (cause) {
    throw fail(ErrorReason.MALFORMED_MESSAGE, 'the message in the query is not base64', { cause });
  }
}

async function decompressed(
  schema: DescMessage,
  form: Form,
  bytes: Uint8Array,
  compression: Compression,
): Promise<Decoded> {
  try {
    return decode(schema, form, await compression.decompress(bytes, MESSAGE_MAX_BYTES));
  } catch (cause) {
    if (cause instanceof ConnectError && cause.code === Code.ResourceExhausted)
      return tooLarge('the request');
    return fail(ErrorReason.MALFORMED_MESSAGE, 'the message does not decompress', { cause });
  }
}

function decode(schema: DescMessage, { isJson }: Form, bytes: Uint8Array): Decoded {
  return isJson ? decodeJson(schema, bytes) : decodeBinary(schema, bytes);
}

function compressionOf(name: string | null): Compression | CallError | undefined {
  if (name === null || name === '' || name === 'identity') return undefined;
  return ACCEPTED_COMPRESSION.find((each) => each.name === name) ?? unsupportedEncoding(KNOWN_ENCODINGS);
}

/** Why the request could not be read to its end. */
function readError(error: unknown): CallError {
  if (error instanceof CallError) return error;
  if (!(error instanceof ConnectError)) {
    // Node says so in many ways: the caller broke the connection off in the middle of its request.
    return fail(ErrorReason.CANCELLED, 'the caller has left', { cause: error });
  }
  if (error.code === Code.ResourceExhausted) return tooLarge('the request');
  return fail(ErrorReason.MALFORMED_MESSAGE, 'the body is shorter or longer than it says', { cause: error });
}
