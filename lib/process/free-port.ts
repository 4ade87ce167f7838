/** A port for a server that must be told one, and must get the same one when it starts again. */
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below what Linux (32,768), macOS and Windows (49,152) give to outgoing connections: a port from there may be taken by anybody's
 * connection between now and the start of its server.
 */
const FIRST = 20_000;
const LAST = 32_000;
const TRIES = 100;
/** Those that this process has given away: their servers may not have taken them yet. */
const given = new Set<number>();

/** A port of 127.0.0.1 that was free a moment ago; a node of a Redis cluster may also take the one 10,000 above. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
  throw new Error('no free port on 127.0.0.1');
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
