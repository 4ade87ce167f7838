/** Redis of the system's packages. */
import { connect } from 'node:net';
import { type Engine, startProgram } from './engine.js';
import { needProgram } from './install.js';

export const redis: Engine = {
  name: 'redis',
  install: () => needProgram('redis-server', ['redis-server']),
  start: ({ host, port, directory }) =>
    startProgram({
      name: 'redis',
      url: `redis://${host}:${String(port)}`,
      directory,
      command: 'redis-server',
      args: Object.entries({
        bind: host,
        port: String(port),
        dir: directory,
        // Redis must not evict keys when memory runs out: a balance that is gone is not a balance of zero.
        'maxmemory-policy': 'noeviction',
        appendonly: 'yes',
        // One per platform that shares this server, which only tests do.
        databases: '256',
      }).flatMap(([name, value]) => [`--${name}`, value]),
      isReady: () => pongs(host, port),
    }),
};

/** Whether a Redis answers a PING. */
export function pongs(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    const done = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(2_000, () => done(false));
    socket.once('error', () => done(false));
    // While it loads its file it answers LOADING.
    socket.once('data', (data) => done(data.toString().startsWith('+PONG')));
    socket.write('PING\r\n');
  });
}
