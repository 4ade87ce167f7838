/**
 * Backup and restore as docs/operations.md says, command by command, on a real server of its own and under a platform that goes on.
 * It needs the programs of PostgreSQL, of which npm brings only the server: without them it says so and runs nothing.
 */
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { freePort } from '../../../lib/process/free-port.js';
import { openBooks, patientClient, proveBooks, until } from '../../../test/load.js';
import type { GrpcClient } from '../../../tools/client/grpc-client.js';
import { type EngineUser, engineUserFor } from '../engines/engine-user.js';
import { Payments } from './lost-history.js';
import { startPlatform, type TestPlatform } from './platform.js';

const DATABASE = 'quittance';
const LOST_PAYMENTS = 30;
const PROGRAMS = 'postgres initdb pg_ctl pg_basebackup pg_dump pg_restore psql createdb'.split(' ');
/** Where Debian and its relatives have them. */
const INSTALLED = '/usr/lib/postgresql';

/** The newest installation that has all programs. */
function findPrograms(): string | undefined {
  const versions = existsSync(INSTALLED) ? readdirSync(INSTALLED).map(Number) : [];
  const places = versions.sort((a, b) => b - a).map((version) => join(INSTALLED, String(version), 'bin'));
  return places.find((bin) => PROGRAMS.every((program) => existsSync(join(bin, program))));
}

/** The commands of a block of docs/operations.md, by the word after `sh`. */
function documented(name: string): string {
  const page = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8');
  const block = new RegExp(`^\`\`\`sh ${name}\n(.*?)^\`\`\`$`, 'ms').exec(page)?.[1];
  if (block === undefined) throw new Error(`docs/operations.md has no block ${name}`);
  return block;
}

/** A server whose commands are run as an operator runs them. */
class Operated {
  readonly #bin: string;
  readonly #directory: string;
  readonly #user: EngineUser;
  readonly #port: number;
  readonly #data: string;

  private constructor(bin: string, directory: string, user: EngineUser, port: number) {
    this.#bin = bin;
    this.#directory = directory;
    this.#user = user;
    this.#port = port;
    this.#data = join(directory, 'data');
  }

  static async start(bin: string): Promise<Operated> {
    const directory = mkdtempSync(join(tmpdir(), `qbackup-${String(process.pid)}-`));
    const user = engineUserFor(directory);
    const operated = new Operated(bin, directory, user, await freePort());
    mkdirSync(join(directory, 'archive'));
    for (const path of [directory, join(directory, 'archive')]) {
      if (user !== undefined) chownSync(path, user.uid, user.gid);
    }
    operated.run('initdb -D "$PGDATA" -U "$PGUSER" --auth=trust --encoding=UTF8 --no-sync --locale=C');
    const settings = [
      `port = ${String(operated.#port)}`,
      `listen_addresses = '127.0.0.1'`,
      `unix_socket_directories = ''`,
      // The data is deleted after the test, so it need not survive a crash of the machine.
      `fsync = off`,
    ];
    appendFileSync(join(operated.#data, 'postgresql.conf'), `${settings.join('\n')}\n`);
    operated.run('pg_ctl -w -D "$PGDATA" start');
    operated.run('createdb --maintenance-db=postgres "$PGDATABASE"');
    return operated;
  }

  get config(): pg.PoolConfig {
    return { host: '127.0.0.1', port: this.#port, user: 'postgres', database: DATABASE };
  }

  /** Runs commands with the environment that docs/operations.md names. @throws Error with what they say if they fail */
  run(commands: string, more: Readonly<Record<string, string>> = {}): void {
    const output = join(this.#directory, 'output');
    // A file, since a server that a command starts keeps it open.
    const log = openSync(output, 'w');
    const { status } = spawnSync('bash', ['-euo', 'pipefail', '-c', commands], {
      cwd: this.#directory,
      stdio: ['ignore', log, log],
      env: {
        PATH: `${this.#bin}:${process.env['PATH'] ?? ''}`,
        PGHOST: '127.0.0.1',
        PGPORT: String(this.#port),
        PGUSER: 'postgres',
        PGDATABASE: DATABASE,
        PGDATA: this.#data,
        ARCHIVE: join(this.#directory, 'archive'),
        BACKUP: join(this.#directory, 'backup'),
        ...more,
      },
      ...this.#user,
    });
    closeSync(log);
    if (status !== 0) throw new Error(`these failed:\n${commands}\n${readFileSync(output, 'utf8')}`);
  }

  async query(statement: string): Promise<Record<string, unknown> | undefined> {
    const client = new pg.Client(this.config);
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(statement)).rows[0];
    } finally {
      await client.end();
    }
  }

  stop(): void {
    this.run('pg_ctl -w -D "$PGDATA" stop -m immediate');
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

const bin = findPrograms();
if (bin === undefined) {
  process.stdout.write(`backup and restore are not tested: ${INSTALLED} has no programs of PostgreSQL\n`);
}

(bin === undefined ? describe.skip : describe)('docs/operations.md restores', () => {
  let server: Operated;
  let platform: TestPlatform;
  let client: GrpcClient;

  beforeAll(async () => {
    server = await Operated.start(bin ?? '');
    server.run(documented('archive'));
    const { port, host } = server.config;
    const url = `postgresql://postgres@${String(host)}:${String(port)}/${DATABASE}`;
    platform = await startPlatform({
      database: { config: server.config, url, drop: () => Promise.resolve() },
    });
    client = patientClient(platform.grpcAddress);
  });

  afterAll(async () => {
    client.close();
    await platform.stop();
    server.stop();
  });

  test('a moment, from a base backup and the WAL: what came after it is lost and told', async () => {
    const payments = new Payments({ command: client, query: client }, 'moment');
    await openBooks(client, 'moment', 2);
    server.run(documented('base-backup'));
    const before = await payments.stand();
    const moment = await server.query('select clock_timestamp()::text as time');
    const held = await payments.payAndHold(LOST_PAYMENTS);
    const segment = await server.query('select pg_walfile_name(pg_switch_wal()) as name');
    await until('the WAL is archived', async () => {
      const archived = await server.query('select last_archived_wal as name from pg_stat_archiver');
      return String(archived?.['name']) >= String(segment?.['name']);
    });
    server.run(documented('restore-to-a-moment'), { TIME: String(moment?.['time']) });
    const took_ms = await payments.expectWhole(held, before, () =>
      proveBooks(platform.grpcAddress, 'moment'),
    );
    process.stdout.write(
      `restored to a moment: ${String(LOST_PAYMENTS)} lost, whole after ${String(took_ms)} ms\n`,
    );
  });

  test('a dump: what came after it is lost and told', async () => {
    const payments = new Payments({ command: client, query: client }, 'dumped');
    await openBooks(client, 'dumped', 2);
    const before = await payments.stand();
    server.run(documented('dump'));
    const held = await payments.payAndHold(LOST_PAYMENTS);
    server.run(documented('restore-a-dump'));
    const took_ms = await payments.expectWhole(held, before, () =>
      proveBooks(platform.grpcAddress, 'dumped'),
    );
    process.stdout.write(
      `restored from a dump: ${String(LOST_PAYMENTS)} lost, whole after ${String(took_ms)} ms\n`,
    );
    expect(Number((await server.query('select max(epoch) as epoch from log.flushes'))?.['epoch'])).toBe(2);
  });
});
