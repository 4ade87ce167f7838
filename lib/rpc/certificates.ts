/** The certificate of the doors, read again when its files change: a new one is used from the next connection on. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { Gauge, type Registry } from 'prom-client';
import type { Log } from '../base/logging.js';
import { StartError } from '../base/start-error.js';
import type { TlsConfig } from '../base/tls-config.js';

/** What the files hold. */
export interface TlsMaterial {
  readonly certificate: Buffer;
  readonly key: Buffer;
  /** The roots of the certificates of clients; undefined: clients need none. */
  readonly clientCa: Buffer | undefined;
}

/** What the doors need of it. */
export interface Certificates {
  readonly present: TlsMaterial;
  /** Calls back with each later material. Returns how to stop that. */
  onChange(listener: (material: TlsMaterial) => void): () => void;
}

const POLL_MS = 2_000;
/** From so long before its end on, the log warns of a certificate, once a day. */
const WARN_BEFORE_MS = 14 * 86_400_000;
const WARN_EVERY_MS = 86_400_000;

export class CertificateFiles implements Certificates {
  readonly #config: TlsConfig;
  readonly #log: Pick<Log, 'info' | 'warn' | 'error'>;
  readonly #poll_ms: number;
  readonly #listeners = new Set<(material: TlsMaterial) => void>();
  #present: TlsMaterial;
  #timer: NodeJS.Timeout | undefined;
  #polling: Promise<void> = Promise.resolve();
  #isStopped = false;
  #refused = '';
  #warned_ms = -Infinity;

  private constructor(
    config: TlsConfig,
    present: TlsMaterial,
    log: Pick<Log, 'info' | 'warn' | 'error'>,
    poll_ms: number,
  ) {
    this.#config = config;
    this.#present = present;
    this.#log = log;
    this.#poll_ms = poll_ms;
    this.#warn();
    this.#wait();
  }

  /** @throws StartError if the files cannot be read, or do not belong together */
  static async open(
    config: TlsConfig,
    log: Pick<Log, 'info' | 'warn' | 'error'>,
    poll_ms = POLL_MS,
  ): Promise<CertificateFiles> {
    try {
      const material = await readMaterial(config);
      check(material);
      return new CertificateFiles(config, material, log, poll_ms);
    } catch (error) {
      throw new StartError(`the TLS certificate cannot be used: ${textOf(error)}`);
    }
  }

  get present(): TlsMaterial {
    return this.#present;
  }

  /** When the certificate ends, milliseconds since 1970. */
  get end_ms(): number {
    return endOf_ms(this.#present);
  }

  onChange(listener: (material: TlsMaterial) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Shows when the certificate ends. */
  register(registry: Registry): void {
    const end_s = () => this.end_ms / 1_000;
    new Gauge({
      name: 'quittance_tls_certificate_end_timestamp_seconds',
      help: 'When the certificate of the doors ends, seconds since 1970.',
      registers: [registry],
      collect() {
        this.set(end_s());
      },
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#polling;
  }

  #wait(): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => {
      this.#polling = this.#look().finally(() => {
        this.#wait();
      });
    }, this.#poll_ms);
    this.#timer.unref();
  }

  /** Files that are half written, or do not belong together yet, are passed over until they do. */
  async #look(): Promise<void> {
    try {
      const material = await readMaterial(this.#config);
      if (isSame(material, this.#present)) {
        this.#refused = '';
        this.#warn();
        return;
      }
      check(material);
      this.#present = material;
      this.#refused = '';
      this.#warned_ms = -Infinity;
      this.#log.info({ end: new Date(this.end_ms).toISOString() }, 'a new TLS certificate is used');
      this.#warn();
      for (const listener of this.#listeners) listener(material);
    } catch (error) {
      const text = textOf(error);
      if (text !== this.#refused) {
        this.#log.error({ why: text }, 'the new TLS certificate cannot be used; the old one stays');
      }
      this.#refused = text;
    }
  }

  #warn(): void {
    const left_ms = this.end_ms - Date.now();
    if (left_ms > WARN_BEFORE_MS || performance.now() - this.#warned_ms < WARN_EVERY_MS) return;
    this.#warned_ms = performance.now();
    const end = new Date(this.end_ms).toISOString();
    if (left_ms <= 0) this.#log.error({ end }, 'the TLS certificate has expired: callers refuse it');
    else this.#log.warn({ end }, 'the TLS certificate expires soon');
  }
}

async function readMaterial({ certificatePath, keyPath, clientCaPath }: TlsConfig): Promise<TlsMaterial> {
  const [certificate, key, clientCa] = await Promise.all([
    readFile(certificatePath),
    readFile(keyPath),
    clientCaPath === undefined ? undefined : readFile(clientCaPath),
  ]);
  return { certificate, key, clientCa };
}

/** @throws Error if it is no certificate, or the key of another one */
function check({ certificate, key, clientCa }: TlsMaterial): void {
  if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))) {
    throw new Error('the private key is not the one of the certificate');
  }
  createSecureContext({ cert: certificate, key, ca: clientCa });
}

function endOf_ms({ certificate }: TlsMaterial): number {
  return new Date(new X509Certificate(certificate).validTo).getTime();
}

function isSame(one: TlsMaterial, other: TlsMaterial): boolean {
  const same = (a: Buffer | undefined, b: Buffer | undefined) =>
    a === undefined || b === undefined ? a === b : a.equals(b);
  return (
    same(one.certificate, other.certificate) && same(one.key, other.key) && same(one.clientCa, other.clientCa)
  );
}

/** What Node says of a file names its path, and never shows what is in it. */
function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
