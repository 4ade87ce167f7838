/** Tokens of an OpenID provider that is not ours: what it signs, and where it publishes its keys. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { Denials } from './denials.js';
import { IssuerKeys, keysAt, URL_TIMES } from './jwks.js';
import { JwtCallers } from './jwt.js';

const PROGRAM = fileURLToPath(new URL('../../test/oidc-issuer.mjs', import.meta.url));
const RESOURCE = 'urn:quittance:api';
const CLIENT = { id: 'backend', secret: 'a-secret-of-the-test' };

let provider: ChildProcessWithoutNullStreams;
let issuer: string;

beforeAll(async () => {
  const args = [PROGRAM, CLIENT.id, CLIENT.secret, 'read:books write:books', 'quittance'];
  provider = spawn(process.execPath, args, { env: { ...process.env, NODE_OPTIONS: '' } });
  const [line] = (await once(provider.stdout.setEncoding('utf8'), 'data')) as [string];
  issuer = line.trim();
});

afterAll(async () => {
  provider.stdin.end();
  await once(provider, 'exit');
});

async function tokenFor(scope: string): Promise<string> {
  const answer = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${CLIENT.id}:${CLIENT.secret}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope, resource: RESOURCE }),
  });
  const answered = (await answer.json()) as { readonly access_token?: string };
  if (answered.access_token === undefined) throw new Error(`no token: ${JSON.stringify(answered)}`);
  return answered.access_token;
}

function callersFor(audience: string): JwtCallers {
  const log = pino({ level: 'silent' });
  const keys = new IssuerKeys(keysAt(`${issuer}/jwks`), URL_TIMES, log);
  return new JwtCallers(keys, { issuer, audience }, new Denials(log, new Registry()));
}

test('an access token for a client is taken, with the scopes that it was given', async () => {
  const caller = await callersFor('quittance').callerOf(await tokenFor('read:books'));
  expect(caller.actor).toBe(CLIENT.id);
  expect(caller.ledgers.may('read', 'books')).toBe(true);
  expect(caller.ledgers.may('write', 'books')).toBe(false);
});

test('the same token is refused where another audience is wanted', async () => {
  await expect(callersFor('elsewhere').callerOf(await tokenFor('read:books'))).rejects.toThrow('claim aud');
});
