/** JSON Web Tokens of one issuer, signed by one of its keys. A token that was found good is not checked again for a minute. */
import { hash } from 'node:crypto';
import { errors, jwtVerify, type JWTPayload } from 'jose';
import { LRUCache } from 'lru-cache';
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import { type CallError, fail } from '../rpc/errors.js';
import { API_KEY_ACTOR } from './api-key.js';
import type { Denials } from './denials.js';
import { type IssuerKeys, KeysUnavailable } from './jwks.js';
import { KnownCaller } from './known-caller.js';
import { Grants, SCOPES_MAX } from './scopes.js';

export interface JwtRules {
  readonly issuer: string;
  readonly audience: string;
}

/** Signatures by a private key. Those by a shared secret, and none at all, are refused. */
const ALGORITHMS = ['RS256', 'ES256', 'EdDSA'];
/** How far the clock of the issuer may be from ours. */
const SKEW_S = 5;
/** A key that the issuer has withdrawn is noticed after this time at the latest, and the age of its key set. */
const CACHED_MS = 60_000;
const CACHED_MOST = 10_000;
const ACTOR_MAX_CHARS = 200;
/** Printable, so that it can stand in logs and headers. */
const ACTOR = /^[\x21-\x7e]+$/;

export class JwtCallers {
  readonly #keys: IssuerKeys;
  readonly #rules: JwtRules;
  readonly #denials: Denials;
  /** By the hash of the token: who reads our memory finds no token in it. */
  readonly #known = new LRUCache<string, KnownCaller>({ max: CACHED_MOST, ttl: CACHED_MS });

  constructor(keys: IssuerKeys, rules: JwtRules, denials: Denials) {
    this.#keys = keys;
    this.#rules = rules;
    this.#denials = denials;
  }

  /** Who the token says that calls; at once if it was checked before. @throws CallError UNAUTHENTICATED */
  callerOf(token: string): KnownCaller | Promise<KnownCaller> {
    const digest = hash('sha256', token, 'base64');
    const known = this.#known.get(digest);
    if (known === undefined) return this.#verified(token, digest);
    if (known.ended !== undefined) throw known.ended;
    return known;
  }

  async #verified(token: string, digest: string): Promise<KnownCaller> {
    const payload = await this.#payloadOf(token);
    const caller = new KnownCaller({
      actor: actorOf(payload),
      ledgers: grantsOf(payload),
      end_ms: endOf_ms(payload),
      denials: this.#denials,
    });
    if (caller.ended !== undefined) throw caller.ended;
    this.#known.set(digest, caller);
    return caller;
  }

  async #payloadOf(token: string): Promise<JWTPayload> {
    try {
      const { payload } = await jwtVerify(token, (header) => this.#keys.keyOf(header), {
        algorithms: ALGORITHMS,
        issuer: this.#rules.issuer,
        audience: this.#rules.audience,
        clockTolerance: SKEW_S,
        requiredClaims: ['sub', 'exp'],
      });
      return payload;
    } catch (error) {
      throw refused(whyOf(error), error);
    }
  }
}

function refused(why: string, cause?: unknown): CallError {
  return fail(ErrorReason.UNAUTHENTICATED, why, { cause });
}

/** What the answer says; the log has the cause. */
function whyOf(error: unknown): string {
  if (error instanceof KeysUnavailable)
    return 'the token cannot be checked: the keys of its issuer cannot be read';
  if (error instanceof errors.JWTExpired) return 'the token has expired';
  if (error instanceof errors.JWTClaimValidationFailed) {
    return `the token is not valid here: its claim ${error.claim} ${error.reason === 'missing' ? 'is missing' : 'is not as required'}`;
  }
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return `the token is not signed by one of the algorithms ${ALGORITHMS.join(', ')}`;
  }
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) {
    return 'the token names no key of its issuer';
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'the signature of the token is wrong';
  return 'the token is no JSON Web Token that can be read';
}

function actorOf({ sub = '' }: JWTPayload): string {
  if (sub.length > ACTOR_MAX_CHARS || !ACTOR.test(sub)) {
    throw refused(`the claim sub of the token is not 1 to ${String(ACTOR_MAX_CHARS)} printable characters`);
  }
  if (sub === 'anonymous' || sub.startsWith(API_KEY_ACTOR)) {
    throw refused('the claim sub of the token is a name that no user may have');
  }
  return sub;
}

/** `scope` is a text with blanks between (RFC 8693), `scp` a list or such a text. */
function grantsOf(payload: JWTPayload): Grants {
  const texts = [payload['scope'], payload['scp']].flatMap((claim): string[] => {
    if (typeof claim === 'string') return claim.split(' ');
    return Array.isArray(claim) ? claim.filter((each): each is string => typeof each === 'string') : [];
  });
  const grants = new Grants(texts);
  if (grants.size > SCOPES_MAX) {
    throw refused(`the token has more than ${String(SCOPES_MAX)} scopes; name several ledgers by a prefix`);
  }
  return grants;
}

function endOf_ms({ exp = 0 }: JWTPayload): number {
  return (exp + SKEW_S) * 1_000;
}
