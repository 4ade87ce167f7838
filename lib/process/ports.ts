/** The ports are taken before any engine starts, so that a second start ends at once and in one line. */
import { once } from 'node:events';
import { createServer as createHttpServer, Server as HttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { StartError } from '../base/start-error.js';

/** A port that Quittance will listen on. */
export type WantedPort = {
  /** As the operator knows it, for example gRPC. */
  name: string;
  host: string;
  /** 0 lets the system choose when the door opens: nothing is held. */
  port: number;
  /** What to set in order to choose another. */
  variable: string;
  /** What callers meet until the door opens: `http` is answered 503, anything else is hung up on. */
  protocol: 'http' | 'other';
};

/** Ports that nobody else can take. */
export type HeldPorts = {
  /** Frees them; the doors bind right after. Safe to call twice. */
  release: () => Promise<void>;
};

/**
 * Binds every port and holds it. grpc-js cannot be given a bound socket, so the doors bind again after `release`,
 * which leaves microseconds to another program, not the seconds that engines and migrations take.
 *
 * @throws StartError naming the port that is taken; none is held then.
 */
export async function holdPorts(wanted: readonly WantedPort[]): Promise<HeldPorts> {
  const held: Server[] = [];
  const release = async (): Promise<void> => {
    await Promise.all(held.splice(0).map(closed));
  };
  try {
    for (const want of wanted) {
      if (want.port !== 0) held.push(await hold(want));
    }
  } catch (error) {
    await release();
    throw error;
  }
  return { release };
}

async function hold(want: WantedPort): Promise<Server> {
  const server = want.protocol === 'http' ? notYet() : createServer((socket) => socket.destroy());
  try {
    server.listen({ host: want.host, port: want.port, exclusive: true });
    await once(server, 'listening');
    return server;
  } catch (error) {
    throw startError(want, error);
  }
}

function notYet(): Server {
  return createHttpServer((_request, response) => {
    response.writeHead(503, { 'content-type': 'application/json', 'retry-after': '1', connection: 'close' });
    response.end('{"code":"unavailable","message":"Quittance is starting"}\n');
  });
}

async function closed(server: Server): Promise<void> {
  const done = once(server, 'close');
  server.close();
  // A caller that keeps its connection open would otherwise hold up the start.
  if (server instanceof HttpServer) server.closeAllConnections();
  await done;
}

/** One line for what can go wrong when a port is bound; other errors come back as they are. */
export function startError(want: WantedPort, error: unknown): unknown {
  const port = `port ${String(want.port)} (${want.name})`;
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return new StartError(`${port} is in use; stop that program or set ${want.variable}`);
    case 'EACCES':
      return new StartError(`${port} may not be opened by this user; set ${want.variable} to one above 1023`);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new StartError(
        `${want.host} is not an address of this machine; set QUITTANCE_HOST, for example to 127.0.0.1`,
      );
    default:
      return error;
  }
}
