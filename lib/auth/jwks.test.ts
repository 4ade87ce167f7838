/** When the keys of the issuer are read, and for how long they are good. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair, type JSONWebKeySet, type JWK } from 'jose';
import { until } from '../../test/until.js';
import { IssuerKeys, type JwksTimes, keysInFile } from './jwks.js';

const silent = { warn: () => undefined, info: () => undefined };
/** Nothing happens by time. */
const NEVER: JwksTimes = { fresh_ms: 1e9, coolDown_ms: 1e9, retry_ms: 1e9, stale_ms: 1e9 };
const header = (kid: string) => ({ alg: 'ES256', kid });

let one: JWK;
let two: JWK;

beforeAll(async () => {
  [one, two] = await Promise.all([jwk('one'), jwk('two')]);
});

async function jwk(kid: string): Promise<JWK> {
  const { publicKey } = await generateKeyPair('ES256', { extractable: true });
  return { ...(await exportJWK(publicKey)), kid, alg: 'ES256' };
}

/** Keys that can be replaced, and a count of how often they are read. */
function source(...keys: JWK[]) {
  const state = { reads: 0, answer: (): JSONWebKeySet => ({ keys }) };
  const read = async () => {
    state.reads += 1;
    return Promise.resolve(state.answer());
  };
  return { state, read };
}

test('they are read once for many tokens at once', async () => {
  const { state, read } = source(one);
  const keys = new IssuerKeys(read, NEVER, silent);
  await Promise.all(Array.from({ length: 50 }, () => keys.keyOf(header('one'))));
  expect(state.reads).toBe(1);
});

test('a new key is found at once if they were not read a moment ago', async () => {
  const { state, read } = source(one);
  const keys = new IssuerKeys(read, { ...NEVER, coolDown_ms: 0 }, silent);
  await keys.keyOf(header('one'));
  state.answer = () => ({ keys: [two] });
  await keys.keyOf(header('two'));
  await expect(keys.keyOf(header('one'))).rejects.toThrow('no applicable key');
});

test('names of no key do not make the issuer be asked again and again', async () => {
  const { state, read } = source(one);
  const keys = new IssuerKeys(read, NEVER, silent);
  for (let index = 0; index < 100; index += 1) {
    await expect(keys.keyOf(header(`stranger-${String(index)}`))).rejects.toThrow('no applicable key');
  }
  expect(state.reads).toBe(1);
});

test('old keys are read again; while they cannot be, they stay good for a while', async () => {
  const { state, read } = source(one);
  const keys = new IssuerKeys(read, { ...NEVER, fresh_ms: -1, coolDown_ms: 0, retry_ms: 0 }, silent);
  await keys.keyOf(header('one'));
  state.answer = () => {
    throw new Error('away');
  };
  await keys.keyOf(header('one'));
  expect(state.reads).toBeGreaterThan(1);
});

test('keys that are too old and cannot be read again are good no more', async () => {
  const { state, read } = source(one);
  const times = { fresh_ms: -1, coolDown_ms: 0, retry_ms: 0, stale_ms: 0 };
  const keys = new IssuerKeys(read, { ...times, stale_ms: 1e9 }, silent);
  await keys.keyOf(header('one'));
  state.answer = () => {
    throw new Error('away');
  };
  const impatient = new IssuerKeys(read, times, silent);
  await expect(impatient.keyOf(header('one'))).rejects.toThrow('cannot be read');
});

test('keys in a file are those that are in it now; a file of another kind or an enormous one is refused', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'quittance-jwks-'));
  const path = join(directory, 'jwks.json');
  const read = keysInFile(path);
  await expect(read()).rejects.toThrow('ENOENT');
  await writeFile(path, JSON.stringify({ keys: [one] }));
  expect(await read()).toEqual({ keys: [one] });
  await writeFile(path, '[]');
  await expect(read()).rejects.toThrow('no JSON Web Key Set');
  await writeFile(path, 'x'.repeat(513 * 1024));
  await expect(read()).rejects.toThrow('larger than');
  await rm(directory, { recursive: true });
});

test('a failure is logged once, and its end once', async () => {
  const lines: string[] = [];
  const log = {
    warn: (_about: unknown, line?: string) => lines.push(line ?? ''),
    info: (line: unknown) => lines.push(String(line)),
  };
  const { state, read } = source(one);
  const { answer } = state;
  state.answer = () => {
    throw new Error('away');
  };
  const keys = new IssuerKeys(read, { ...NEVER, coolDown_ms: 0, retry_ms: 0 }, log);
  for (let index = 0; index < 3; index += 1) await expect(keys.keyOf(header('one'))).rejects.toThrow();
  state.answer = answer;
  await keys.keyOf(header('one'));
  await until(() => lines.length === 2);
  expect(lines).toEqual(['the keys of the issuer cannot be read', 'the keys of the issuer are read again']);
});
