import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { withSecretFiles } from './secret-files.js';

const directory = mkdtempSync(join(tmpdir(), 'quittance-secrets-'));

afterAll(() => {
  rmSync(directory, { recursive: true });
});

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

test('a secret is read from its file, without the last end of line', () => {
  const env = { QUITTANCE_DATABASE_URL_FILE: file('url', 'postgresql://me:se cret@host/db\n'), OTHER: 'x' };
  expect(withSecretFiles(env)).toEqual({
    QUITTANCE_DATABASE_URL: 'postgresql://me:se cret@host/db',
    OTHER: 'x',
  });
});

test('an empty variable names no file', () => {
  expect(withSecretFiles({ QUITTANCE_REDIS_URL_FILE: '' })).toEqual({});
});

test.each([
  [{ QUITTANCE_KAFKA_PASSWORD: 'a', QUITTANCE_KAFKA_PASSWORD_FILE: '/b' }, 'are both set'],
  [{ QUITTANCE_KAFKA_PASSWORD_FILE: '/nowhere/password' }, 'cannot be read (ENOENT)'],
  [{ QUITTANCE_KAFKA_PASSWORD_FILE: file('empty', '\n') }, 'is empty'],
])('%j is refused', (env, words) => {
  expect(() => withSecretFiles(env)).toThrow(words);
});
