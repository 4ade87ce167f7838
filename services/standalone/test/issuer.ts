/** An issuer of tokens for tests: its keys, a server that publishes them, and tokens of every kind. */
import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type GenerateKeyPairResult, type JWK, SignJWT } from 'jose';
import type { IssuerConfig } from '../../../lib/base/auth-config.js';

export const AUDIENCE = 'quittance';
export const ALGORITHMS = ['RS256', 'ES256', 'EdDSA'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** What a token says, where it is not the usual. */
export interface TokenClaims {
  readonly sub?: string;
  readonly scope?: string;
  readonly issuer?: string;
  readonly audience?: string;
  /** Seconds from now. */
  readonly expires_s?: number;
  readonly notBefore_s?: number;
}

export interface TestIssuer {
  readonly config: IssuerConfig;
  /** How often its keys were read. */
  readonly reads: number;
  /** A token, signed by the key of the algorithm. */
  token(claims?: TokenClaims, algorithm?: Algorithm): Promise<string>;
  /** The header with such a token. */
  bearer(claims?: TokenClaims, algorithm?: Algorithm): Promise<string>;
  /** Makes new keys under new names; only they are published from now on. */
  rotate(): Promise<void>;
  /** What is published, while it is not the keys: an HTTP status or a body. */
  answerWith(answer: { readonly status: number; readonly body: string } | undefined): void;
  close(): Promise<void>;
}

interface Keys {
  readonly generation: number;
  readonly pairs: Readonly<Record<Algorithm, GenerateKeyPairResult>>;
  readonly published: readonly JWK[];
}

/** @param serve answers what is no question for keys; false: it does not */
export async function startIssuer(
  serve: (request: IncomingMessage, response: ServerResponse) => Promise<boolean> = () =>
    Promise.resolve(false),
): Promise<TestIssuer> {
  let keys = await makeKeys(1);
  let other: { readonly status: number; readonly body: string } | undefined;
  let reads = 0;
  const server = http.createServer((request, response) => {
    void serve(request, response).then((isServed) => {
      if (isServed) return;
      reads += 1;
      response.writeHead(other?.status ?? 200, { 'content-type': 'application/json' });
      response.end(other?.body ?? JSON.stringify({ keys: keys.published }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const issuer = `http://127.0.0.1:${String(port)}`;
  const token = (claims: TokenClaims = {}, algorithm: Algorithm = 'ES256') =>
    sign(keys, issuer, algorithm, claims);
  return {
    config: { issuer, audience: AUDIENCE, jwks: { url: `${issuer}/jwks` } },
    get reads() {
      return reads;
    },
    token,
    bearer: async (claims, algorithm) => `Bearer ${await token(claims, algorithm)}`,
    rotate: async () => {
      keys = await makeKeys(keys.generation + 1);
    },
    answerWith: (answer) => {
      other = answer;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function sign(keys: Keys, issuer: string, algorithm: Algorithm, claims: TokenClaims): Promise<string> {
  const now_s = Math.floor(Date.now() / 1_000);
  return new SignJWT(claims.scope === undefined ? {} : { scope: claims.scope })
    .setProtectedHeader({ alg: algorithm, kid: `${algorithm}-${String(keys.generation)}` })
    .setSubject(claims.sub ?? 'backend')
    .setIssuer(claims.issuer ?? issuer)
    .setAudience(claims.audience ?? AUDIENCE)
    .setIssuedAt(now_s)
    .setNotBefore(now_s + (claims.notBefore_s ?? 0))
    .setExpirationTime(now_s + (claims.expires_s ?? 3_600))
    .sign(keys.pairs[algorithm].privateKey);
}

async function makeKeys(generation: number): Promise<Keys> {
  const [RS256, ES256, EdDSA] = await Promise.all([
    generateKeyPair('RS256', { extractable: true }),
    generateKeyPair('ES256', { extractable: true }),
    generateKeyPair('EdDSA', { extractable: true }),
  ]);
  const pairs = { RS256, ES256, EdDSA };
  const published = await Promise.all(
    ALGORITHMS.map(async (algorithm) => {
      const key = await exportJWK(pairs[algorithm].publicKey);
      return { ...key, kid: `${algorithm}-${String(generation)}`, alg: algorithm, use: 'sig' };
    }),
  );
  return { generation, pairs, published };
}
