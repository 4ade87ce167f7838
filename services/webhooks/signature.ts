/** Secrets and signatures as Standard Webhooks has them: https://github.com/standard-webhooks/standard-webhooks */
import { createHmac, randomBytes } from 'node:crypto';

const PREFIX = 'whsec_';
const MADE_BYTES = 32;
const LEAST_BYTES = 24;
const MOST_BYTES = 64;

/** A new secret. */
export function newSecret(): Uint8Array {
  return randomBytes(MADE_BYTES);
}

/** A secret as callers see it. */
export function secretText(secret: Uint8Array): string {
  return PREFIX + Buffer.from(secret).toString('base64');
}

/** The bytes of such a text; undefined if it is none, or of a length that is not allowed. */
export function secretOf(text: string): Uint8Array | undefined {
  const secret = Buffer.from(text.slice(PREFIX.length), 'base64');
  const isOne = secretText(secret) === text && secret.length >= LEAST_BYTES && secret.length <= MOST_BYTES;
  return isOne ? secret : undefined;
}

/** What is signed of a request. */
export interface Signed {
  readonly id: string;
  /** Seconds since 1970. */
  readonly timestamp_s: number;
  readonly body: string;
}

/** The header `webhook-signature`: one signature per secret. */
export function signatureOf(secrets: readonly Uint8Array[], { id, timestamp_s, body }: Signed): string {
  const signed = `${id}.${String(timestamp_s)}.${body}`;
  return secrets
    .map((secret) => `v1,${createHmac('sha256', secret).update(signed).digest('base64')}`)
    .join(' ');
}
