/**
 * API keys, for callers without an issuer of tokens: `qtk_<id>_<secret>`. The id finds the key, the secret proves it. The secret has
 * 256 random bits, so that its plain SHA-256 is enough to keep: they cannot all be tried.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** What every key begins with: people and scanners of secrets know by it what they have found. */
export const API_KEY_PREFIX = 'qtk_';
/** What the actor of a key begins with; no user of the issuer is called so. */
export const API_KEY_ACTOR = 'key:';

const ID_BYTES = 6;
const SECRET_BYTES = 32;
const API_KEY = /^qtk_([0-9a-f]{12})_([A-Za-z0-9_-]{43})$/;

/** A key as its owner has it, once. */
export interface NewApiKey {
  readonly id: string;
  /** The whole key. It is not kept. */
  readonly key: string;
  /** SHA-256 of the secret, which is kept. */
  readonly secretHash: Buffer;
}

export function newApiKey(): NewApiKey {
  const id = randomBytes(ID_BYTES).toString('hex');
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  return { id, key: `${API_KEY_PREFIX}${id}_${secret}`, secretHash: hashOf(secret) };
}

/** The parts of a key; undefined if the text is none. */
export function apiKeyParts(text: string): { readonly id: string; readonly secretHash: Buffer } | undefined {
  const [, id, secret] = API_KEY.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secretHash: hashOf(secret) };
}

/** Compares in a time that does not depend on where they differ. */
export function isSameHash(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

/** How events name the callers with this key. */
export function actorOfKey(name: string, id: string): string {
  return `${API_KEY_ACTOR}${name}/${id}`;
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
