/** TLS of the doors, as the environment says it. */
import { type Environment, valueOf } from './environment.js';
import { StartError } from './start-error.js';

/** Files in PEM. Those of the doors are read again when they change. */
export interface TlsConfig {
  /** The certificate of the doors, and those between it and its root. */
  readonly certificatePath: string;
  readonly keyPath: string;
  /** The roots of the certificates of clients; undefined: clients need none. */
  readonly clientCaPath: string | undefined;
  /** The roots of the certificates of other processes of ours; undefined: those that Node knows. */
  readonly peerCaPath: string | undefined;
}

const CERTIFICATE = 'QUITTANCE_TLS_CERT_FILE';
const KEY = 'QUITTANCE_TLS_KEY_FILE';
const CLIENT_CA = 'QUITTANCE_TLS_CLIENT_CA_FILE';
const PEER_CA = 'QUITTANCE_TLS_CA_FILE';

export const TLS_VARIABLES = [CERTIFICATE, KEY, CLIENT_CA, PEER_CA] as const;

/** Undefined where the doors speak without TLS. @throws StartError */
export function readTls(env: Environment): TlsConfig | undefined {
  const certificatePath = valueOf(env, CERTIFICATE);
  const keyPath = valueOf(env, KEY);
  const clientCaPath = valueOf(env, CLIENT_CA);
  const peerCaPath = valueOf(env, PEER_CA);
  if (certificatePath !== undefined && keyPath !== undefined) {
    return { certificatePath, keyPath, clientCaPath, peerCaPath };
  }
  if (TLS_VARIABLES.every((name) => valueOf(env, name) === undefined)) return undefined;
  const missing = [CERTIFICATE, KEY].filter((name) => valueOf(env, name) === undefined);
  throw new StartError(
    `TLS is on where ${CERTIFICATE} and ${KEY} are set; ${missing.join(' and ')} is not set`,
  );
}
