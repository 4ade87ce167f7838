/** The door for browsers: the Connect protocol over HTTP/1.1. It decodes, hands over to the chain, and encodes. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRegistry } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
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
import { file_google_rpc_error_details } from '../../gen/google/rpc/error_details_pb.js';
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import type { CallOrigin, Chain } from './chain.js';
import { CallError, fail, toCallError, toStatus } from './errors.js';
import { type Door, MESSAGE_MAX_BYTES } from './grpc-door.js';
import type { Health } from './health.js';
import type { Log } from './logging.js';
import type { BidiMethod, Method, ServerStreamMethod, Service, UnaryMethod } from './service.js';

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
/** Node fires timers beyond this at once. */
const TIMER_MAX_ms = 2 ** 31 - 1;
/** Names that a caller made up are shown up to here. */
const SHOWN_MAX_CHARS = 100;

const COMMANDS = 'quittance.command.';
/** The types that travel in Any: without them no google.rpc.Status could be written as JSON. */
const anyTypes = createRegistry(file_google_rpc_error_details);

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
  readonly origin: CallOrigin;
  /** undefined: the chain was not reached or is at work; a CallError: how it failed. */
  outcome: 'answered' | CallError | undefined;
}

const runningKey = createContextKey<Running | undefined>(undefined);

/** Binds and serves. @throws Error if the port is taken */
export async function openConnectDoor(options: ConnectDoorOptions): Promise<Door> {
  const leaving = new AbortController();
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
    refuse(request, response, toCallError(leaving.signal.reason));
  } else if (route === undefined) {
    refuse(request, response, fail(ErrorReason.UNKNOWN_METHOD, 'this server has no such method'), 404);
  } else if ('handler' in route) {
    state.calls.add(response);
    response.once('close', () => {
      state.calls.delete(response);
    });
    await runCall(state, route.method, route.handler, request, response);
  } else {
    // It would go on sending what nobody reads.
    response.setHeader('Connection', 'close');
    const message = `${route.method.name} streams both ways, which HTTP/1.1 cannot: call it at the gRPC port`;
    refuse(request, response, fail(ErrorReason.UNKNOWN_METHOD, message), 505);
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
      jsonOptions: { registry: anyTypes, ignoreUnknownFields: !desc.typeName.startsWith(COMMANDS) },
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
  const { kind, desc } = method;
  if (kind === 'unary' && desc.methodKind === 'unary') {
    return {
      kind,
      method: desc,
      impl: async (request, context) => {
        const running = runningOf(context);
        try {
          const answer = await chain.unary(method, request, running.origin);
          running.outcome = 'answered';
          return answer;
        } catch (error) {
          throw connectError((running.outcome = toCallError(error)));
        }
      },
    };
  }
  if (kind === 'server_streaming' && desc.methodKind === 'server_streaming') {
    return {
      kind,
      method: desc,
      impl: async function* (request, context) {
        const running = runningOf(context);
        try {
          yield* chain.serverStream(method, request, running.origin);
          leaving.throwIfAborted();
          running.outcome = 'answered';
        } catch (error) {
          throw connectError((running.outcome = toCallError(leaving.aborted ? leaving.reason : error)));
        }
      },
    };
  }
  throw new TypeError(`${method.name} is not of the kind that its description says`);
}

function runningOf({ values }: HandlerContext): Running {
  const running = values.get(runningKey);
  if (running === undefined) throw new Error('a call came by another way than the door');
  return running;
}

async function runCall(
  { options: { chain }, leaving }: State,
  method: UnaryMethod | ServerStreamMethod,
  handler: UniversalHandler,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  const header = headersOf(request);
  const caller = new AbortController();
  const leave = () => {
    caller.abort();
  };
  response.once('close', leave);
  if (method.kind === 'server_streaming') leaving.signal.addEventListener('abort', leave, { once: true });
  try {
    const deadline_ms = takeDeadline(header);
    const running: Running = {
      origin: {
        deadline_ms: deadline_ms instanceof CallError ? undefined : deadline_ms,
        signal: caller.signal,
        traceparent: header.get('traceparent') ?? undefined,
      },
      outcome: undefined,
    };
    const refused =
      deadline_ms instanceof CallError ? deadline_ms : refusalOf(method, handler, request, response);
    if (refused !== undefined) {
      const { failure, status } = refused instanceof CallError ? { failure: refused, status: undefined } : refused;
      refuse(request, response, await recorded(chain, method, failure, running.origin), status);
      return;
    }
    const answer = await handler({
      httpVersion: request.httpVersion,
      method: request.method ?? '',
      // Only the query is read of it, and a Host header may be anything.
      url: `http://door/${method.name}?${request.url?.split('?').slice(1).join('?') ?? ''}`,
      header,
      // The iterator that the library would take destroys the connection when it has had enough, before we answer.
      body: request.iterator({ destroyOnReturn: false }),
      signal: caller.signal,
      contextValues: createContextValues().set(runningKey, running),
    });
    if (method.kind === 'unary') await sendUnary(chain, method, running, answer, response);
    else await sendStream(chain, method, running, answer, response);
  } finally {
    leaving.signal.removeEventListener('abort', leave);
  }
}
