/**
 * One call through connect-es. connectNodeAdapter is three steps: a request of Node becomes a universal one, the handler of
 * the method answers it, and the answer is written. The first is ours, since the door reads the messages itself (see
 * requests.ts), and so is the catching of errors, which the adapter writes to the console when a caller leaves.
 */
import { createContextValues } from '@connectrpc/connect';
import { universalResponseToNodeResponse } from '@connectrpc/connect-node';
import type { UniversalServerRequest } from '@connectrpc/connect/protocol';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import type { CallOrigin, Chain, Decoded } from '../chain.js';
import { CallError, fail } from '../errors.js';
import type { Method } from '../service.js';
import { type Arrival, arrivalKey, failedArrival, fits, type Route } from './calls.js';
import { withETag } from './etag.js';
import { type Form, formOf, timeoutOf, withoutMessage } from './form.js';
import { answerError, bodyOf, discard, refuse, urlOf } from './refusals.js';
import { type Incoming, messagesOf, onlyMessage } from './requests.js';
import { closeAfter, type WebRequest, type WebResponse } from './web-port.js';

export interface ServedCall {
  readonly chain: Chain;
  /** Aborts, with a CallError, when the server shuts down. */
  readonly leaving: AbortSignal;
  readonly route: Route;
  readonly request: WebRequest;
  readonly response: WebResponse;
}

/** A reader that takes nothing for this long is gone. */
const WRITE_TIMEOUT_MS = 120_000;

/** Answers the call. Resolves when the answer is on its way, if it does. @throws what the library throws when the caller leaves */
export async function serveCall(call: ServedCall): Promise<void> {
  const { leaving, route, request, response } = call;
  const url = urlOf(request);
  const form = formOf(request.method ?? '', url, request.headers['content-type']);
  const caller = new AbortController();
  const leave = () => {
    // With a reason: without one Node makes a DOMException, stack and all.
    caller.abort(null);
  };
  if (route.method.kind === 'server_streaming') {
    leaving.addEventListener('abort', leave, { once: true });
  }
  response.once('close', () => {
    leave();
    leaving.removeEventListener('abort', leave);
  });
  const universal: UniversalServerRequest = {
    httpVersion: request.httpVersion,
    method: request.method ?? '',
    url: url.toString(),
    header: headersOf(request),
    body: null,
    signal: caller.signal,
  };
  const refusal = refusalOf(call, form);
  if (form === undefined || refusal !== undefined) {
    await answerRefusal(call, refusal ?? unsupportedType(call), originOf(call, universal, undefined, false));
    return;
  }
  const timeout_ms = timeoutOf(form, universal.header);
  const isTimed = typeof timeout_ms === 'number';
  const origin = originOf(call, universal, isTimed ? timeout_ms : undefined, form.isJson);
  const arrival =
    timeout_ms instanceof CallError
      ? failedArrival(timeout_ms, origin, form.isJson)
      : arrivalOf(call, { form, universal, origin });
  const answered = await route.handler(await emptied(universal, form, arrival));
  const answer =
    universal.method === 'GET' ? await withETag(answered, universal.header.get('If-None-Match')) : answered;
  destroyIfStuck(response);
  await universalResponseToNodeResponse(answer, response);
}

function headersOf({ headers }: WebRequest): Headers {
  const header = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    // HTTP/2 carries the method and the path among the headers.
    if (value === undefined || name.startsWith(':')) continue;
    for (const each of Array.isArray(value) ? value : [value]) header.append(name, each);
  }
  return header;
}

function originOf(
  { route: { method }, request }: ServedCall,
  { header, signal }: UniversalServerRequest,
  timeout_ms: number | undefined,
  isJson: boolean,
): CallOrigin {
  const { remoteAddress, remotePort } = request.socket;
  return {
    deadline_ms: timeout_ms === undefined ? undefined : Date.now() + timeout_ms,
    signal,
    traceparent: header.get('traceparent') ?? undefined,
    connection: remoteAddress === undefined ? undefined : `${remoteAddress}:${String(remotePort)}`,
    isJson,
    authorization: () => request.headers.authorization,
    fits: (answer) => fits(method.desc, isJson, answer),
  };
}

/** The messages of the call, read and decoded when they are asked for. */
function arrivalOf(
  { route: { method }, request, response }: ServedCall,
  about: { readonly form: Form; readonly universal: UniversalServerRequest; readonly origin: CallOrigin },
): Arrival {
  const { form, universal, origin } = about;
  const incoming: Incoming = {
    method,
    form,
    header: universal.header,
    query: universal.method === 'GET' ? new URL(universal.url).searchParams : undefined,
    body: bodyOf(request),
  };
  let only: Promise<Decoded> | undefined;
  const readOnly = async (): Promise<Decoded> => {
    const message = await onlyMessage(incoming);
    if (message instanceof CallError) await discard(request, response);
    return message;
  };
  return {
    origin,
    isJson: form.isJson,
    only: () => (only ??= readOnly()),
    all: () => messagesOf(incoming),
  };
}

/** The call as connect-es sees it: its message is empty, since the door reads the caller's. */
async function emptied(
  universal: UniversalServerRequest,
  form: Form,
  arrival: Arrival,
): Promise<UniversalServerRequest> {
  const call = withoutMessage(universal, form);
  call.contextValues = createContextValues().set(arrivalKey, arrival);
  // A call by GET has no body and stays what it is for interceptors; only a bad one becomes another.
  if (universal.method === 'GET' && !((await arrival.only()) instanceof CallError)) call.method = 'GET';
  return call;
}

/** Ends the connection of a reader that takes nothing any more: connect-es would wait for it for ever. */
function destroyIfStuck(response: WebResponse): void {
  response.setTimeout(WRITE_TIMEOUT_MS, () => {
    const stream = 'stream' in response ? response.stream : response;
    if (stream.writableNeedDrain) response.destroy();
  });
}

// --- Refusals --------------------------------------------------------------------------------------------------------

/** An error, and the HTTP status if it is not the one of the error's code. */
interface Refusal {
  readonly failure: CallError;
  readonly status: number;
}

/** Why connect-es would answer without a body, if it would: another HTTP method, version or content type. */
function refusalOf({ route, request, response }: ServedCall, form: Form | undefined): Refusal | undefined {
  const { method, handler } = route;
  const httpMethod = request.method ?? '';
  if (!handler.allowedMethods.includes(httpMethod)) {
    const allowed = handler.allowedMethods.toSorted().join(', ');
    response.setHeader('Allow', allowed);
    const message = `${method.name} is called by ${allowed.replace(', ', ' or ')}`;
    return { failure: fail(ErrorReason.UNKNOWN_METHOD, message), status: 405 };
  }
  if (httpMethod === 'GET') {
    if (form !== undefined && method.kind === 'unary') return undefined;
    const message = 'a call by GET says encoding=json or encoding=proto in its query';
    return { failure: fail(ErrorReason.MALFORMED_MESSAGE, message), status: 415 };
  }
  if (method.kind === 'bidi_streaming' && request.httpVersionMajor === 1) {
    const message = `${method.name} streams both ways, which HTTP/1.1 cannot: call it over HTTP/2, or at the gRPC port`;
    return { failure: fail(ErrorReason.UNKNOWN_METHOD, message), status: 505 };
  }
  const isSupported = form !== undefined && handler.supportedContentType(form.contentType);
  return isSupported ? undefined : unsupportedType({ route, response });
}

function unsupportedType({ route: { method }, response }: Pick<ServedCall, 'route' | 'response'>): Refusal {
  const own = method.kind === 'unary' ? 'application/' : 'application/connect+';
  const types = `${own}json, ${own}proto, application/grpc, application/grpc-web`;
  response.setHeader('Accept-Post', types);
  const message = `${method.name} takes one of the content types ${types}`;
  return { failure: fail(ErrorReason.MALFORMED_MESSAGE, message), status: 415 };
}

async function answerRefusal(call: ServedCall, refusal: Refusal, origin: CallOrigin): Promise<void> {
  const { route, request, response, chain } = call;
  const failure = await recorded(chain, route.method, refusal.failure, origin);
  if (route.method.kind === 'bidi_streaming') {
    // Its caller sends for as long as it likes.
    closeAfter(response);
    await answerError(request, response, failure, refusal.status);
  } else {
    await refuse(request, response, failure, refusal.status);
  }
}

/** Shows the chain a call that never reaches a method, for its figures and its log. */
async function recorded(
  chain: Chain,
  method: Method,
  failure: CallError,
  origin: CallOrigin,
): Promise<CallError> {
  try {
    if (method.kind === 'unary') await chain.unary(method, failure, origin);
    if (method.kind === 'server_streaming') {
      await chain.serverStream(method, failure, origin)[Symbol.asyncIterator]().next();
    }
  } catch (error) {
    if (error instanceof CallError) return error;
  }
  return failure;
}
