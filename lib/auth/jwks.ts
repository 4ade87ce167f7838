/**
 * The public keys of the issuer, from a file or a URL. They are read when they are needed: at first, when they are old, and when a
 * token names a key that is not among them, but not again and again for that. Keys that cannot be read again stay good for a while.
 */
import { open } from 'node:fs/promises';
import {
  createLocalJWKSet,
  type CryptoKey,
  errors,
  type JSONWebKeySet,
  type JWSHeaderParameters,
} from 'jose';
import type { Log } from '../base/logging.js';

/** Reads a set of keys. @throws Error */
export type ReadKeys = () => Promise<JSONWebKeySet>;

export interface JwksTimes {
  /** Keys older than this are read again. */
  readonly fresh_ms: number;
  /** For an unknown key they are read again at most so often. */
  readonly coolDown_ms: number;
  /** Keys that could not be read are read again after so long. */
  readonly retry_ms: number;
  /** Keys that cannot be read again are good for so long. */
  readonly stale_ms: number;
}

export const URL_TIMES: JwksTimes = {
  fresh_ms: 600_000,
  coolDown_ms: 30_000,
  retry_ms: 1_000,
  stale_ms: 3_600_000,
};
/** A file is cheap to read. */
export const FILE_TIMES: JwksTimes = {
  fresh_ms: 5_000,
  coolDown_ms: 1_000,
  retry_ms: 1_000,
  stale_ms: 3_600_000,
};

const FETCH_TIMEOUT_MS = 5_000;
const JWKS_MAX_BYTES = 512 * 1024;

type LocalSet = ReturnType<typeof createLocalJWKSet>;

/** The issuer's keys could not be had. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable';
}

export class IssuerKeys {
  readonly #read: ReadKeys;
  readonly #times: JwksTimes;
  readonly #log: Pick<Log, 'warn' | 'info'>;
  #set: LocalSet | undefined;
  #read_ms = -Infinity;
  #tried_ms = -Infinity;
  #reading: Promise<void> | undefined;
  #isFailing = false;

  constructor(read: ReadKeys, times: JwksTimes, log: Pick<Log, 'warn' | 'info'>) {
    this.#read = read;
    this.#times = times;
    this.#log = log;
  }

  /** The key that a token names. @throws KeysUnavailable; JOSEError if there is none */
  async keyOf(header: JWSHeaderParameters): Promise<CryptoKey> {
    if (this.#age_ms > this.#times.fresh_ms && this.#mayTry) await this.#refresh();
    try {
      return await this.#present()(header);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !this.#mayTry) throw error;
      await this.#refresh();
      return await this.#present()(header);
    }
  }

  get #age_ms(): number {
    return performance.now() - this.#read_ms;
  }

  get #mayTry(): boolean {
    const { coolDown_ms, retry_ms } = this.#times;
    const wait_ms = this.#isFailing ? retry_ms : coolDown_ms;
    return this.#reading !== undefined || performance.now() - this.#tried_ms >= wait_ms;
  }

  #present(): LocalSet {
    if (this.#set === undefined || this.#age_ms > this.#times.stale_ms) {
      throw new KeysUnavailable('the keys of the issuer cannot be read');
    }
    return this.#set;
  }

  /** Reads the keys; calls at the same time share one attempt. */
  #refresh(): Promise<void> {
    this.#tried_ms = performance.now();
    this.#reading ??= this.#attempt().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #attempt(): Promise<void> {
    try {
      this.#set = createLocalJWKSet(await this.#read());
      this.#read_ms = performance.now();
      if (this.#isFailing) this.#log.info('the keys of the issuer are read again');
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) this.#log.warn({ err: error }, 'the keys of the issuer cannot be read');
      this.#isFailing = true;
    }
  }
}

/** Reads the keys at a URL, with a limit on time and size. */
export function keysAt(url: string): ReadKeys {
  return async () => {
    const answer = await fetch(url, {
      headers: { accept: 'application/json, application/jwk-set+json' },
      redirect: 'error',
      signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
    });
    if (answer.status !== 200 || answer.body === null) {
      await answer.body?.cancel();
      throw new Error(`the answer has the HTTP status ${String(answer.status)}`);
    }
    const chunks: Uint8Array[] = [];
    let size_bytes = 0;
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
      size_bytes += chunk.length;
      if (size_bytes > JWKS_MAX_BYTES) throw tooLarge();
      chunks.push(chunk);
    }
    return keySetOf(Buffer.concat(chunks));
  };
}

/** Reads the keys in a file. */
export function keysInFile(path: string): ReadKeys {
  return async () => {
    const file = await open(path, 'r');
    try {
      const buffer = Buffer.alloc(JWKS_MAX_BYTES + 1);
      let size_bytes = 0;
      for (;;) {
        const { bytesRead } = await file.read(buffer, size_bytes, buffer.length - size_bytes);
        size_bytes += bytesRead;
        if (size_bytes > JWKS_MAX_BYTES) throw tooLarge();
        if (bytesRead === 0) return keySetOf(buffer.subarray(0, size_bytes));
      }
    } finally {
      await file.close();
    }
  };
}

function tooLarge(): Error {
  return new Error(`the keys are larger than ${String(JWKS_MAX_BYTES)} bytes`);
}

function keySetOf(bytes: Buffer): JSONWebKeySet {
  const value: unknown = JSON.parse(bytes.toString('utf8'));
  if (typeof value !== 'object' || value === null || !('keys' in value) || !Array.isArray(value.keys)) {
    throw new Error('it is no JSON Web Key Set');
  }
  return { keys: value.keys.filter((key: unknown) => typeof key === 'object' && key !== null) };
}
