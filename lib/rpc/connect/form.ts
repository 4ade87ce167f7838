/** In which form a call came: its protocol, its encoding, and the headers that its protocol has for the same things. */
import type { UniversalServerRequest } from '@connectrpc/connect/protocol';
import {
  headerStreamEncoding,
  headerTimeout as headerConnectTimeout,
  headerUnaryEncoding,
  parseContentType as parseConnect,
  parseTimeout as parseConnectTimeout,
} from '@connectrpc/connect/protocol-connect';
import {
  headerEncoding as headerGrpcEncoding,
  headerTimeout as headerGrpcTimeout,
  parseContentType as parseGrpc,
  parseTimeout as parseGrpcTimeout,
} from '@connectrpc/connect/protocol-grpc';
import { parseContentType as parseGrpcWeb } from '@connectrpc/connect/protocol-grpc-web';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { type CallError, fail } from '../errors.js';

/** The form of one call. */
export interface Form {
  readonly protocol: 'connect' | 'grpc';
  readonly isJson: boolean;
  /** Whether each message stands in an envelope of five bytes; without one the body is the message. */
  readonly isEnveloped: boolean;
  readonly contentType: string;
  /** The header that names the compression of the request. */
  readonly encodingHeader: string;
}

/** The form of a call; undefined if it is none that this door knows. */
export function formOf(httpMethod: string, url: URL, contentType: string | undefined): Form | undefined {
  if (httpMethod === 'GET') return getForm(url);
  const type = contentType ?? '';
  const connect = parseConnect(type);
  if (connect !== undefined) {
    return {
      protocol: 'connect',
      isJson: !connect.binary,
      isEnveloped: connect.stream,
      contentType: type,
      encodingHeader: connect.stream ? headerStreamEncoding : headerUnaryEncoding,
    };
  }
  const web = parseGrpcWeb(type);
  const grpc = parseGrpc(type) ?? (web?.text === false ? web : undefined);
  return grpc === undefined
    ? undefined
    : {
        protocol: 'grpc',
        isJson: !grpc.binary,
        isEnveloped: true,
        contentType: type,
        encodingHeader: headerGrpcEncoding,
      };
}

/** A call by GET carries all in its query. */
function getForm({ searchParams }: URL): Form | undefined {
  const encoding = searchParams.get('encoding');
  if (encoding !== 'json' && encoding !== 'proto') return undefined;
  return {
    protocol: 'connect',
    isJson: encoding === 'json',
    isEnveloped: false,
    contentType: `application/${encoding}`,
    encodingHeader: headerUnaryEncoding,
  };
}

/** When the caller wants its answer, in milliseconds from now; undefined if it does not say. */
export function timeoutOf({ protocol }: Form, header: Headers): number | CallError | undefined {
  const { timeoutMs, error } =
    protocol === 'connect'
      ? parseConnectTimeout(header.get(headerConnectTimeout), Number.MAX_SAFE_INTEGER)
      : parseGrpcTimeout(header.get(headerGrpcTimeout), Number.MAX_SAFE_INTEGER);
  if (error === undefined) return timeoutMs;
  return fail(
    ErrorReason.MALFORMED_MESSAGE,
    'the timeout of the call is not a number as its protocol has it',
  );
}

const NOTHING_IN_JSON = Buffer.from('{}');
const NOTHING = new Uint8Array(0);
const ENVELOPE_HEAD_BYTES = 5;

/**
 * The same call with an empty message, no compression and no timeout. connect-es decodes that one; the door has decoded
 * the caller's, and passes it by the context.
 */
export function withoutMessage(
  request: UniversalServerRequest,
  { isJson, isEnveloped, contentType, encodingHeader }: Form,
): UniversalServerRequest {
  const header = new Headers(request.header);
  for (const name of [encodingHeader, headerConnectTimeout, headerGrpcTimeout, 'Content-Length']) {
    header.delete(name);
  }
  header.set('Content-Type', contentType);
  const message = isJson ? NOTHING_IN_JSON : NOTHING;
  return {
    ...request,
    method: 'POST',
    header,
    body: oneChunk(isEnveloped ? inEnvelope(message) : message),
  };
}

function inEnvelope(message: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(ENVELOPE_HEAD_BYTES + message.length);
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, ENVELOPE_HEAD_BYTES);
  return bytes;
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
