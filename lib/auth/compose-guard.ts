/** Opens the guard of a process, as its configuration says. */
import type pg from 'pg';
import type { Registry } from 'prom-client';
import type { AuthConfig, IssuerConfig } from '../base/auth-config.js';
import type { Closeables } from '../base/closeables.js';
import type { Log } from '../base/logging.js';
import { createPool } from '../log/postgres-client.js';
import type { Guard } from '../rpc/guard.js';
import { AuthGuard } from './auth-guard.js';
import { Denials } from './denials.js';
import { FILE_TIMES, IssuerKeys, keysAt, keysInFile, URL_TIMES } from './jwks.js';
import { JwtCallers } from './jwt.js';
import { KeyRing } from './key-ring.js';
import { postgresKeyStore, prepareKeys } from './postgres-keys.js';

export interface GuardParts {
  /** Where the API keys are kept. */
  readonly postgres: pg.PoolConfig;
  readonly log: Log;
  readonly registry: Registry;
}

/** Undefined where callers are not authenticated. */
export async function openGuard(
  config: AuthConfig | undefined,
  { postgres, log, registry }: GuardParts,
  closeables: Closeables,
): Promise<Guard | undefined> {
  if (config === undefined) return undefined;
  const denials = new Denials(log, registry);
  const pool = createPool(postgres, { max: 1, name: 'quittance auth' });
  closeables.add('the pool of the API keys', () => pool.end());
  await prepareKeys(pool);
  const keys = new KeyRing(postgresKeyStore(pool), denials, log);
  closeables.add('the API keys', () => keys.stop());
  await keys.start();
  return new AuthGuard({ keys, tokens: tokensOf(config.issuer, denials, log), denials });
}

function tokensOf(issuer: IssuerConfig | undefined, denials: Denials, log: Log): JwtCallers | undefined {
  if (issuer === undefined) return undefined;
  const { jwks } = issuer;
  const keys =
    'url' in jwks
      ? new IssuerKeys(keysAt(jwks.url), URL_TIMES, log)
      : new IssuerKeys(keysInFile(jwks.path), FILE_TIMES, log);
  return new JwtCallers(keys, issuer, denials);
}
