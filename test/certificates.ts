/** Certificates for tests, made without any program of the machine. The library of certificates needs reflect-metadata. */
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Buffer } from 'node:buffer';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BasicConstraintsExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** A certificate and its key, in files. */
export interface CertificatePaths {
  readonly certificatePath: string;
  readonly keyPath: string;
}

/** A root of certificates. */
export interface TestRoot {
  readonly path: string;
  /** PEM. */
  readonly bytes: Buffer;
  /** Makes a certificate for this machine, or replaces it. One that was good until yesterday has -1 days. */
  issue(name: string, days?: number): Promise<CertificatePaths>;
  /** Copies a certificate and its key. */
  copy(from: CertificatePaths, to: CertificatePaths): void;
  remove(): void;
}

const KEYS = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNATURES = { name: 'ECDSA', hash: 'SHA-256' };
const DAY_MS = 86_400_000;
const GOOD_DAYS = 30;
const ROOT_NAME = 'CN=root of a test';

/** @param addresses of this machine that its certificates are for, besides the usual one */
export async function createRoot(...addresses: readonly string[]): Promise<TestRoot> {
  const directory = mkdtempSync(join(tmpdir(), 'quittance-tls-'));
  const file = (name: string) => join(directory, name);
  const rootKeys = await newKeys();
  const root = await X509CertificateGenerator.createSelfSigned(
    {
      name: ROOT_NAME,
      ...validity(GOOD_DAYS),
      keys: rootKeys,
      signingAlgorithm: SIGNATURES,
      extensions: [new BasicConstraintsExtension(true, undefined, true)],
    },
    webcrypto,
  );
  const bytes = Buffer.from(pemFile(root.toString('pem')));
  writeFileSync(file('root.pem'), bytes);
  const names = new SubjectAlternativeNameExtension([
    { type: 'dns', value: 'localhost' },
    ...['127.0.0.1', ...addresses].map((value) => ({ type: 'ip' as const, value })),
  ]);
  return {
    path: file('root.pem'),
    bytes,
    issue: async (name, days = GOOD_DAYS) => {
      const keys = await newKeys();
      const certificate = await X509CertificateGenerator.create(
        {
          subject: 'CN=localhost',
          issuer: ROOT_NAME,
          ...validity(days),
          publicKey: keys.publicKey,
          signingKey: rootKeys.privateKey,
          signingAlgorithm: SIGNATURES,
          extensions: [names],
        },
        webcrypto,
      );
      const made = { certificatePath: file(`${name}.pem`), keyPath: file(`${name}.key`) };
      const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
      writeFileSync(made.keyPath, pemFile(PemConverter.encode(key, 'PRIVATE KEY')));
      writeFileSync(made.certificatePath, pemFile(certificate.toString('pem')));
      return made;
    },
    copy: (from, to) => {
      copyFileSync(from.certificatePath, to.certificatePath);
      copyFileSync(from.keyPath, to.keyPath);
    },
    remove: () => {
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A line of its own for each mark: files are joined to chains. */
function pemFile(pem: string): string {
  return pem.endsWith('\n') ? pem : `${pem}\n`;
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(KEYS, true, ['sign', 'verify']);
}

/** From a day before its end at least, so that a certificate which has ended was good once. */
function validity(days: number) {
  const now_ms = Date.now();
  const end_ms = now_ms + days * DAY_MS;
  return { notBefore: new Date(Math.min(now_ms, end_ms) - DAY_MS), notAfter: new Date(end_ms) };
}
