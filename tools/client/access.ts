/** Who calls, and by what the server is known: by flags, or by the variables that all tools share. */
import { readFileSync } from 'node:fs';
import { type Environment, valueOf } from '../../lib/base/environment.js';
import { StartError } from '../../lib/base/start-error.js';
import type { GrpcAccess } from './grpc-client.js';

/** For `--help`: servers pass over these variables. */
export const ACCESS_VARIABLE_HELP = {
  QUITTANCE_CLI_TOKEN: 'as --token; better there than on a command line, which other users see',
  QUITTANCE_CLI_CA_FILE: 'as --ca-file',
  QUITTANCE_CLI_TLS: 'true: as --tls',
} as const;

/** What the flags say, in the words of their help. */
export const ACCESS_FLAGS = {
  token: 'an API key or a token, where callers are authenticated',
  caFile: 'the certificates by which the server is known, PEM; puts TLS on',
  tls: 'TLS, by the certificates that Node knows',
} as const;

export interface AccessFlags {
  readonly token?: string | undefined;
  readonly caFile?: string | undefined;
  readonly tls?: boolean | undefined;
}

/** @throws StartError if the certificates cannot be read */
export function accessOf(env: Environment, { token, caFile, tls }: AccessFlags = {}): GrpcAccess {
  const path = caFile ?? valueOf(env, 'QUITTANCE_CLI_CA_FILE');
  return {
    token: token ?? valueOf(env, 'QUITTANCE_CLI_TOKEN'),
    tls: tls ?? (valueOf(env, 'QUITTANCE_CLI_TLS') === 'true' || path !== undefined),
    ca: path === undefined ? undefined : readCertificates(path),
  };
}

function readCertificates(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StartError(`the certificates ${path} cannot be read (${why})`);
  }
}
