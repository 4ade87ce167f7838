/** Who calls: credentials of every kind, good and bad, through both doors. */
import { createHmac, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ConnectError, createClient, type Interceptor } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { pino } from 'pino';
import { AccountCommandService } from '../../../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import { EventQueryService } from '../../../gen/quittance/query/v1/event_query_service_pb.js';
import { LedgerQueryService } from '../../../gen/quittance/query/v1/ledger_query_service_pb.js';
import { newApiKey } from '../../../lib/auth/api-key.js';
import { insertKey, revokeKey } from '../../../lib/auth/postgres-keys.js';
import { createPool, type Pool } from '../../../lib/log/postgres-client.js';
import { CALL_PATIENCE_MS } from '../../../test/patience.js';
import { until } from '../../../test/until.js';
import { ALGORITHMS, startIssuer, type TestIssuer } from './issuer.js';
import { startPlatform, type TestPlatform } from './platform.js';
import { type Outcome, type RawClient, rawClient, type Wire, WIRES } from './raw-client.js';

const LEDGER = 'books';
const ALL = 'read:* write:* admin:* create:*';
const COMPLETE = { requirement: { case: 'fullyConsistent' as const, value: true } };

let issuer: TestIssuer;
let platform: TestPlatform;
let raw: RawClient;
let pool: Pool;
const lines: string[] = [];

beforeAll(async () => {
  issuer = await startIssuer();
  const log = pino({ level: 'info' }, { write: (line: string) => lines.push(line) });
  platform = await startPlatform({ auth: { issuer: issuer.config }, log });
  raw = rawClient(platform.grpcAddress, platform.connectUrl);
  pool = createPool(platform.database.config, { max: 1, name: 'test' });
  const { key } = await addKey(['create:*']);
  await taken(key);
  const made = await raw.json(
    'grpc',
    LedgerCommandService.method.createLedger,
    { ledgerId: LEDGER, requestId: randomUUID() },
    { authorization: `Bearer ${key}` },
  );
  expect(made.reasons).toEqual([]);
});

afterAll(async () => {
  raw.close();
  for (const session of sessions) session.abort();
  await pool.end();
  await platform.stop();
  await issuer.close();
});

function getLedger(wire: Wire, authorization: string | undefined): Promise<Outcome> {
  const request = { ledgerId: LEDGER, consistency: { fullyConsistent: true } };
  return raw.json(wire, LedgerQueryService.method.getLedger, request, {
    authorization,
    timeout_ms: CALL_PATIENCE_MS,
  });
}

async function expectRefused(authorization: string | undefined, message: RegExp): Promise<void> {
  for (const wire of WIRES) {
    const { reasons, message: text, httpStatus } = await getLedger(wire, authorization);
    expect([wire, reasons, text]).toEqual([
      wire,
      ['quittance/UNAUTHENTICATED'],
      expect.stringMatching(message) as unknown,
    ]);
    expect(httpStatus).toBe(wire === 'grpc' ? 0 : 401);
  }
}

async function expectTaken(authorization: string): Promise<void> {
  for (const wire of WIRES) {
    expect([wire, (await getLedger(wire, authorization)).reasons]).toEqual([wire, []]);
  }
}

/** A key in the store of the platform. */
async function addKey(scopes: readonly string[], expires_at: Date | null = null, name = 'shop') {
  const key = newApiKey();
  await insertKey(pool, key, { name, scopes, expires_at });
  return key;
}

/** Calls until the outcome is as wanted. Fails after half a minute. */
async function called(authorization: string, isWanted: (outcome: Outcome) => boolean): Promise<void> {
  let last: Outcome | undefined;
  let isCalling = false;
  await until(() => {
    if (last !== undefined && isWanted(last)) return true;
    if (isCalling) return false;
    isCalling = true;
    void getLedger('grpc', authorization).then((outcome) => {
      last = outcome;
      isCalling = false;
    });
    return false;
  });
}

/** Resolves when the server has read the key. */
function taken(key: string): Promise<void> {
  return called(`Bearer ${key}`, ({ reasons }) => !reasons.includes('quittance/UNAUTHENTICATED'));
}

const sessions: Http2SessionManager[] = [];

function clientsWith(authorization: string) {
  const baseUrl = `http://${platform.grpcAddress}`;
  const sessionManager = new Http2SessionManager(baseUrl);
  sessions.push(sessionManager);
  const interceptors: Interceptor[] = [
    (next) => (request) => {
      request.header.set('authorization', authorization);
      return next(request);
    },
  ];
  return {
    grpc: createGrpcTransport({ baseUrl, interceptors, sessionManager }),
    connect: createConnectTransport({ baseUrl: platform.connectUrl, httpVersion: '1.1', interceptors }),
  };
}

/** The same token with other claims, or another header, under the old signature or another one. */
function forged(token: string, header: object, sign?: (signed: string) => string): string {
  const [, payload = '', signature = ''] = token.split('.');
  const signed = `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload}`;
  return `Bearer ${signed}.${sign === undefined ? signature : sign(signed)}`;
}

describe('while the keys of the issuer', () => {
  test.each([
    ['are away', { status: 503, body: '' }],
    ['are enormous', { status: 200, body: JSON.stringify({ keys: [], more: 'x'.repeat(600_000) }) }],
    ['are no keys', { status: 200, body: '[]' }],
  ])('%s its tokens are refused', async (_name, answer) => {
    issuer.answerWith(answer);
    const before = issuer.reads;
    const authorization = await issuer.bearer({ scope: ALL });
    await called(authorization, () => issuer.reads > before);
    await expectRefused(authorization, /keys of its issuer cannot be read/);
  });

  test('come back its tokens are taken', async () => {
    issuer.answerWith(undefined);
    const authorization = await issuer.bearer({ scope: ALL });
    await called(authorization, ({ reasons }) => reasons.length === 0);
    await expectTaken(authorization);
  });
});

describe('a token of the issuer', () => {
  test.each(ALGORITHMS)('signed by %s is taken', async (algorithm) => {
    await expectTaken(await issuer.bearer({ scope: 'read:books' }, algorithm));
  });

  test.each([
    ['has expired', { expires_s: -60 }, /has expired/],
    ['is not valid yet', { notBefore_s: 600 }, /claim nbf/],
    ['is of another issuer', { issuer: 'https://evil.example' }, /claim iss/],
    ['is for another audience', { audience: 'elsewhere' }, /claim aud/],
    ['has an empty subject', { sub: '' }, /sub/],
    ['calls itself as a key would', { sub: 'key:shop/0123456789ab' }, /no user may have/],
    ['calls itself anonymous', { sub: 'anonymous' }, /no user may have/],
    ['has a subject of many lines', { sub: 'a\nb' }, /printable/],
    [
      'has more scopes than a caller may have',
      { scope: Array.from({ length: 101 }, (_, index) => `read:l${String(index)}`).join(' ') },
      /more than 100 scopes/,
    ],
  ])('that %s is refused', async (_name, claims, message) => {
    await expectRefused(await issuer.bearer({ scope: ALL, ...claims }), message);
  });

  test('that expired a moment ago by its own clock is taken: clocks differ by seconds', async () => {
    await expectTaken(await issuer.bearer({ scope: ALL, notBefore_s: 2 }));
  });

  test('without a signature, or with `alg: none`, is refused', async () => {
    const token = await issuer.token({ scope: ALL });
    await expectRefused(
      forged(token, { alg: 'none' }, () => ''),
      /algorithms/,
    );
    await expectRefused(
      forged(token, { alg: 'ES256', kid: 'ES256-1' }, () => ''),
      /signature|no JSON Web Token/,
    );
    await expectRefused(`Bearer ${token.split('.').slice(0, 2).join('.')}`, /no JSON Web Token/);
  });

  test('signed by a public key as if it were a secret is refused', async () => {
    const token = await issuer.token({ scope: ALL });
    const sign = (signed: string) => createHmac('sha256', 'RS256-1').update(signed).digest('base64url');
    await expectRefused(forged(token, { alg: 'HS256', kid: 'RS256-1' }, sign), /algorithms/);
  });

  test('with other claims under the old signature is refused', async () => {
    const [header, , signature] = (await issuer.token({ scope: 'read:books' })).split('.');
    const [, payload] = (await issuer.token({ scope: ALL, sub: 'somebody' })).split('.');
    await expectRefused(`Bearer ${[header, payload, signature].join('.')}`, /signature/);
  });

  test('signed by a key that is not of the issuer is refused', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    const sign = (kid: string) =>
      new SignJWT({ scope: ALL })
        .setProtectedHeader({ alg: 'ES256', kid })
        .setSubject('backend')
        .setIssuer(issuer.config.issuer)
        .setAudience(issuer.config.audience)
        .setExpirationTime('1h')
        .sign(privateKey);
    await expectRefused(`Bearer ${await sign('ES256-1')}`, /signature/);
    await expectRefused(`Bearer ${await sign('nobody')}`, /no key of its issuer/);
  });

  test('does not bring its own key', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const token = await new SignJWT({ scope: ALL })
      .setProtectedHeader({ alg: 'ES256', jwk: await exportJWK(publicKey), kid: 'ES256-1' })
      .setSubject('backend')
      .setIssuer(issuer.config.issuer)
      .setAudience(issuer.config.audience)
      .setExpirationTime('1h')
      .sign(privateKey);
    await expectRefused(`Bearer ${token}`, /signature/);
  });
});

describe('credentials that are none', () => {
  test.each([
    ['nothing', undefined, /no credentials/],
    ['an empty header', '', /no credentials|no bearer token/],
    ['a name and a password', `Basic ${Buffer.from('a:b').toString('base64')}`, /no bearer token/],
    ['a word', 'Bearer hello', /no JSON Web Token/],
    ['two tokens', 'Bearer one two', /no bearer token/],
    ['a token of 9,000 characters', `Bearer ${'x'.repeat(9_000)}`, /no bearer token/],
    ['a damaged key', 'Bearer qtk_1234', /damaged/],
    ['an unknown key', `Bearer qtk_0123456789ab_${'x'.repeat(43)}`, /no such API key/],
  ])('%s', async (_name, authorization, message) => {
    await expectRefused(authorization, message);
  });

  test('bytes that are no message are not looked at before the caller is known', async () => {
    for (const wire of WIRES) {
      const { reasons } = await raw.bytes(wire, LedgerQueryService.method.getLedger, Buffer.from([0xff]));
      expect([wire, reasons]).toEqual([wire, ['quittance/UNAUTHENTICATED']]);
    }
  });
});

describe('an API key', () => {
  test('is taken on both doors, and the event names it', async () => {
    const { key, id } = await addKey(['read:books', 'write:books']);
    await taken(key);
    await expectTaken(`Bearer ${key}`);
    const requestId = randomUUID();
    const account = { ledgerId: LEDGER, accountId: `of-${id}`, currency: 'EUR', requestId };
    const opened = await raw.json('connect json', AccountCommandService.method.openAccount, account, {
      authorization: `Bearer ${key}`,
    });
    expect(opened.reasons).toEqual([]);
    expect(await actorsOf(`of-${id}`)).toEqual([`key:shop/${id}`]);
  });

  test('with the secret of another one is refused', async () => {
    const one = await addKey(['read:*']);
    const other = await addKey(['read:*']);
    await Promise.all([taken(one.key), taken(other.key)]);
    const [, , secret] = other.key.split('_');
    await expectRefused(`Bearer qtk_${one.id}_${secret ?? ''}`, /no such API key|damaged/);
  });

  test('that has expired is refused', async () => {
    const { key } = await addKey(['read:*'], new Date(Date.now() - 1_000));
    const later = await addKey(['read:*']);
    await taken(later.key);
    await expectRefused(`Bearer ${key}`, /no such API key/);
  });

  test('that is revoked is refused within seconds, and ends its streams over both doors', async () => {
    const { key, id } = await addKey(['read:books']);
    await taken(key);
    const { grpc, connect } = clientsWith(`Bearer ${key}`);
    const watches = [grpc, connect].map((transport) => {
      const stream = createClient(EventQueryService, transport).watchEvents({ ledgerId: LEDGER });
      return stream[Symbol.asyncIterator]();
    });
    for (const watch of watches) expect((await watch.next()).done).toBe(false);
    const ends = watches.map(async (watch) => {
      while ((await watch.next()).done !== true);
    });
    expect(await revokeKey(pool, id)).toBe('shop');
    for (const end of ends) {
      await expect(end).rejects.toMatchObject({ code: 16, rawMessage: 'the API key was revoked' });
    }
    await expectRefused(`Bearer ${key}`, /no such API key/);
  });
});

async function actorsOf(streamId: string): Promise<string[]> {
  const { grpc } = clientsWith(await issuer.bearer({ scope: 'read:*' }));
  const { events } = await createClient(EventQueryService, grpc).listEvents({ ledgerId: LEDGER, streamId });
  return events.map(({ event }) => event?.actor ?? 'none');
}

test('the subject of a token is the actor of its events, not what else the call says', async () => {
  const authorization = await issuer.bearer({ scope: ALL, sub: 'alice@example.com' });
  for (const [index, wire] of WIRES.entries()) {
    const accountId = `by-alice-${String(index)}`;
    const request = { ledgerId: LEDGER, accountId, currency: 'EUR', requestId: randomUUID() };
    const outcome = await raw.json(wire, AccountCommandService.method.openAccount, request, {
      authorization,
      headers: { actor: 'mallory', 'quittance-forwarded': 'binary', 'x-forwarded-user': 'mallory' },
    });
    expect([wire, outcome.reasons]).toEqual([wire, []]);
    expect(await actorsOf(accountId)).toEqual(['alice@example.com']);
  }
});

test('a token that expires ends its watches over both doors with UNAUTHENTICATED', async () => {
  const watched = { ledgerId: LEDGER, accountIds: ['@settlement:EUR'], consistency: COMPLETE };
  for (const door of ['grpc', 'connect'] as const) {
    let ended: ConnectError | undefined;
    // On a busy machine a token may expire before its watch has begun: then one that lives longer is tried.
    for (const expires_s of [-2, 5, 20]) {
      const client = clientsWith(await issuer.bearer({ scope: 'read:*', expires_s }))[door];
      const reading = async () => {
        const watch = createClient(AccountQueryService, client).watchBalances(watched);
        for await (const message of watch) expect(message.$typeName).toMatch(/WatchBalancesResponse$/);
        throw new Error('the watch has ended without an error');
      };
      ended = await reading().catch((error: unknown) => ConnectError.from(error));
      if (ended.rawMessage !== 'the token has expired') break;
    }
    expect(ended).toMatchObject({ code: 16, rawMessage: 'the credentials have expired' });
  }
});

test('/metrics wants its own scope; health is open to all, and says nothing of ledgers', async () => {
  const metrics = async (authorization?: string) => {
    const answer = await fetch(`${platform.connectUrl}/metrics`, {
      headers: authorization === undefined ? {} : { authorization },
    });
    return { status: answer.status, text: await answer.text(), asks: answer.headers.get('www-authenticate') };
  };
  expect(await metrics()).toMatchObject({ status: 401, asks: 'Bearer' });
  expect(await metrics(await issuer.bearer({ scope: ALL }))).toMatchObject({ status: 403 });
  const { status, text } = await metrics(await issuer.bearer({ scope: 'metrics' }));
  expect(status).toBe(200);
  expect(text).toMatch(
    /quittance_calls_denied_total\{method="[^"]*GetLedger",reason="UNAUTHENTICATED"\} \d+/,
  );
  for (const path of ['/healthz', '/readyz']) {
    expect((await fetch(platform.connectUrl + path)).status).toBe(200);
  }
});

test('what was denied is in the log, and no credential is', async () => {
  const denied = lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ msg }) => msg === 'a call was denied');
  expect(denied.length).toBeGreaterThan(0);
  expect(denied[0]).toMatchObject({
    level: 40,
    reason: 'UNAUTHENTICATED',
    method: expect.any(String) as unknown,
  });
  const all = lines.join('');
  expect(all).not.toMatch(/qtk_[0-9a-f]{12}_/);
  expect(all).not.toMatch(/eyJ[A-Za-z0-9_-]{10,}\./);
});
