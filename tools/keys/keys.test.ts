import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { apiKeyParts } from '../../lib/auth/api-key.js';
import { postgresKeyStore } from '../../lib/auth/postgres-keys.js';
import { createPool, type Pool } from '../../lib/log/postgres-client.js';
import { createTestDatabase, type TestDatabase } from '../../test/postgres.js';
import { type KeysLine, runKeys } from './keys.js';

let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool(database.config, { max: 1, name: 'test' });
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

async function keys(line: Partial<KeysLine>) {
  let out = '';
  let err = '';
  const host = {
    env: { QUITTANCE_DATABASE_URL: database.url },
    stdout: { write: (text: string) => (out += text) },
    stderr: { write: (text: string) => (err += text) },
  };
  const code = await runKeys(host, {
    action: undefined,
    subject: undefined,
    scopes: [],
    expiresIn: '365d',
    ...line,
  });
  return { code, out, err };
}

test('a key is shown once, kept as a hash, listed, and gone when it is revoked', async () => {
  const made = await keys({ action: 'create', subject: 'billing', scopes: ['read:shop', 'write:shop-*'] });
  const parts = apiKeyParts(made.out.trim());
  if (parts === undefined) throw new Error('what was printed is a key');
  expect(made.err).toContain(`key ${parts.id} of billing`);

  const kept = await postgresKeyStore(pool).live();
  expect(kept).toMatchObject([{ id: parts.id, name: 'billing', scopes: ['read:shop', 'write:shop-*'] }]);
  expect(Buffer.from(kept[0]?.secretHash ?? [])).toEqual(parts.secretHash);
  const rows = await pool.query<Record<string, string>>('select k::text as row from auth.api_keys k');
  const secret = made.out.trim().split('_').slice(2).join('_');
  expect(rows.rows[0]?.['row']).not.toContain(secret);

  expect((await keys({ action: 'list' })).out).toMatch(
    new RegExp(`${parts.id} +billing +good .*read:shop write:shop-\\*`),
  );
  expect((await keys({ action: 'revoke', subject: parts.id })).code).toBe(0);
  expect(await postgresKeyStore(pool).live()).toEqual([]);
  expect((await keys({ action: 'list' })).out).toContain('revoked');
  expect((await keys({ action: 'revoke', subject: '0123456789ab' })).code).toBe(1);
});

test('a key that never expires says so, and one that has expired is not read by servers', async () => {
  const made = await keys({ action: 'create', subject: 'metrics', scopes: ['metrics'], expiresIn: 'never' });
  expect(made.err).toContain('until it is revoked');
  const { id } = apiKeyParts(made.out.trim()) ?? { id: '' };
  expect(await postgresKeyStore(pool).live()).toMatchObject([{ id, expiry_ms: undefined }]);
  await pool.query(`update auth.api_keys set expires_at = now() - interval '1 second' where key_id = $1`, [
    id,
  ]);
  expect(await postgresKeyStore(pool).live()).toEqual([]);
  expect((await keys({ action: 'list' })).out).toMatch(new RegExp(`${id} +metrics +expired`));
});

test.each([
  [{}, 'say create, list or revoke'],
  [{ action: 'delete' }, 'say create, list or revoke'],
  [{ action: 'create' }, 'a key has a name'],
  [{ action: 'create', subject: 'Billing', scopes: ['read:*'] }, 'a key has a name'],
  [{ action: 'create', subject: 'billing' }, 'scopes'],
  [{ action: 'create', subject: 'billing', scopes: ['read'] }, '"read" is no scope'],
  [{ action: 'create', subject: 'billing', scopes: ['read:*'], expiresIn: '0d' }, 'a number of days'],
  [{ action: 'create', subject: 'billing', scopes: ['read:*'], expiresIn: 'soon' }, 'a number of days'],
  [{ action: 'revoke', subject: 'billing' }, 'by its id'],
])('%j is refused with what to type', async (line, words) => {
  await expect(keys(line)).rejects.toThrow(words);
});

test('without a database that can be found it says what to do', async () => {
  const host = { env: { QUITTANCE_DATA_DIR: '/nowhere' }, stdout: process.stdout, stderr: process.stderr };
  const line = { action: 'list', subject: undefined, scopes: [], expiresIn: '1d' };
  await expect(runKeys(host, line)).rejects.toThrow('start it first');
});
