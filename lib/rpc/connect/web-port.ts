/** A port for HTTP/1.1 and for HTTP/2, with TLS or without. Node's servers speak one of them, so the first bytes decide. */
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Log } from '../../base/logging.js';
import type { Certificates, TlsMaterial } from '../certificates.js';

/** A request of either version. */
export type WebRequest = http.IncomingMessage | http2.Http2ServerRequest;
/** A response of either version. */
export type WebResponse = http.ServerResponse | http2.Http2ServerResponse;

export interface WebPortOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Undefined: without TLS. */
  readonly certificates?: Certificates | undefined;
  readonly listener: (request: WebRequest, response: WebResponse) => void;
  /** What an HTTP/1.1 caller with more than 64 KiB of URL and headers gets, as JSON. */
  readonly headersTooLarge: Uint8Array;
  readonly logger: Pick<Log, 'debug' | 'error'>;
}

export interface WebPort {
  readonly port: number;
  /** Closes the connections without a request. */
  closeIdle(): void;
  /** Closes all connections, and the port. */
  close(): Promise<void>;
}

/** A caller has this long to send its headers, and this long to send its message. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** Longer than the idle time of common load balancers, so that they are the ones who close. */
const KEEP_ALIVE_MS = 75_000;
/** How often Node looks for callers past the limits above. */
const CHECK_INTERVAL_MS = 5_000;
/** A query by GET carries its message in the URL. */
const HEADERS_MAX_BYTES = 64 * 1024;
/** What one HTTP/2 connection may have open at once. */
const STREAMS_MAX = 1_000;
/** What a client of HTTP/2 sends first. No method of HTTP/1.1 begins so. */
const PREFACE_START = 'PRI';

const ONE_OPTIONS: http.ServerOptions = {
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  keepAliveTimeout: KEEP_ALIVE_MS,
  connectionsCheckingInterval: CHECK_INTERVAL_MS,
  maxHeaderSize: HEADERS_MAX_BYTES,
};

/** HTTP/1.1 over TLS; clients that speak HTTP/2 are told that they may. A new certificate is for new connections. */
function secureServer(certificates: Certificates, listener: WebPortOptions['listener']): https.Server {
  const isMutual = certificates.present.clientCa !== undefined;
  const server = https.createServer(
    {
      ...ONE_OPTIONS,
      ...contextOf(certificates.present),
      ALPNProtocols: ['h2', 'http/1.1'],
      handshakeTimeout: HEADERS_TIMEOUT_MS,
      requestCert: isMutual,
      rejectUnauthorized: isMutual,
    },
    listener,
  );
  const stopListening = certificates.onChange((material) => {
    server.setSecureContext(contextOf(material));
  });
  server.once('close', stopListening);
  return server;
}

function contextOf({ certificate, key, clientCa }: TlsMaterial) {
  return { cert: certificate, key, ca: clientCa };
}

/** The open connections below TLS: one that does not end its handshake is known to no other part. */
function trackSockets(server: http.Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return sockets;
}

/** Binds and serves. @throws Error if the port is taken */
export async function openWebPort(options: WebPortOptions): Promise<WebPort> {
  const { certificates } = options;
  const one =
    certificates === undefined
      ? http.createServer(ONE_OPTIONS, options.listener)
      : secureServer(certificates, options.listener);
  const connected = certificates === undefined ? 'connection' : 'secureConnection';
  const two = http2.createServer(
    { settings: { maxConcurrentStreams: STREAMS_MAX, maxHeaderListSize: HEADERS_MAX_BYTES } },
    options.listener,
  );
  const sessions = trackSessions(two);
  const undecided = new Set<Socket>();
  one.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    answerBadRequest(error, socket, options.headersTooLarge);
  });
  // Node's own listener goes on serving what speaks HTTP/1.1; it is only no longer the first to see a connection.
  const serveOne = one.listeners(connected);
  one.removeAllListeners(connected);
  const shaking = certificates === undefined ? new Set<Socket>() : trackSockets(one);
  one.on(connected, (socket: Socket) => {
    undecided.add(socket);
    firstBytes(socket, (isTwo) => {
      undecided.delete(socket);
      if (isTwo === true) {
        // Node's server of HTTP/1.1 lets callers go on reading after their end; an HTTP/2 connection would stay for ever.
        socket.allowHalfOpen = false;
        two.emit('connection', socket);
      } else if (isTwo === false) for (const listener of serveOne) listener.call(one, socket);
    });
  });
  const port = await listen(one, options);
  return {
    port,
    closeIdle: () => {
      one.closeIdleConnections();
      for (const session of sessions) session.close();
    },
    close: () =>
      new Promise((resolve) => {
        // Closing twice is an error to Node and none to us.
        one.close(() => {
          resolve();
        });
        one.closeAllConnections();
        for (const socket of [...undecided, ...shaking]) socket.destroy();
        for (const session of sessions) session.destroy();
      }),
  };
}

function listen(server: http.Server, { host, port, logger }: WebPortOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
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

/** Calls back once: true for HTTP/2, false for anything else, undefined if the connection ended before it said. */
function firstBytes(socket: Socket, decided: (isTwo: boolean | undefined) => void): void {
  const end = (isTwo: boolean | undefined) => {
    clearTimeout(timer);
    socket.off('readable', look);
    socket.off('close', gone);
    socket.off('error', ignore);
    decided(isTwo);
  };
  const gone = () => {
    end(undefined);
  };
  const ignore = () => undefined;
  const look = () => {
    const bytes: unknown = socket.read();
    if (!(bytes instanceof Buffer)) return;
    socket.unshift(bytes);
    const start = bytes.toString('latin1', 0, PREFACE_START.length);
    if (start.length === PREFACE_START.length || !PREFACE_START.startsWith(start)) {
      end(start === PREFACE_START);
    }
  };
  const timer = setTimeout(() => {
    socket.destroy();
  }, HEADERS_TIMEOUT_MS);
  socket.on('readable', look);
  socket.on('close', gone);
  socket.on('error', ignore);
}

/** The open HTTP/2 connections; those without a call are closed after a while, as Node does it for HTTP/1.1. */
function trackSessions(server: http2.Http2Server): ReadonlySet<http2.ServerHttp2Session> {
  const sessions = new Set<http2.ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    let open = 0;
    session.on('stream', (stream) => {
      open += 1;
      stream.once('close', () => {
        open -= 1;
      });
    });
    session.setTimeout(KEEP_ALIVE_MS, () => {
      if (open === 0) session.close();
    });
    session.once('close', () => {
      sessions.delete(session);
    });
  });
  // A caller that breaks the protocol ends its connection, and harms no other.
  server.on('sessionError', () => undefined);
  return sessions;
}

/** What Node answers by itself with an empty body: bytes that are no HTTP, and more headers than it reads. */
function answerBadRequest(
  { code }: NodeJS.ErrnoException,
  socket: { readonly writable: boolean; end(text: string): void; destroy(): void },
  headersTooLarge: Uint8Array,
): void {
  if (code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  if (code !== 'HPE_HEADER_OVERFLOW') {
    const status = code === 'ERR_HTTP_REQUEST_TIMEOUT' ? '408 Request Timeout' : '400 Bad Request';
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
    return;
  }
  const body = Buffer.from(headersTooLarge).toString();
  const head = `Content-Type: application/json\r\nContent-Length: ${String(headersTooLarge.length)}`;
  socket.end(
    `HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nCache-Control: no-store\r\n${head}\r\n\r\n${body}`,
  );
}

/** Closes the connection after the answer. HTTP/2 has no such header: its connections are closed once they are idle. */
export function closeAfter(response: WebResponse): void {
  if (response.req.httpVersionMajor === 1 && !response.headersSent) response.setHeader('Connection', 'close');
}
