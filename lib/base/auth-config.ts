/** How callers prove who they are, as the environment says it. */
import { bad, choiceOf, type Environment, requiredOf, valueOf } from './environment.js';
import { StartError } from './start-error.js';

/** The issuer whose tokens are taken. */
export interface IssuerConfig {
  /** The claim `iss` of its tokens. */
  readonly issuer: string;
  /** What the claim `aud` of its tokens must name. */
  readonly audience: string;
  /** Its public keys: a URL, or a file. */
  readonly jwks: { readonly url: string } | { readonly path: string };
}

export interface AuthConfig {
  /** Undefined: only API keys are taken. */
  readonly issuer: IssuerConfig | undefined;
}

const ISSUER_VARIABLES = ['QUITTANCE_AUTH_ISSUER', 'QUITTANCE_AUTH_AUDIENCE', 'QUITTANCE_AUTH_JWKS'] as const;
export const AUTH_VARIABLES = ['QUITTANCE_AUTH', ...ISSUER_VARIABLES] as const;

/** Undefined where callers are not authenticated. @throws StartError */
export function readAuth(env: Environment): AuthConfig | undefined {
  const given = ISSUER_VARIABLES.filter((name) => valueOf(env, name) !== undefined);
  if (choiceOf(env, 'QUITTANCE_AUTH', ['on', 'off'], 'off') === 'off') {
    if (given.length === 0) return undefined;
    throw new StartError(
      `${given.join(', ')} is set without QUITTANCE_AUTH=on, so that nothing would be checked`,
    );
  }
  if (given.length === 0) return { issuer: undefined };
  return {
    issuer: {
      issuer: requiredOf(env, 'QUITTANCE_AUTH_ISSUER', 'https://login.example.com'),
      audience: requiredOf(env, 'QUITTANCE_AUTH_AUDIENCE', 'quittance'),
      jwks: jwksOf(requiredOf(env, 'QUITTANCE_AUTH_JWKS', 'https://login.example.com/jwks')),
    },
  };
}

/** Whether what is read from there is the issuer's: over plain HTTP it could be anybody's, unless it comes from this machine. */
export function isTrusted({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && LOCAL_HOSTS.has(hostname));
}

const LOCAL_HOSTS: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

function jwksOf(value: string): IssuerConfig['jwks'] {
  if (!/^https?:/i.test(value)) return { path: value };
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !isTrusted(url)) {
    throw bad(
      'QUITTANCE_AUTH_JWKS',
      value,
      'a URL with https, one with http on this machine, or the path of a file',
    );
  }
  return { url: url.href };
}
