/** A PostgreSQL that takes connections over TLS and with a password only. */
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { engineUserFor } from '../../services/standalone/engines/engine-user.js';
import {
  type PostgresEngine,
  startPostgresEngine,
} from '../../services/standalone/engines/postgres-engine.js';
import { createRoot, type TestRoot } from '../../test/certificates.js';
import { until } from '../../test/until.js';
import { createPool } from './postgres-client.js';
import { listenForCommits } from './postgres-listen.js';

/** An address of this machine that no other server listens on: the port is always the same. */
const HOST =
  process.platform === 'linux'
    ? `127.77.${String((process.pid >> 8) & 255)}.${String(process.pid & 255)}`
    : '127.0.0.1';
const PASSWORD = 'pass/word@1:';

let root: TestRoot;
let directory: string;
let engine: PostgresEngine;

beforeAll(async () => {
  root = await createRoot(HOST);
  directory = mkdtempSync(join(tmpdir(), 'quittance-secured-'));
  chmodSync(directory, 0o755);
  const own = await root.issue('postgres');
  const hba = join(directory, 'pg_hba.conf');
  writeFileSync(hba, 'local all all trust\nhostssl all all all scram-sha-256\n');
  const files = {
    ssl_cert_file: join(directory, 'server.pem'),
    ssl_key_file: join(directory, 'server.key'),
  };
  root.copy(own, { certificatePath: files.ssl_cert_file, keyPath: files.ssl_key_file });
  chmodSync(files.ssl_key_file, 0o600);
  const dataDir = join(directory, 'data');
  mkdirSync(join(dataDir, 'log'), { recursive: true });
  const user = engineUserFor(dataDir);
  if (user !== undefined) chownSync(files.ssl_key_file, user.uid, user.gid);
  engine = await startPostgresEngine({
    dataDir,
    log: pino({ level: 'silent' }),
    settings: { listen_addresses: HOST, ssl: 'on', hba_file: hba, ...files },
    isKept: false,
  });
  const pool = createPool(engine.connection, { max: 1, name: 'test' });
  await pool.query(`create role app login password '${PASSWORD}'`);
  await pool.end();
}, 120_000);

afterAll(async () => {
  await engine.stop();
  rmSync(directory, { recursive: true, force: true });
  root.remove();
});

function urlWith(password: string, parameters: string): string {
  const port = String(engine.connection.port);
  return `postgresql://app:${encodeURIComponent(password)}@${HOST}:${port}/quittance?${parameters}`;
}

async function userOf(connectionString: string): Promise<unknown> {
  const pool = createPool({ connectionString }, { max: 1, name: 'test' });
  try {
    const { rows } = await pool.query<Record<string, unknown>>(
      'select current_user as name, ssl from pg_stat_ssl where pid = pg_backend_pid()',
    );
    return rows[0];
  } finally {
    await pool.end();
  }
}

test('is reached by sslmode=verify-full, its root and a password, and by nothing less', async () => {
  const verified = `sslmode=verify-full&sslrootcert=${encodeURIComponent(root.path)}`;
  expect(await userOf(urlWith(PASSWORD, verified))).toEqual({ name: 'app', ssl: true });
  await expect(userOf(urlWith('wrong', verified))).rejects.toThrow(/password/);
  await expect(userOf(urlWith(PASSWORD, ''))).rejects.toThrow(/no encryption|no pg_hba.conf entry/);
  const stranger = await createRoot();
  const unknown = `sslmode=verify-full&sslrootcert=${encodeURIComponent(stranger.path)}`;
  await expect(userOf(urlWith(PASSWORD, unknown))).rejects.toThrow();
  stranger.remove();
});

test('tells of commits over the same connection settings', async () => {
  const connectionString = urlWith(
    PASSWORD,
    `sslmode=verify-full&sslrootcert=${encodeURIComponent(root.path)}`,
  );
  const heard: (bigint | undefined)[] = [];
  const { stop } = listenForCommits({ connectionString }, (position) => heard.push(position));
  const pool = createPool({ connectionString }, { max: 1, name: 'test' });
  let isNotifying = false;
  await until(() => {
    if (!isNotifying) {
      isNotifying = true;
      void pool.query(`select pg_notify('quittance_log', '7')`).then(() => {
        isNotifying = false;
      });
    }
    return heard.includes(7n);
  });
  await stop();
  await pool.end();
});
