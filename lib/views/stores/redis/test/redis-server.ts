/** A redis-server of a test's own: for what cannot be done to one that other tests share. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from '@jest/globals';
import { freePort } from '../../../../process/free-port.js';
import { createRedis } from '../client.js';

const isInstalled = spawnSync('redis-server', ['--version']).status === 0;

/** A test that starts servers of its own; skipped where there is no redis-server on the PATH, and says so. */
export function serverTest(name: string, run: (start: StartRedis) => Promise<void>): void {
  if (!isInstalled) {
    test.skip(`${name} (skipped: redis-server is not on the PATH)`, () => undefined);
    return;
  }
  test(name, async () => {
    const servers: RedisServer[] = [];
    const start: StartRedis = async (...args) => {
      const server = new RedisServer(await freePort(), await mkdtemp(join(tmpdir(), 'redis-')), args);
      servers.push(server);
      await server.start();
      return server;
    };
    try {
      await run(start);
    } finally {
      await Promise.all(servers.map((server) => server.remove()));
    }
  });
}

/** Starts a server with arguments besides the usual; it is gone when the test ends. */
export type StartRedis = (...args: string[]) => Promise<RedisServer>;

export class RedisServer {
  readonly url: string;
  #process: ChildProcess | undefined;

  constructor(
    readonly port: number,
    readonly directory: string,
    private readonly args: readonly string[],
  ) {
    this.url = `redis://127.0.0.1:${String(port)}`;
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    const options = [
      '--port',
      String(this.port),
      '--bind',
      '127.0.0.1',
      '--dir',
      this.directory,
      '--save',
      '',
    ];
    this.#process = spawn('redis-server', [...options, ...this.args], { stdio: 'ignore' });
    const client = createRedis(this.url);
    try {
      for (let tries = 0; ; tries++) {
        const answer = await client.ping().catch((error: unknown) => {
          if (tries === 20) throw error;
        });
        if (answer === 'PONG') return;
      }
    } finally {
      client.disconnect();
    }
  }

  /** At once, as by the kernel: what is not on disk is lost. */
  async kill(): Promise<void> {
    const process = this.#process;
    if (process === undefined || process.exitCode !== null || process.signalCode !== null) return;
    const ended = once(process, 'exit');
    process.kill('SIGKILL');
    await ended;
  }

  /** Stands still: connections stay open, nobody answers. */
  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }
}
