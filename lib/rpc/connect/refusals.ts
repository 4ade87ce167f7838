/** Errors for calls that reach no method, in the protocol that the caller speaks. */
import {
  Code,
  ConnectError,
  createConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
} from '@connectrpc/connect';
import { universalResponseToNodeResponse } from '@connectrpc/connect-node';
import type { UniversalHandler, UniversalServerRequest } from '@connectrpc/connect/protocol';
import { Health } from '../../../gen/grpc/health/v1/health_pb.js';
import { MESSAGE_MAX_BYTES } from '../decode.js';
import type { CallError } from '../errors.js';
import { connectError, sendPlainError } from './connect-error.js';
import { type Form, formOf, withoutMessage } from './form.js';
import { closeAfter, type WebRequest, type WebResponse } from './web-port.js';

const failureKey = createContextKey<CallError | undefined>(undefined);

function throwFailure({ values }: HandlerContext): never {
  const failure = values.get(failureKey);
  throw failure === undefined ? new ConnectError('refused', Code.Internal) : connectError(failure);
}

/** connect-es writes errors only for methods that it knows: any unary one and any stream will do. */
const handlers = createConnectRouter({ acceptCompression: [] })
  .rpc(Health.method.check, (_request, context) => throwFailure(context))
  .rpc(Health.method.watch, (_request, context) => throwFailure(context)).handlers;

function handlerFor(form: Form): UniversalHandler | undefined {
  const isStream = form.protocol === 'connect' && form.isEnveloped;
  return handlers.find(({ method }) => (method.methodKind === 'unary') !== isStream);
}

/** A refused caller may send this much more before the connection is closed on it. */
const DISCARD_MAX_BYTES = 5 * MESSAGE_MAX_BYTES;
/** A plain iterator destroys the connection when it has read enough, before we could answer. */
const KEEP_OPEN = { destroyOnReturn: false };

/** The body of a request. @throws Error if the caller breaks it off */
export async function* bodyOf(request: WebRequest): AsyncGenerator<Buffer> {
  yield* { [Symbol.asyncIterator]: () => request.iterator(KEEP_OPEN) };
  // Over HTTP/2 Node ends a body that was broken off as if it were whole, and half a message may read as another one.
  if ('stream' in request && request.aborted) throw new Error('the caller broke the request off');
}

/**
 * Takes what a caller still sends of a request that is refused: many look for no answer before they have sent all, and
 * those who do cannot use the connection again.
 */
export async function discard(request: WebRequest, response: WebResponse): Promise<void> {
  let left_bytes = DISCARD_MAX_BYTES;
  try {
    for await (const chunk of bodyOf(request)) {
      left_bytes -= chunk.length;
      if (left_bytes < 0) break;
    }
  } catch {
    // The caller has left, and nobody will read the answer.
  }
  if (!request.complete) closeAfter(response);
}

/** Answers a call with an error once all of it has been sent. */
export async function refuse(
  request: WebRequest,
  response: WebResponse,
  failure: CallError,
  status?: number,
): Promise<void> {
  await discard(request, response);
  await answerError(request, response, failure, status);
}

/**
 * Answers with an error, in the form of the call, or as JSON where the call has none.
 * @param status for an answer whose HTTP status a Connect client reads; gRPC and streams say 200 and then their error
 */
export async function answerError(
  request: WebRequest,
  response: WebResponse,
  failure: CallError,
  status?: number,
): Promise<void> {
  const url = urlOf(request);
  const form = formOf(request.method ?? '', url, request.headers['content-type']);
  const handler = form === undefined ? undefined : handlerFor(form);
  if (form === undefined || handler === undefined || !form.isEnveloped) {
    sendPlainError(response, failure, status);
    return;
  }
  const call: UniversalServerRequest = {
    httpVersion: request.httpVersion,
    method: 'POST',
    url: url.toString(),
    header: new Headers(),
    body: null,
    signal: new AbortController().signal,
    contextValues: createContextValues().set(failureKey, failure),
  };
  await universalResponseToNodeResponse(await handler(withoutMessage(call, form)), response);
}

/** The URL of a request; its path may be anything, and so may its Host header, which is not read. */
export function urlOf({ url = '' }: WebRequest): URL {
  const [path, query] = splitOnce(url, '?');
  const whole = new URL('http://door/');
  whole.pathname = path;
  whole.search = query;
  return whole;
}

function splitOnce(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + mark.length)];
}
