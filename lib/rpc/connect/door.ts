/** The door for browsers: the Connect protocol over HTTP/1.1. It decodes, hands over to the chain, and encodes. */
import { setMaxListeners } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  createRegistry,
  type DescMethod,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type JsonWriteOptions,
  type Message,
  toJsonString,
} from '@bufbuild/protobuf';
import { anyUnpack, MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import {
  Code,
  ConnectError,
  createContextKey,
  createContextValues,
  type HandlerContext,
  type MethodImplSpec,
} from '@connectrpc/connect';
import { compressionGzip } from '@connectrpc/connect-node';
import {
  compressedFlag,
  createUniversalMethodHandler,
  encodeEnvelope,
  type UniversalHandler,
  type UniversalServerResponse,
} from '@connectrpc/connect/protocol';
import {
  codeToHttpStatus,
  createHandlerFactory,
  endStreamFlag,
  endStreamFromJson,
  endStreamToJson,
  errorFromJsonBytes,
  errorToJsonBytes,
  parseContentType,
} from '@connectrpc/connect/protocol-connect';
import type { Registry } from 'prom-client';
import { file_google_rpc_error_details } from '../../../gen/google/rpc/error_details_pb.js';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import type { CallOrigin, Chain } from '../chain.js';
import { CallError, fail, toCallError, toStatus } from '../errors.js';
import { type Door, MESSAGE_MAX_BYTES } from '../grpc/door.js';
import type { Health } from '../health.js';
import { encodeMessage } from '../../base/codec/binary.js';
import type { Log } from '../../base/logging.js';
import type { BidiMethod, Method, ServerStreamMethod, Service, UnaryMethod } from '../service.js';
import { COMMANDS } from '../proto-key.js';
import { trustedBody } from './trusted-body.js';
import { TIMER_MAX_MS } from '../../base/pause.js';

/** What `openConnectDoor` takes. */
export interface ConnectDoorOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly services: readonly Service[];
  readonly chain: Chain;
  /** What /readyz answers. */
  readonly health: Pick<Health, 'isServing'>;
  /** What /metrics answers. */
  readonly registry: Registry;
  /** Origins whose pages may call, as in `https://console.example.com`; `*` stands for all, nothing for none. */
  readonly corsOrigins: readonly string[];
  readonly logger: Log;
  /** What else to serve, by exact path. */
  readonly handlers?: Readonly<Record<string, http.RequestListener>>;
}

/** A caller has this long to send its headers, and this long to send its message. */
const HEADERS_TIMEOUT_ms = 10_000;
const REQUEST_TIMEOUT_ms = 30_000;
/** Longer than the idle time of common load balancers, so that it is they who close. */
const KEEP_ALIVE_ms = 75_000;
/** A reader that takes nothing for this long is gone. */
const WRITE_TIMEOUT_ms = 120_000;
/** Names that a caller made up are shown up to here. */
const SHOWN_MAX_CHARS = 100;
const ENVELOPE_HEAD_BYTES = 5;
/** A refused caller may send this much more before the connection is closed on it. */
const DISCARD_MAX_BYTES = 4 * MESSAGE_MAX_BYTES;
/** A plain iterator destroys the connection when it has read enough, before we could answer. */
const KEEP_OPEN = { destroyOnReturn: false };

/** The types that travel in Any: without them no google.rpc.Status could be written as JSON. */
const anyTypes = createRegistry(file_google_rpc_error_details);
const WRITE_JSON: Partial<JsonWriteOptions> = { registry: anyTypes };

const ALLOWED_METHODS = 'POST, GET';
const ALLOWED_HEADERS =
  'Content-Type, Content-Encoding, Connect-Protocol-Version, Connect-Timeout-Ms, Connect-Content-Encoding, ' +
  'Connect-Accept-Encoding, Authorization, Traceparent, Tracestate, X-User-Agent';
const EXPOSED_HEADERS = 'Content-Encoding, Connect-Content-Encoding, Retry-After, Allow, Accept-Post';

type Route =
  | { readonly method: UnaryMethod | ServerStreamMethod; readonly handler: UniversalHandler }
  | { readonly method: BidiMethod };

interface State {
  readonly options: ConnectDoorOptions;
  readonly routes: ReadonlyMap<string, Route>;
  /** Calls accepted and not ended. */
  readonly calls: Set<http.ServerResponse>;
  /** Aborts, with a CallError, when the server shuts down. */
  readonly leaving: AbortController;
}

/** What the door knows of one call while the library decodes and encodes it. */
interface Running {
  readonly method: UnaryMethod | ServerStreamMethod;
  readonly origin: CallOrigin;
  /** How far the call is, as the chain sees it; a CallError: how it failed. */
  progress: 'arriving' | 'running' | 'answered' | CallError;
}

/** An error, and the HTTP status if it is not the one of the error's code. */
interface Refusal {
  readonly failure: CallError;
  readonly status?: number;
}

const runningKey = createContextKey<Running | undefined>(undefined);

/** Binds and serves. @throws Error if the port is taken */
export async function openConnectDoor(options: ConnectDoorOptions): Promise<Door> {
  const leaving = new AbortController();
  // Every open stream listens: more than ten is no leak.
  setMaxListeners(0, leaving.signal);
  const state: State = { options, routes: routesOf(options, leaving.signal), calls: new Set(), leaving };
  const server = http.createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_ms,
      requestTimeout: REQUEST_TIMEOUT_ms,
      keepAliveTimeout: KEEP_ALIVE_ms,
      // How often Node looks for callers past the limits above.
      connectionsCheckingInterval: 5_000,
    },
    (request, response) => {
      serve(state, request, response).catch((error: unknown) => {
        giveUp(state, response, error);
      });
    },
  );
  const port = await listen(server, options);
  return {
    port,
    drain: () => drain(state, server),
    close: () =>
      new Promise((resolve) => {
        // Closing twice is an error to Node and none to us.
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

function listen(server: http.Server, { host, port, logger }: ConnectDoorOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      server.on('error', (error) => {
        logger.error({ err: error }, 'the Connect door could not accept a connection');
      });
      resolve(addressOf(server).port);
    });
  });
}

function addressOf(server: http.Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port');
  return address;
}

async function drain({ leaving, calls }: State, server: http.Server): Promise<void> {
  // Streams may stay open for ever: theirs end now, so that unary calls alone are waited for.
  leaving.abort(fail(ErrorReason.NOT_SERVING, 'the server is shutting down; go on elsewhere'));
  server.closeIdleConnections();
  const ends: Promise<void>[] = [];
  for (const response of calls) {
    if (!response.headersSent) response.setHeader('Connection', 'close');
    ends.push(
      new Promise((resolve) => {
        response.once('close', resolve);
      }),
    );
  }
  await Promise.all(ends);
  server.closeIdleConnections();
}

async function serve(
  state: State,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  const { options, routes, leaving } = state;
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.on('error', (error) => {
    options.logger.debug({ err: error }, 'an answer could not be sent');
  });
  const isAllowed = allowOrigin(options.corsOrigins, request, response);
  if (request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined) {
    answerPreflight(isAllowed, response);
    return;
  }
  const path = request.url?.split('?', 1)[0] ?? '';
  if (await servePage(options, path, request, response)) return;
  const route = routes.get(path);
  if (leaving.signal.aborted) {
    response.setHeader('Connection', 'close');
    await refuse(request, response, toCallError(leaving.signal.reason));
  } else if (route === undefined) {
    await refuse(request, response, fail(ErrorReason.UNKNOWN_METHOD, 'this server has no such method'), 404);
  } else if ('handler' in route) {
    state.calls.add(response);
    response.once('close', () => {
      state.calls.delete(response);
    });
    await runCall(state, route.method, route.handler, request, response);
  } else {
    // Its caller sends for as long as it likes.
    response.setHeader('Connection', 'close');
    const message = `${route.method.name} streams both ways, which HTTP/1.1 cannot: call it at the gRPC port`;
    refuseAtOnce(request, response, fail(ErrorReason.UNKNOWN_METHOD, message), 505);
  }
}

/** What `serve` did not expect. */
function giveUp({ options }: State, response: http.ServerResponse, error: unknown): void {
  options.logger.error({ err: error }, 'the Connect door failed by a defect');
  if (response.headersSent) response.destroy();
  else sendError(response, toCallError(error), 500);
}

// --- Pages -----------------------------------------------------------------------------------------------------------

/** Answers what is no call; false: it is one. */
async function servePage(
  { handlers, health, registry }: ConnectDoorOptions,
  path: string,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<boolean> {
  const isReading = request.method === 'GET' || request.method === 'HEAD';
  const extra = handlers !== undefined && Object.hasOwn(handlers, path) ? handlers[path] : undefined;
  if (extra !== undefined) {
    extra(request, response);
  } else if (path === '/healthz' && isReading) {
    sendText(response, 200, 'alive\n');
  } else if (path === '/readyz' && isReading) {
    if (health.isServing()) sendText(response, 200, 'serving\n');
    else sendText(response, 503, 'not serving\n');
  } else if (path === '/metrics' && isReading) {
    sendText(response, 200, await registry.metrics(), registry.contentType);
  } else {
    return false;
  }
  return true;
}

function sendText(
  response: http.ServerResponse,
  status: number,
  text: string,
  type = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) }).end(text);
}

// --- CORS ------------------------------------------------------------------------------------------------------------

/** Tells the browser that the page may read the answer, if so. No credentials: we take bearer tokens, never cookies. */
function allowOrigin(
  allowed: readonly string[],
  { headers: { origin } }: http.IncomingMessage,
  response: http.ServerResponse,
): boolean {
  const isForAll = allowed.includes('*');
  if (!isForAll) response.setHeader('Vary', 'Origin');
  if (origin === undefined || !(isForAll || allowed.includes(origin))) return false;
  response.setHeader('Access-Control-Allow-Origin', isForAll ? '*' : origin);
  response.setHeader('Access-Control-Expose-Headers', EXPOSED_HEADERS);
  return true;
}

function answerPreflight(isAllowed: boolean, response: http.ServerResponse): void {
  if (!isAllowed) {
    sendText(response, 403, 'this origin is not allowed to call\n');
    return;
  }
  response
    .writeHead(204, {
      'Access-Control-Allow-Methods': ALLOWED_METHODS,
      'Access-Control-Allow-Headers': ALLOWED_HEADERS,
      'Access-Control-Max-Age': 7200,
    })
    .end();
}

// --- Calls -----------------------------------------------------------------------------------------------------------

function routesOf({ services, chain }: ConnectDoorOptions, leaving: AbortSignal): Map<string, Route> {
  const routes = new Map<string, Route>();
  for (const { desc, methods } of services) {
    const factory = createHandlerFactory({
      // Brotli as the library calls it takes seconds of processor time for a large answer.
      acceptCompression: [compressionGzip],
      readMaxBytes: MESSAGE_MAX_BYTES,
      writeMaxBytes: MESSAGE_MAX_BYTES,
      jsonOptions: { ...WRITE_JSON, ignoreUnknownFields: !desc.typeName.startsWith(COMMANDS) },
    });
    for (const method of methods) {
      const route: Route =
        method.kind === 'bidi_streaming'
          ? { method }
          : { method, handler: createUniversalMethodHandler(specOf(method, chain, leaving), [factory]) };
      routes.set(`/${method.name}`, route);
    }
  }
  return routes;
}

function specOf(
  method: UnaryMethod | ServerStreamMethod,
  chain: Chain,
  leaving: AbortSignal,
): MethodImplSpec {
  const { desc } = method;
  if (method.kind === 'unary' && isUnary(desc)) {
    const impl = async (request: Message, context: HandlerContext) => {
      const running = enter(context);
      try {
        const answer = await chain.unary(method, request, running.origin);
        running.progress = 'answered';
        return answer;
      } catch (error) {
        throw connectError((running.progress = toCallError(error)));
      }
    };
    return { kind: 'unary', method: desc, impl };
  }
  if (method.kind === 'server_streaming' && isServerStreaming(desc)) {
    const impl = async function* (request: Message, context: HandlerContext) {
      const running = enter(context);
      try {
        yield* chain.serverStream(method, request, running.origin);
        leaving.throwIfAborted();
        running.progress = 'answered';
      } catch (error) {
        throw connectError((running.progress = toCallError(leaving.aborted ? leaving.reason : error)));
      }
    };
    return { kind: 'server_streaming', method: desc, impl };
  }
  throw new TypeError(`${method.name} is not of the kind that its description says`);
}

function isUnary(desc: DescMethod): desc is DescMethodUnary {
  return desc.methodKind === 'unary';
}

function isServerStreaming(desc: DescMethod): desc is DescMethodServerStreaming {
  return desc.methodKind === 'server_streaming';
}

/** What the door knows of the call, which now enters the chain. */
function enter({ values }: HandlerContext): Running {
  const running = values.get(runningKey);
  if (running === undefined) throw new Error('a call came by another way than the door');
  running.progress = 'running';
  return running;
}

async function runCall(
  { options: { chain }, leaving }: State,
  method: UnaryMethod | ServerStreamMethod,
  handler: UniversalHandler,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  const caller = new AbortController();
  const leave = () => {
    caller.abort();
  };
  response.once('close', leave);
  if (method.kind === 'server_streaming') leaving.signal.addEventListener('abort', leave, { once: true });
  try {
    const header = headersOf(request);
    const timeout_ms = takeTimeout(header);
    const isTimed = typeof timeout_ms === 'number' && timeout_ms <= TIMER_MAX_MS;
    const origin: CallOrigin = {
      deadline_ms: isTimed ? Date.now() + timeout_ms : undefined,
      signal: caller.signal,
      traceparent: header.get('traceparent') ?? undefined,
      fits: (answer) => answerSize(method.desc, isJson(request), answer) <= MESSAGE_MAX_BYTES,
    };
    const refusal =
      timeout_ms instanceof CallError ? { failure: timeout_ms } : refusalOf(method, request, response);
    if (refusal !== undefined) {
      await refuse(request, response, await recorded(chain, method, refusal.failure, origin), refusal.status);
      return;
    }
    const head = {
      contentType: header.get('Content-Type') ?? '',
      contentEncoding: header.get('Content-Encoding') ?? '',
    };
    const trusted = await trustedBody(
      method.desc.input,
      head,
      request.iterator(KEEP_OPEN),
      MESSAGE_MAX_BYTES,
    );
    if (trusted.failure !== undefined) {
      await refuse(request, response, await recorded(chain, method, trusted.failure, origin));
      return;
    }
    const running: Running = { method, origin, progress: 'arriving' };
    const answer = await handler({
      httpVersion: request.httpVersion,
      method: request.method ?? '',
      // Only the query is read of it, and a Host header may be anything.
      url: `http://door/${method.name}?${queryOf(request)}`,
      header,
      body: trusted.body,
      signal: caller.signal,
      contextValues: createContextValues().set(runningKey, running),
    });
    if (running.progress === 'arriving') await discard(request, response);
    if (method.kind === 'unary') await sendUnary(chain, running, answer, response);
    else await sendStream(chain, running, answer, response);
  } finally {
    leaving.signal.removeEventListener('abort', leave);
  }
}

function headersOf({ headersDistinct }: http.IncomingMessage): Headers {
  const header = new Headers();
  for (const [name, values] of Object.entries(headersDistinct)) {
    for (const value of values ?? []) header.append(name, value);
  }
  return header;
}

function queryOf({ url = '' }: http.IncomingMessage): string {
  const at = url.indexOf('?');
  return at < 0 ? '' : url.slice(at + 1);
}

/** Whether the caller speaks JSON, in which the answer is as large as its text. */
function isJson(request: http.IncomingMessage): boolean {
  if (request.method === 'GET') return new URLSearchParams(queryOf(request)).get('encoding') === 'json';
  return parseContentType(request.headers['content-type'] ?? null)?.binary === false;
}

function answerSize({ output }: DescMethod, inJson: boolean, answer: Message): number {
  return inJson
    ? Buffer.byteLength(toJsonString(output, answer, WRITE_JSON))
    : encodeMessage(output, answer).length;
}

/** Takes the timeout out of the headers: the chain keeps it, and the library would set a second timer. */
function takeTimeout(header: Headers): number | CallError | undefined {
  const text = header.get('Connect-Timeout-Ms');
  if (text === null) return undefined;
  header.delete('Connect-Timeout-Ms');
  if (/^\d{1,10}$/.test(text)) return Number(text);
  return fail(ErrorReason.MALFORMED_MESSAGE, 'Connect-Timeout-Ms is not a number of at most ten digits');
}

/** Why the library would answer without a body, if it would: another HTTP method, another content type. */
function refusalOf(
  method: UnaryMethod | ServerStreamMethod,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Refusal | undefined {
  const mayGet =
    method.kind === 'unary' && method.desc.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
  if (request.method === 'GET' && mayGet) {
    const encoding = new URLSearchParams(queryOf(request)).get('encoding');
    if (encoding === 'json' || encoding === 'proto') return undefined;
    const message = 'a call by GET says encoding=json or encoding=proto in its query';
    return { failure: fail(ErrorReason.MALFORMED_MESSAGE, message), status: 415 };
  }
  if (request.method !== 'POST') {
    const methods = mayGet ? 'GET, POST' : 'POST';
    response.setHeader('Allow', methods);
    const message = `${method.name} is called by ${methods.replace(', ', ' or ')}`;
    return { failure: fail(ErrorReason.UNKNOWN_METHOD, message), status: 405 };
  }
  const isStream = method.kind === 'server_streaming';
  if (parseContentType(request.headers['content-type'] ?? null)?.stream === isStream) return undefined;
  const types = isStream
    ? 'application/connect+json, application/connect+proto'
    : 'application/json, application/proto';
  response.setHeader('Accept-Post', types);
  const message = `${method.name} takes one of the content types ${types}`;
  return { failure: fail(ErrorReason.MALFORMED_MESSAGE, message), status: 415 };
}

/** Shows the chain a call that never reached it, for its figures and its log. */
async function recorded(
  chain: Chain,
  method: UnaryMethod | ServerStreamMethod,
  failure: CallError,
  origin: CallOrigin,
): Promise<CallError> {
  try {
    if (method.kind === 'unary') await chain.unary(method, failure, origin);
    else await chain.serverStream(method, failure, origin)[Symbol.asyncIterator]().next();
  } catch (error) {
    return toCallError(error);
  }
  return failure;
}

// --- Answers ---------------------------------------------------------------------------------------------------------

async function sendUnary(
  chain: Chain,
  running: Running,
  { status, header, body }: UniversalServerResponse,
  response: http.ServerResponse,
): Promise<void> {
  const bytes = await bytesOf(body);
  if (status === 200 || running.progress instanceof CallError) {
    response.writeHead(status, Object.fromEntries(header ?? []));
    await write(response, bytes);
    response.end();
    return;
  }
  const isCompressed = header?.get('Content-Encoding') === compressionGzip.name;
  const error = libraryError(isCompressed ? await decompress(bytes) : bytes);
  sendError(response, await explained(chain, running, error));
}

async function sendStream(
  chain: Chain,
  running: Running,
  { status, header, body }: UniversalServerResponse,
  response: http.ServerResponse,
): Promise<void> {
  response.writeHead(status, Object.fromEntries(header ?? []));
  // Each piece is one envelope: a byte of flags, four of length, the data.
  for await (const envelope of pieces(body)) {
    const flags = envelope[0] ?? 0;
    const isOurs = running.progress === 'answered' || running.progress instanceof CallError;
    if ((flags & endStreamFlag) !== 0 && !isOurs) {
      const data = envelope.subarray(ENVELOPE_HEAD_BYTES);
      const end = endStreamFromJson((flags & compressedFlag) === 0 ? data : await decompress(data));
      const error = end.error ?? new ConnectError('the stream ended before its method', Code.Internal);
      await write(response, endOfStream(await explained(chain, running, error)));
    } else {
      await write(response, envelope);
    }
    if (response.destroyed) break;
  }
  response.end();
}

/** Resolves when there is room for more, or nobody to read it. */
function write(response: http.ServerResponse, bytes: Uint8Array): Promise<void> {
  if (response.destroyed || response.write(bytes)) return Promise.resolve();
  return new Promise((resolve) => {
    const giveUpReader = setTimeout(() => response.destroy(), WRITE_TIMEOUT_ms);
    const done = () => {
      clearTimeout(giveUpReader);
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}

async function bytesOf(body: UniversalServerResponse['body']): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of pieces(body)) chunks.push(chunk);
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
}

async function* pieces(body: UniversalServerResponse['body']): AsyncGenerator<Uint8Array> {
  if (body !== undefined) yield* body;
}

function decompress(bytes: Uint8Array): Promise<Uint8Array> {
  return compressionGzip.decompress(bytes, MESSAGE_MAX_BYTES);
}

/**
 * Takes what a caller still sends of a request that is refused: many look for no answer before they have sent all, and
 * those who do cannot use the connection again.
 */
async function discard(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  let left_bytes = DISCARD_MAX_BYTES;
  try {
    const chunks: AsyncIterable<Buffer> = { [Symbol.asyncIterator]: () => request.iterator(KEEP_OPEN) };
    for await (const chunk of chunks) {
      left_bytes -= chunk.length;
      if (left_bytes < 0) break;
    }
  } catch {
    // The caller has left, and nobody will read the answer.
  }
  if (!request.complete) response.setHeader('Connection', 'close');
}

/** Answers a call with an error once all of it has been sent. */
async function refuse(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  failure: CallError,
  status?: number,
): Promise<void> {
  await discard(request, response);
  refuseAtOnce(request, response, failure, status);
}

/** Answers a call with an error in the form that its content type asks for. */
function refuseAtOnce(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  failure: CallError,
  status?: number,
): void {
  const type = request.headers['content-type'] ?? null;
  if (parseContentType(type)?.stream === true && type !== null) {
    // Clients read the error of a stream from its end, and only after 200.
    response.writeHead(200, { 'Content-Type': type }).end(endOfStream(failure));
  } else {
    sendError(response, failure, status);
  }
}

function sendError(response: http.ServerResponse, failure: CallError, status?: number): void {
  const error = connectError(failure);
  const body = errorToJsonBytes(error, { registry: anyTypes });
  response
    .writeHead(status ?? codeToHttpStatus(error.code), {
      'Content-Type': 'application/json',
      'Content-Length': body.length,
    })
    .end(body);
}

function endOfStream(failure: CallError): Uint8Array {
  const end = endStreamToJson(new Headers(), connectError(failure), { registry: anyTypes });
  return encodeEnvelope(endStreamFlag, new TextEncoder().encode(JSON.stringify(end)));
}

// --- Errors ----------------------------------------------------------------------------------------------------------

/** Our error as the library sends it; its cause stays here. */
function connectError(failure: CallError): ConnectError {
  const { message, details } = toStatus(failure);
  const outgoing = details.flatMap((detail) => {
    const value = anyUnpack(detail, anyTypes);
    const desc = value === undefined ? undefined : anyTypes.getMessage(value.$typeName);
    return value === undefined || desc === undefined ? [] : [{ desc, value }];
  });
  return new ConnectError(message, failure.code, undefined, outgoing);
}

function libraryError(body: Uint8Array): ConnectError {
  const fallback = new ConnectError('connect-node answered without saying why', Code.Internal);
  try {
    return errorFromJsonBytes(body, undefined, fallback);
  } catch {
    return fallback;
  }
}

/** What the library answered by itself, in our form; counted by the chain if that has not seen the call. */
async function explained(
  chain: Chain,
  { method, origin, progress }: Running,
  error: ConnectError,
): Promise<CallError> {
  if (progress !== 'arriving') {
    if (error.code === Code.ResourceExhausted) return tooLarge('the answer');
    return toCallError(error);
  }
  const failure = origin.signal.aborted
    ? fail(ErrorReason.CANCELLED, 'the caller has left')
    : undecodable(method, error);
  return recorded(chain, method, failure, origin);
}

function undecodable({ desc }: Method, error: ConnectError): CallError {
  if (error.code === Code.ResourceExhausted) return tooLarge('the request');
  // What the library says goes no further than here: it quotes the message, amounts and all.
  const [what = '', why = ''] = error.rawMessage.split(' from JSON: ', 2);
  const unknown = /^key "(.*)" is unknown$/s.exec(why)?.[1]?.slice(0, SHOWN_MAX_CHARS);
  if (unknown !== undefined) {
    const description = `is not a field of ${what.replace(/^cannot decode message /, '')}`;
    const message = `unknown field ${unknown}: commands are refused rather than half understood`;
    return fail(ErrorReason.UNKNOWN_FIELD, message, {
      fields: [{ field: unknown, description }],
      cause: error,
    });
  }
  const field = /^cannot decode field (\S+)$/.exec(what)?.[1];
  const message =
    field !== undefined
      ? `the value of ${field} is not of the field's type`
      : (SAFE_TO_SHOW.exec(error.rawMessage)?.[0] ?? `the request is not a ${desc.input.typeName}`);
  return fail(ErrorReason.MALFORMED_MESSAGE, message.slice(0, 2 * SHOWN_MAX_CHARS), { cause: error });
}

/** What the library says of a request without quoting it. */
const SAFE_TO_SHOW =
  /^(protocol error: .*|unknown compression ".*": .*|decompression failed)$|duplicate object key ".*"$|JSON: maximum recursion depth .*$/;

function tooLarge(what: string): CallError {
  return fail(ErrorReason.MESSAGE_TOO_LARGE, `${what} is larger than ${MESSAGE_MAX_BYTES} bytes`);
}
