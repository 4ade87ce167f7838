/**
 * One address for all services, as an ingress in front of them gives it: each call goes to a process of the service that
 * its path names, turn by turn. What is of no service goes to the first process.
 */
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { Addresses } from '../services.js';

export interface Routes {
  readonly command: readonly Addresses[];
  readonly projector: readonly Addresses[];
  readonly query: readonly Addresses[];
}

export interface Gateway {
  /** 127.0.0.1:port of gRPC. */
  readonly grpc: string;
  /** http://127.0.0.1:port of Connect. */
  readonly connect: string;
  close(): Promise<void>;
}

export async function openGateway(routes: Routes): Promise<Gateway> {
  let turn = 0;
  const targetOf = (path: string): Addresses => {
    const found = path.startsWith('/quittance.query.')
      ? routes.query
      : path.startsWith('/quittance.ops.')
        ? routes.projector
        : routes.command;
    turn += 1;
    const target = found[turn % found.length];
    if (target === undefined) throw new Error('no process');
    return target;
  };
  const sessions = new Map<string, http2.ClientHttp2Session>();
  const sessionOf = (address: string) => {
    const open = sessions.get(address);
    if (open !== undefined && !open.closed && !open.destroyed) return open;
    const session = http2.connect(`http://${address}`, { maxSessionMemory: 1_000 });
    session.on('error', () => undefined);
    sessions.set(address, session);
    return session;
  };
  const grpc = http2.createServer({ maxSessionMemory: 1_000 });
  grpc.on('stream', (stream, headers) => {
    passGrpc(stream, headers, sessionOf(targetOf(headers[':path'] ?? '').grpc));
  });
  const connect = http.createServer((request, response) => {
    passHttp(request, response, targetOf(request.url ?? '').connect);
  });
  const incoming = new Set<http2.ServerHttp2Session>();
  grpc.on('session', (session) => {
    incoming.add(session);
    session.on('close', () => incoming.delete(session));
  });
  const ports = await Promise.all(
    [grpc, connect].map(async (server) => {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return (server.address() as AddressInfo).port;
    }),
  );
  return {
    grpc: `127.0.0.1:${String(ports[0])}`,
    connect: `http://127.0.0.1:${String(ports[1])}`,
    close: async () => {
      for (const session of [...sessions.values(), ...incoming]) session.destroy();
      connect.closeAllConnections();
      const closed = async (server: http.Server | http2.Http2Server) => {
        server.close();
        await once(server, 'close');
      };
      await Promise.all([closed(grpc), closed(connect)]);
    },
  };
}

function passGrpc(
  stream: http2.ServerHttp2Stream,
  headers: http2.IncomingHttpHeaders,
  session: http2.ClientHttp2Session,
): void {
  const { ':authority': _authority, ...sent } = headers;
  const onward = session.request(sent);
  let trailers: http2.IncomingHttpHeaders = {};
  onward.on('response', (answered, flags) => {
    const isAll = (flags & http2.constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    if (stream.destroyed) return;
    stream.respond(answered, { waitForTrailers: !isAll, endStream: isAll });
  });
  onward.on('trailers', (found: http2.IncomingHttpHeaders) => {
    trailers = found;
  });
  stream.on('wantTrailers', () => {
    stream.sendTrailers(trailers);
  });
  stream.pipe(onward);
  onward.pipe(stream);
  stream.on('close', () => {
    if (stream.rstCode !== 0 || !onward.closed) onward.close(http2.constants.NGHTTP2_CANCEL);
  });
  stream.on('error', () => onward.close(http2.constants.NGHTTP2_CANCEL));
  onward.on('error', () => stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR));
  onward.on('close', () => {
    // The process was killed in the middle of the answer: without this its caller would wait until the deadline.
    if (!onward.readableEnded) stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
  });
}

function passHttp(request: http.IncomingMessage, response: http.ServerResponse, target: string): void {
  const onward = http.request(target + (request.url ?? ''), {
    method: request.method,
    headers: request.rawHeaders,
  });
  onward.on('response', (answered) => {
    response.writeHead(answered.statusCode ?? 500, answered.rawHeaders);
    answered.pipe(response);
    answered.on('error', () => response.destroy());
  });
  onward.on('error', () => response.destroy());
  response.on('close', () => {
    if (!response.writableFinished) onward.destroy();
  });
  request.pipe(onward);
}
