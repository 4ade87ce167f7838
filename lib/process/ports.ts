/** The ports are taken before any engine starts, so that a second start ends at once and in one line. */
import { StartError } from '../base/start-error.js';
import { openStartingPort } from '../rpc/connect/starting.js';
import type { WebPort } from '../rpc/connect/web-port.js';

/** A port that Quittance will listen on. */
export interface WantedPort {
  /** As the operator knows it, for example gRPC. */
  readonly name: string;
  readonly host: string;
  /** 0 lets the system choose when the door opens: nothing is held. */
  readonly port: number;
  /** What to set in order to choose another. */
  readonly variable: string;
}

/** Ports that no other program can take. */
export interface HeldPorts {
  /** Frees them; the doors bind right after. Safe to call twice. */
  release(): Promise<void>;
}

/**
 * Binds every port and holds it; calls are answered that Quittance is starting. grpc-js cannot be given a bound socket, so the doors bind again after `release`,
 * which leaves microseconds to another program, not the seconds that engines and migrations take.
 *
 * @throws StartError naming the port that is taken; none is held then.
 */
export async function holdPorts(wanted: readonly WantedPort[]): Promise<HeldPorts> {
  const held: WebPort[] = [];
  const release = async (): Promise<void> => {
    await Promise.all(held.splice(0).map((port) => port.close()));
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

async function hold(want: WantedPort): Promise<WebPort> {
  try {
    return await openStartingPort(want);
  } catch (error) {
    throw startError(want, error);
  }
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
