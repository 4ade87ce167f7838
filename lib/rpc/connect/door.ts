/** The door for browsers and for all who speak HTTP: pages, and calls as connect-es serves them (see served-call.ts). */
import { setMaxListeners } from 'node:events';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import type { Log } from '../../base/logging.js';
import type { Certificates } from '../certificates.js';
import type { Chain } from '../chain.js';
import { tooLarge } from '../decode.js';
import type { Door } from '../door.js';
import { type CallError, fail, toCallError } from '../errors.js';
import type { Service } from '../service.js';
import { type Around, type Route, routesOf } from './calls.js';
import { errorJson, sendPlainError } from './connect-error.js';
import { allowOrigin, answerPreflight } from './cors.js';
import type { Guard } from '../guard.js';
import { isAllowedHost } from './hosts.js';
import { refuseMetrics } from './metrics-access.js';
import { METRICS_PATH, type Pages, servePage } from './pages.js';
import { refuse } from './refusals.js';
import { serveCall } from './served-call.js';
import { serveSite, type Site } from './site.js';
import { closeAfter, openWebPort, type WebPort, type WebRequest, type WebResponse } from './web-port.js';

/** What `openConnectDoor` takes. */
export interface ConnectDoorOptions extends Pages {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Undefined: without TLS. */
  readonly certificates?: Certificates | undefined;
  readonly services: readonly Service[];
  readonly chain: Chain;
  /** Origins whose pages may call, as in `https://console.example.com`; `*` stands for all, nothing for none. */
  readonly corsOrigins: readonly string[];
  /** Names that a request may give as its host, besides loopback, addresses and `host`; `*` stands for all. */
  readonly allowedHosts: readonly string[];
  /** Says who may read the figures; absent: all. */
  readonly guard?: Guard | undefined;
  /** The console; absent: none. */
  readonly site?: Site | undefined;
  readonly logger: Log;
  /** Around each step of a call: for tests of the protocols. */
  readonly around?: Around;
}

interface State {
  readonly options: ConnectDoorOptions;
  readonly routes: ReadonlyMap<string, Route>;
  /** Calls accepted and not ended. */
  readonly calls: Set<WebResponse>;
  /** Aborts, with a CallError, when the server shuts down. */
  readonly leaving: AbortController;
}

/** Binds and serves. @throws Error if the port is taken */
export async function openConnectDoor(options: ConnectDoorOptions): Promise<Door> {
  const leaving = new AbortController();
  // Every open stream listens: more than ten is no leak.
  setMaxListeners(0, leaving.signal);
  const routes = routesOf({ ...options, leaving: leaving.signal });
  const state: State = { options, routes, calls: new Set(), leaving };
  const port = await openWebPort({
    host: options.host,
    port: options.port,
    certificates: options.certificates,
    logger: options.logger,
    headersTooLarge: errorJson(tooLarge('the URL with its headers')),
    listener: (request, response) => {
      serve(state, request, response).catch((error: unknown) => {
        giveUp(state, response, error);
      });
    },
  });
  return { port: port.port, drain: () => drain(state, port), close: () => port.close() };
}

async function drain({ leaving, calls }: State, port: WebPort): Promise<void> {
  // Streams may stay open for ever: theirs end now, so that unary calls alone are waited for.
  leaving.abort(fail(ErrorReason.NOT_SERVING, 'the server is shutting down; go on elsewhere'));
  const ends: Promise<void>[] = [];
  for (const response of calls) {
    closeAfter(response);
    ends.push(
      new Promise((resolve) => {
        response.once('close', resolve);
      }),
    );
  }
  await Promise.all(ends);
  port.closeIdle();
}

async function serve(state: State, request: WebRequest, response: WebResponse): Promise<void> {
  const { options, routes, leaving } = state;
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.on('error', (error: unknown) => {
    options.logger.debug({ err: error }, 'an answer could not be sent');
  });
  const named = 'authority' in request ? request.authority : request.headers.host;
  if (!isAllowedHost(options, named)) {
    sendPlainError(response, hostNotAllowed(), 421);
    return;
  }
  const isAllowed = allowOrigin(options.corsOrigins, request, response);
  if (answerPreflight(isAllowed, request, response)) return;
  const path = request.url?.split('?', 1)[0] ?? '';
  if (options.guard !== undefined && path === METRICS_PATH) {
    if (await refuseMetrics(options.guard, request, response)) return;
  }
  if (await servePage(options, path, request, response)) return;
  if (options.site !== undefined && (await serveSite(options.site, path, request, response))) return;
  const route = routes.get(path);
  if (leaving.signal.aborted) {
    closeAfter(response);
    await refuse(request, response, toCallError(leaving.signal.reason));
  } else if (route === undefined) {
    await refuse(request, response, fail(ErrorReason.UNKNOWN_METHOD, 'this server has no such method'), 404);
  } else {
    state.calls.add(response);
    response.once('close', () => {
      state.calls.delete(response);
    });
    await serveCall({ chain: options.chain, leaving: leaving.signal, route, request, response });
  }
}

function hostNotAllowed(): CallError {
  const message =
    'the Host of the request is no name of this server; QUITTANCE_ALLOWED_HOSTS lists further names';
  return fail(ErrorReason.HOST_NOT_ALLOWED, message);
}

/** What `serve` did not expect. */
function giveUp({ options }: State, response: WebResponse, error: unknown): void {
  if (response.destroyed || response.writableEnded) {
    options.logger.debug({ err: error }, 'the caller left before its answer was sent');
    return;
  }
  options.logger.error({ err: error }, 'the Connect door failed by a defect');
  if (response.headersSent) response.destroy();
  else sendPlainError(response, toCallError(error), 500);
}
