/** Puts our HTTP/2 under a server of grpc-js, in place of node:http2. */
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type * as grpc from '@grpc/grpc-js';
import { ServerSession } from './server-session.js';

/**
 * Takes the connections of all ports that are bound. grpc-js keeps node's servers in a table of its own and takes calls from
 * their events; we listen for connections in node's place.
 * @param now milliseconds
 */
export function useOwnHttp2(server: grpc.Server, now: () => number): void {
  const servers: unknown = Reflect.get(server, 'http2Servers');
  if (!(servers instanceof Map)) throw new Error('grpc-js keeps its HTTP/2 servers elsewhere now');
  for (const each of servers.keys()) takeConnections(each as EventEmitter, now);
}

function takeConnections(http2Server: EventEmitter, now: () => number): void {
  const event = 'setSecureContext' in http2Server ? 'secureConnection' : 'connection';
  const [theirs] = http2Server.listeners(event);
  if (theirs === undefined) throw new Error('node:http2 takes its connections otherwise now');
  http2Server.off(event, theirs as () => void);
  http2Server.on(event, (socket: Socket) => {
    if (socket instanceof TLSSocket && socket.alpnProtocol !== 'h2') {
      socket.end(
        'HTTP/1.0 403 Forbidden\r\ncontent-type: text/plain\r\n\r\nThis port speaks HTTP/2 alone.\r\n',
      );
      return;
    }
    const session = new ServerSession({
      socket,
      now,
      onStream: (stream, headers) => {
        http2Server.emit('stream', stream, headers);
      },
    });
    http2Server.emit('session', session);
  });
}
