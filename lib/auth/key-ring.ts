/** The API keys of the platform in memory, read again every second: a revoked key ends its streams within that time. */
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import type { Log } from '../base/logging.js';
import { fail } from '../rpc/errors.js';
import { actorOfKey, apiKeyParts, isSameHash } from './api-key.js';
import type { Denials } from './denials.js';
import { KnownCaller } from './known-caller.js';
import { Grants } from './scopes.js';

/** A key as it is kept. */
export interface StoredKey {
  readonly id: string;
  /** For people; part of the actor. */
  readonly name: string;
  readonly secretHash: Uint8Array;
  readonly scopes: readonly string[];
  /** Milliseconds since 1970; undefined: never. */
  readonly expiry_ms: number | undefined;
}

/** Where keys are kept. */
export interface KeyStore {
  /** The keys that are neither revoked nor expired. */
  live(): Promise<readonly StoredKey[]>;
}

export interface KeyRingTimes {
  readonly poll_ms: number;
  /** Keys that could not be read again for so long are good no more: one of them may have been revoked. */
  readonly stale_ms: number;
}

export const KEY_RING_TIMES: KeyRingTimes = { poll_ms: 1_000, stale_ms: 60_000 };

interface Held {
  readonly key: StoredKey;
  readonly caller: KnownCaller;
}

/** Compared where there is no such key, so that both cases take the same time. */
const NO_HASH = new Uint8Array(32);

export class KeyRing {
  readonly #store: KeyStore;
  readonly #denials: Denials;
  readonly #log: Pick<Log, 'warn' | 'info'>;
  readonly #times: KeyRingTimes;
  #held = new Map<string, Held>();
  #read_ms = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<void> = Promise.resolve();
  #isStopped = false;
  #isFailing = false;

  constructor(
    store: KeyStore,
    denials: Denials,
    log: Pick<Log, 'warn' | 'info'>,
    times: KeyRingTimes = KEY_RING_TIMES,
  ) {
    this.#store = store;
    this.#denials = denials;
    this.#log = log;
    this.#times = times;
  }

  /** Reads the keys, then again and again until `stop`. A store that is away is waited for. */
  async start(): Promise<void> {
    await this.#poll();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#reading;
  }

  /** Who has the key. @throws CallError UNAUTHENTICATED */
  callerOf(text: string): KnownCaller {
    const parts = apiKeyParts(text);
    if (parts === undefined) throw fail(ErrorReason.UNAUTHENTICATED, 'the API key is damaged');
    const held = this.#held.get(parts.id);
    const isSame = isSameHash(parts.secretHash, held?.key.secretHash ?? NO_HASH);
    if (held === undefined || !isSame) {
      throw fail(ErrorReason.UNAUTHENTICATED, 'there is no such API key, or it was revoked or has expired');
    }
    if (held.caller.ended !== undefined) throw held.caller.ended;
    if (performance.now() - this.#read_ms > this.#times.stale_ms) {
      throw fail(
        ErrorReason.UNAUTHENTICATED,
        'the API key cannot be checked: the store of keys does not answer',
      );
    }
    return held.caller;
  }

  async #poll(): Promise<void> {
    this.#reading = this.#readAgain();
    await this.#reading;
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => {
      void this.#poll();
    }, this.#times.poll_ms);
    this.#timer.unref();
  }

  async #readAgain(): Promise<void> {
    try {
      this.#replace(await this.#store.live());
      this.#read_ms = performance.now();
      if (this.#isFailing) this.#log.info('the API keys are read again');
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing)
        this.#log.warn({ err: error }, 'the API keys cannot be read; those known are used');
      this.#isFailing = true;
    }
  }

  #replace(keys: readonly StoredKey[]): void {
    const next = new Map<string, Held>();
    for (const key of keys) {
      const held = this.#held.get(key.id);
      const isSame = held !== undefined && isSameKey(held.key, key);
      next.set(key.id, isSame ? held : { key, caller: this.#callerFor(key) });
    }
    for (const [id, held] of this.#held) {
      // One that has expired says so.
      if (next.get(id) !== held && held.caller.ended === undefined)
        held.caller.end('the API key was revoked');
    }
    this.#held = next;
  }

  #callerFor({ id, name, scopes, expiry_ms }: StoredKey): KnownCaller {
    return new KnownCaller({
      actor: actorOfKey(name, id),
      ledgers: new Grants(scopes),
      end_ms: expiry_ms,
      denials: this.#denials,
    });
  }
}

function isSameKey(one: StoredKey, other: StoredKey): boolean {
  return (
    one.name === other.name &&
    one.expiry_ms === other.expiry_ms &&
    isSameHash(one.secretHash, other.secretHash) &&
    one.scopes.join(' ') === other.scopes.join(' ')
  );
}
