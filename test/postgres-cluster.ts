/** PostgreSQL servers of a test's own, on free ports of 127.0.0.1: to be killed, restored and promoted. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import pg from 'pg';
import { freePort } from '../lib/process/free-port.js';
import { type EngineUser, engineUserFor } from '../services/standalone/engines/engine-user.js';
import { locatePostgres, programsFor } from '../services/standalone/engines/postgres-package.js';

const USER = 'postgres';
const LOOK_MS = 20;
const START_LIMIT_MS = 60_000;

/** The programs that a cluster is made and run by. Absolute paths. */
export interface ClusterPrograms {
  readonly initdb: string;
  readonly postgres: string;
}

export interface Cluster {
  readonly port: number;
  /** The data directory. */
  readonly data: string;
  url(database: string): string;
  config(database: string): pg.PoolConfig;
  /** Runs statements in a database, and gives the rows of the last one. */
  query(statement: string, database?: string): Promise<readonly Record<string, unknown>[]>;
  /** kill -9 of the server and all that belongs to it. */
  kill(): Promise<void>;
  /** Shuts down in order. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** A place for clusters. */
export class Clusters {
  readonly directory: string;
  readonly #programs: ClusterPrograms;
  readonly #user: EngineUser;
  readonly #servers = new Set<ChildProcess>();

  private constructor(directory: string, programs: ClusterPrograms, user: EngineUser) {
    this.directory = directory;
    this.#programs = programs;
    this.#user = user;
  }

  /** Of the PostgreSQL that npm brings, unless others are given. */
  static async open(programs?: ClusterPrograms): Promise<Clusters> {
    const directory = mkdtempSync(join(tmpdir(), `qcluster-${String(process.pid)}-`));
    const user = engineUserFor(directory);
    if (user !== undefined) chownSync(directory, user.uid, user.gid);
    const found = programs ?? programsFor(user, await locatePostgres(), { info: () => undefined });
    return new Clusters(directory, found, user);
  }

  /** Who runs the servers, for other programs on their files. */
  get user(): EngineUser {
    return this.#user;
  }

  async close(): Promise<void> {
    for (const server of this.#servers) await killTree(server);
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Makes a new cluster and starts it. */
  async create(name: string, settings: Readonly<Record<string, string>> = {}): Promise<Cluster> {
    const data = join(this.directory, name);
    const args = ['-D', data, '-U', USER, '--auth=trust', '--encoding=UTF8', '--no-sync', '--locale=C'];
    const made = spawnSync(this.#programs.initdb, args, {
      encoding: 'utf8',
      cwd: this.directory,
      ...this.#user,
    });
    if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`);
    return this.run(data, settings);
  }

  /** A standby of a cluster, by a base backup taken by hand: npm brings no pg_basebackup. `primary` is what it follows. */
  async standby(of: Cluster, name: string, primaryPort: number): Promise<Cluster> {
    const data = join(this.directory, name);
    const client = new pg.Client(of.config(USER));
    await client.connect();
    try {
      await client.query(`select pg_backup_start('standby', true)`);
      cpSync(of.data, data, { recursive: true, filter: (path) => basename(path) !== 'postmaster.pid' });
      const { rows } = await client.query<{ labelfile: string }>(
        'select labelfile from pg_backup_stop(false)',
      );
      writeFileSync(join(data, 'backup_label'), rows[0]?.labelfile ?? '');
    } finally {
      await client.end();
    }
    writeFileSync(join(data, 'standby.signal'), '');
    const conninfo = `host=127.0.0.1 port=${String(primaryPort)} user=${USER} application_name=${name}`;
    appendFileSync(join(data, 'postgresql.auto.conf'), `primary_conninfo = '${conninfo}'\n`);
    this.#own(data);
    return this.run(data, {});
  }

  /** Starts a server on a data directory that is there. */
  async run(data: string, settings: Readonly<Record<string, string>>): Promise<Cluster> {
    const port = await freePort();
    let server = await this.#launch(data, port, settings);
    const config = (database: string) => ({ host: '127.0.0.1', port, user: USER, database });
    return {
      port,
      data,
      config,
      url: (database) => `postgresql://${USER}@127.0.0.1:${String(port)}/${database}`,
      query: async (statement, database = USER) => {
        const client = new pg.Client(config(database));
        await client.connect();
        try {
          return (await client.query<Record<string, unknown>>(statement)).rows;
        } finally {
          await client.end();
        }
      },
      kill: () => killTree(server),
      stop: async () => {
        // As `pg_ctl stop -m fast` does.
        server.kill('SIGINT');
        if (server.exitCode === null) await once(server, 'exit');
      },
      start: async () => {
        server = await this.#launch(data, port, settings);
      },
    };
  }

  async #launch(
    data: string,
    port: number,
    settings: Readonly<Record<string, string>>,
  ): Promise<ChildProcess> {
    const all = {
      // The data is deleted after the test, so it need not survive a crash of the machine.
      fsync: 'off',
      shared_buffers: '32MB',
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      ...settings,
    };
    const options = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const server = spawn(this.#programs.postgres, ['-D', data, '-p', String(port), ...options], {
      cwd: this.directory,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...this.#user,
    });
    this.#servers.add(server);
    let output = '';
    for (const stream of [server.stdout, server.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    }
    const until_ms = performance.now() + START_LIMIT_MS;
    while (!isReady(data)) {
      if (server.exitCode !== null || performance.now() > until_ms) {
        throw new Error(`PostgreSQL did not start: ${output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    return server;
  }

  /** Gives files that the test wrote to the user of the servers. */
  #own(path: string): void {
    const user = this.#user;
    chmodSync(path, 0o700);
    if (user === undefined) return;
    chownSync(path, user.uid, user.gid);
    for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' })) {
      chownSync(join(path, name), user.uid, user.gid);
    }
  }
}

/** Whether the server says in its lock file that it takes connections; a standby says so too. */
function isReady(data: string): boolean {
  try {
    const status = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[7]?.trim();
    return status === 'ready' || status === 'standby';
  } catch {
    return false;
  }
}

/** The server's processes end with their postmaster. */
async function killTree(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, 'exit');
  server.kill('SIGKILL');
  await ended;
}
