/** Certificates for tests, made by the openssl of the machine. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

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
  issue(name: string, days?: number): CertificatePaths;
  /** Copies a certificate and its key. */
  copy(from: CertificatePaths, to: CertificatePaths): void;
  remove(): void;
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** @param addresses of this machine that its certificates are for, besides the usual one */
export function createRoot(...addresses: readonly string[]): TestRoot {
  const directory = mkdtempSync(join(tmpdir(), 'quittance-tls-'));
  const file = (name: string) => join(directory, name);
  const openssl = (...args: string[]) => {
    execFileSync('openssl', args, { stdio: 'pipe' });
  };
  const root = ['-keyout', file('root.key'), '-out', file('root.pem')];
  openssl('req', '-x509', ...NEW_KEY, ...root, '-days', '30', '-subj', '/CN=root of a test');
  const names = ['DNS:localhost', ...['127.0.0.1', ...addresses].map((address) => `IP:${address}`)];
  writeFileSync(file('names'), `subjectAltName=${names.join(',')}`);
  return {
    path: file('root.pem'),
    bytes: readFileSync(file('root.pem')),
    issue: (name, days = 30) => {
      const request = file(`${name}.csr`);
      const made = { certificatePath: file(`${name}.pem`), keyPath: file(`${name}.key`) };
      openssl('req', ...NEW_KEY, '-keyout', made.keyPath, '-out', request, '-subj', '/CN=localhost');
      const by = ['-CA', file('root.pem'), '-CAkey', file('root.key'), '-CAcreateserial'];
      const about = ['-extfile', file('names'), '-days', String(days)];
      openssl('x509', '-req', '-in', request, ...by, ...about, '-out', made.certificatePath);
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
