/** A way between two processes that can be hurt: a proxy which cuts, stalls, slows or half closes what runs through it. */
import { once } from 'node:events';
import { connect, createServer, type NetConnectOpts, type Socket } from 'node:net';
import { pause } from '../../lib/base/pause.js';

/** What may be done to a link. `restore` ends each of them. */
export type LinkFault = 'cut' | 'stall' | 'halfOpen' | 'slow';

export interface Link {
  /** Such as `command to postgres`. */
  readonly name: string;
  /** Where it is reached, on 127.0.0.1. */
  readonly port: number;
  /**
   * cut: what is open breaks, what comes is refused. stall: nothing passes, and later all of it does. halfOpen: the client's
   * side stays silent for ever, the server's side is closed after a while, as by its keepalive. slow: each packet is late.
   */
  hurt(fault: LinkFault): void;
  restore(): void;
  close(): Promise<void>;
}

/** Each packet of a slow link waits so long, and not more than this many bytes pass in a second. */
const LATENCY_MS = 30;
const BYTES_PER_SECOND = 2_000_000;
/** After so long the server's side of a connection that its client has lost is closed. */
const KEEPALIVE_MS = 15_000;
const LOOK_MS = 5;

/** One way of a connection. */
interface Way {
  readonly from: Socket;
  readonly to: Socket;
}

/** A connection through the link. */
class Passage {
  readonly #link: { readonly fault: LinkFault | undefined };
  readonly #client: Socket;
  readonly #server: Socket;
  #isLost = false;

  constructor(
    link: { readonly fault: LinkFault | undefined },
    client: Socket,
    server: Socket,
    onEnd: () => void,
  ) {
    this.#link = link;
    this.#client = client;
    this.#server = server;
    for (const way of [
      { from: client, to: server },
      { from: server, to: client },
    ]) {
      this.#pass(way);
    }
    const end = () => {
      if (client.destroyed && server.destroyed) onEnd();
    };
    client.once('close', end);
    server.once('close', end);
  }

  /** Neither side hears more of the other, and the server's side is closed later. */
  lose(): void {
    this.#isLost = true;
    setTimeout(() => this.#server.destroy(), KEEPALIVE_MS).unref();
  }

  destroy(): void {
    this.#client.destroy();
    this.#server.destroy();
  }

  #pass({ from, to }: Way): void {
    from.setNoDelay(true);
    from.on('error', () => undefined);
    from.on('data', (bytes) => {
      from.pause();
      void this.#send(bytes, to).then((isSent) => {
        if (isSent) from.resume();
      });
    });
    from.on('end', () => {
      if (!this.#isLost) to.end();
    });
    from.once('close', () => {
      if (!this.#isLost) to.destroy();
    });
  }

  /** @returns false if the connection is lost. */
  async #send(bytes: Buffer, to: Socket): Promise<boolean> {
    if (this.#link.fault === 'slow') await pause(LATENCY_MS + (bytes.length / BYTES_PER_SECOND) * 1_000);
    while (this.#link.fault === 'stall' && !to.destroyed) await pause(LOOK_MS);
    if (this.#isLost || to.destroyed) return false;
    if (!to.write(bytes)) await Promise.race([once(to, 'drain'), once(to, 'close')]).catch(() => undefined);
    return !to.destroyed;
  }
}

/**
 * Opens a link to a server.
 * @param target asked at each connection: a server that was started again may be elsewhere
 */
export async function openLink(name: string, target: () => NetConnectOpts): Promise<Link> {
  const state: { fault: LinkFault | undefined } = { fault: undefined };
  const passages = new Set<Passage>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    client.on('error', () => undefined);
    if (state.fault === 'cut') {
      client.resetAndDestroy();
      return;
    }
    const outgoing = connect({ ...target(), allowHalfOpen: true });
    const passage = new Passage(state, client, outgoing, () => passages.delete(passage));
    passages.add(passage);
    if (state.fault === 'halfOpen') passage.lose();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the link has no port');
  return {
    name,
    port: address.port,
    hurt: (fault) => {
      state.fault = fault;
      if (fault === 'cut') for (const passage of passages) passage.destroy();
      if (fault === 'halfOpen') for (const passage of passages) passage.lose();
    },
    restore: () => {
      state.fault = undefined;
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const passage of passages) passage.destroy();
      await closed;
    },
  };
}
