/** A redis-server of a test's own: for what cannot be done to one that other tests share. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from '@jest/globals';
import { type RunningEngine, startProgram } from '../../../../../tools/stack/engines/engine.js';
import { pongs } from '../../../../../tools/stack/engines/redis.js';
import { freePort } from '../../../../process/free-port.js';

const isInstalled = spawnSync('redis-server', ['--version']).status === 0;

/** A test that starts servers of its own; skipped where there is no redis-server on the PATH, and says so. */
export function serverTest(name: string, run: (start: StartRedis) => Promise<void>): void {
  if (!isInstalled) {
    test.skip(`${name} (skipped: redis-server is not on the PATH)`, () => undefined);
    return;
  }
  test(name, async () => {
    const servers: RedisServer[] = [];
    try {
      await run(async (...args) => {
        const server = await startOnFreePorts(args);
        servers.push(server);
        return server;
      });
    } finally {
      await Promise.all(servers.map((server) => server.remove()));
    }
  });
}

/** Starts a server with arguments besides the usual; it is gone when the test ends. */
export type StartRedis = (...args: string[]) => Promise<RedisServer>;

const TRIES = 5;

async function startOnFreePorts(args: readonly string[]): Promise<RedisServer> {
  for (let tries = 1; ; tries += 1) {
    const directory = await mkdtemp(join(tmpdir(), 'redis-'));
    const server = new RedisServer(await freePort(), await freePort(), directory, args);
    try {
      await server.start();
      return server;
    } catch (error) {
      await server.remove();
      // Another program has taken a port between the look and the start.
      const isTaken = error instanceof Error && error.message.includes('Address already in use');
      if (!isTaken || tries === TRIES) throw error;
    }
  }
}

export class RedisServer {
  readonly url: string;
  #running: RunningEngine | undefined;

  /** The second port is that of the cluster's bus, if the server is a node of a cluster. */
  constructor(
    readonly port: number,
    readonly busPort: number,
    readonly directory: string,
    readonly args: readonly string[],
  ) {
    this.url = `redis://127.0.0.1:${String(port)}`;
  }

  /** Resolves when it answers. @throws Error with the end of its log */
  async start(): Promise<void> {
    const settings = {
      port: String(this.port),
      // Without it, the bus takes the port 10,000 above, which may be that of a connection of any program.
      'cluster-port': String(this.busPort),
      bind: '127.0.0.1',
      dir: this.directory,
      save: '',
    };
    this.#running = await startProgram({
      name: 'redis',
      url: this.url,
      directory: this.directory,
      command: 'redis-server',
      args: [...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]), ...this.args],
      isReady: () => pongs('127.0.0.1', this.port),
    });
  }

  /** SIGKILL: what is not on disk is lost. */
  async kill(): Promise<void> {
    await this.#running?.kill();
  }

  /** The process stands still: connections stay open and get no answers. */
  freeze(): void {
    this.#signal('SIGSTOP');
  }

  thaw(): void {
    this.#signal('SIGCONT');
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }

  #signal(name: NodeJS.Signals): void {
    if (this.#running === undefined) throw new Error('the server was not started');
    process.kill(this.#running.pid, name);
  }
}
