/** The tools at a server that wants TLS and credentials. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newApiKey } from '../../lib/auth/api-key.js';
import { insertKey, prepareKeys } from '../../lib/auth/postgres-keys.js';
import { createPool } from '../../lib/log/postgres-client.js';
import { startPlatform, type TestPlatform } from '../../services/standalone/test/platform.js';
import { createRoot, type TestRoot } from '../../test/certificates.js';
import { createShell } from '../cli/test/shell.js';
import { importCommand } from '../import/import-command.js';
import { accessOf } from './access.js';

/** A rebuilt machine takes its time to start a program. */
const LIMIT_MS = 120_000;
const key = newApiKey();

let root: TestRoot;
let platform: TestPlatform;
let directory: string;

beforeAll(async () => {
  root = await createRoot();
  directory = mkdtempSync(join(tmpdir(), 'quittance-secured-test-'));
  platform = await startPlatform({
    auth: { issuer: undefined },
    tls: { ...(await root.issue('doors')), clientCaPath: undefined, peerCaPath: undefined },
    prepare: async (database) => {
      const pool = createPool(database.config, { max: 1, name: 'test' });
      await prepareKeys(pool);
      const scopes = ['create', 'read', 'write', 'admin'].map((kind) => `${kind}:*`);
      await insertKey(pool, key, { name: 'tools', scopes, expires_at: null });
      await pool.end();
    },
  });
});

afterAll(async () => {
  await platform.stop();
  root.remove();
  rmSync(directory, { recursive: true });
});

/** Imports two movements. */
async function imported(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const file = join(directory, 'bank.csv');
  writeFileSync(file, 'id,account,date,amount\n1,anna,1993-01-01,900\n2,anna,1993-01-02,-300\n');
  let text = '';
  const output = { write: (more: string) => (text += more) };
  const columns = ['id=id', 'account=account', 'date=date', 'amount=amount'].flatMap((each) => [
    '--map',
    each,
  ]);
  const code = await importCommand(
    [
      file,
      '--ledger',
      `l-${randomUUID()}`,
      '--currency',
      'CZK',
      '--no-balances',
      ...columns,
      '--patience',
      '5',
      '--address',
      platform.grpcAddress,
      ...args,
    ],
    { stdout: output, stderr: output, stdin: Readable.from([]), env },
  );
  return { code, text };
}

test('an import gives its credentials and knows the server by its certificate, by flags and by variables', async () => {
  const byFlags = await imported(['--token', key.key, '--ca-file', root.path]);
  expect(byFlags).toMatchObject({ code: 0 });
  const byVariables = await imported([], { QUITTANCE_CLI_TOKEN: key.key, QUITTANCE_CLI_CA_FILE: root.path });
  expect(byVariables).toMatchObject({ code: 0 });
});

test('an import without credentials, or with a wrong key, ends with a line that says so', async () => {
  for (const args of [[], ['--token', newApiKey().key]]) {
    const { code, text } = await imported([...args, '--ca-file', root.path]);
    expect(code).not.toBe(0);
    expect(text).toMatch(/credentials|API key/);
    expect(text).not.toContain(key.key);
  }
});

test('the demo plays at a server that wants TLS and a key', async () => {
  const demo = fileURLToPath(new URL('../../dist/tools/demo/main.js', import.meta.url));
  const env = { ...process.env, QUITTANCE_CLI_TOKEN: key.key, QUITTANCE_CLI_CA_FILE: root.path };
  const args = [demo, '--seconds', '1', '--address', platform.grpcAddress];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env, timeout: LIMIT_MS });
  expect(stdout).toContain('ledger demo');
});

test('the command line gives the credentials of its profile', async () => {
  const shell = createShell({});
  await shell.run('config', 'set', 'address', platform.grpcAddress);
  await shell.run('config', 'set', 'ca-file', root.path);
  expect(await shell.run('ledger', 'list')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('credentials'),
  });
  await shell.runWith({ stdin: `${key.key}\n` }, 'config', 'set', 'token');
  const ledger = `l-${randomUUID()}`;
  expect(await shell.run('ledger', 'create', ledger, '-o', 'id')).toMatchObject({
    code: 0,
    stdout: `${ledger}\n`,
  });
  const status = await shell.run('status', '-o', 'id');
  expect(status).toMatchObject({ code: 0, stdout: 'server\nqueue\nbalances\nhistory\nreports\n' });
  rmSync(shell.home, { recursive: true });
});

test('certificates that cannot be read are one line, and TLS is on where a file is named', () => {
  expect(() => accessOf({ QUITTANCE_CLI_CA_FILE: '/nowhere/ca.pem' })).toThrow(
    'the certificates /nowhere/ca.pem cannot be read',
  );
  expect(accessOf({}, { caFile: root.path })).toMatchObject({ tls: true, token: undefined });
  expect(accessOf({ QUITTANCE_CLI_TLS: 'true' })).toMatchObject({ tls: true, ca: undefined });
  expect(accessOf({})).toMatchObject({ tls: false });
});
