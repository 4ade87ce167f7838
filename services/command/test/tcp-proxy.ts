/** A proxy before a server, to cut it off: what is open breaks, or falls silent, and nothing new gets through. */
import { once } from 'node:events';
import { connect, createServer, type NetConnectOpts, type Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** Breaks what is open and refuses what comes. */
  cut(): void;
  /** Lets nothing more through, and does not show it: connections stay open. */
  silence(): void;
  /** Lets through again. What fell silent stays so. */
  restore(): void;
  /** From now on connections go to another server; those that are open break. */
  direct(target: NetConnectOpts): void;
  close(): Promise<void>;
}

export async function openTcpProxy(first: NetConnectOpts): Promise<TcpProxy> {
  let isOpen = true;
  let target = first;
  const sockets = new Set<Socket>();
  const server = createServer((incoming) => {
    if (!isOpen) {
      incoming.destroy();
      return;
    }
    const outgoing = connect(target);
    for (const [from, to] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      sockets.add(from);
      from.on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return {
    port: address.port,
    cut: () => {
      isOpen = false;
      for (const socket of sockets) socket.destroy();
    },
    silence: () => {
      isOpen = false;
      for (const socket of sockets) {
        socket.unpipe();
        socket.pause();
      }
    },
    restore: () => {
      isOpen = true;
    },
    direct: (next) => {
      target = next;
      for (const socket of sockets) socket.destroy();
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
