/** What the environment says of the operators' console. */
import { type AuthConfig, isTrusted } from './auth-config.js';
import { bad, choiceOf, type Environment, valueOf } from './environment.js';
import { StartError } from './start-error.js';

/** `read-only`: the page offers nothing that changes something. What a caller may do is said by their scopes, not here. */
export const CONSOLE_MODES = ['on', 'read-only', 'off'] as const;
export type ConsoleMode = (typeof CONSOLE_MODES)[number];

export const CONSOLE_VARIABLE = 'QUITTANCE_CONSOLE';

/** @throws StartError if it is none of the modes. */
export function readConsoleMode(env: Environment): ConsoleMode {
  return choiceOf(env, CONSOLE_VARIABLE, CONSOLE_MODES, 'on');
}

export const CONSOLE_LOGIN_VARIABLES = ['QUITTANCE_CONSOLE_CLIENT_ID', 'QUITTANCE_CONSOLE_SCOPE'] as const;

/** How the page lets an operator log in at the issuer: by the authorization code flow, with PKCE and without a secret. */
export interface ConsoleLogin {
  /** Its address: what lies below it says where to log in. */
  readonly issuer: string;
  /** Of the tokens. */
  readonly audience: string;
  /** By which the issuer knows the console. */
  readonly clientId: string;
  /** Words that the page asks for. */
  readonly scope: string;
}

/** Undefined: the page asks for a token or a key. @throws StartError */
export function readConsoleLogin(env: Environment, auth: AuthConfig | undefined): ConsoleLogin | undefined {
  const clientId = valueOf(env, 'QUITTANCE_CONSOLE_CLIENT_ID');
  const scope = valueOf(env, 'QUITTANCE_CONSOLE_SCOPE') ?? 'openid';
  if (clientId === undefined) return undefined;
  if (auth?.issuer === undefined)
    throw new StartError('QUITTANCE_CONSOLE_CLIENT_ID is set without QUITTANCE_AUTH_ISSUER, where to log in');
  const { issuer, audience } = auth.issuer;
  if (!URL.canParse(issuer) || !isTrusted(new URL(issuer)))
    throw bad('QUITTANCE_AUTH_ISSUER', issuer, 'a URL with https where the console logs in at it');
  return { issuer, audience, clientId, scope };
}

export const CONSOLE_DOOR_VARIABLES = [
  'QUITTANCE_CONSOLE_COMMAND_URL',
  'QUITTANCE_CONSOLE_PROJECTOR_URL',
] as const;

/** Where browsers reach the processes that answer what the query service does not. */
export interface ConsoleDoors {
  /** Origin of a command process, such as http://localhost:8081. */
  readonly command: string;
  /** Origin of a projector. */
  readonly projector: string;
}

/** Undefined unless both are set: a page without commands and operations would be half a console. @throws StartError */
export function readConsoleDoors(env: Environment): ConsoleDoors | undefined {
  const command = originIn(env, 'QUITTANCE_CONSOLE_COMMAND_URL');
  const projector = originIn(env, 'QUITTANCE_CONSOLE_PROJECTOR_URL');
  return command === undefined || projector === undefined ? undefined : { command, projector };
}

function originIn(env: Environment, name: string): string | undefined {
  const value = valueOf(env, name);
  if (value === undefined) return undefined;
  const isOrigin = URL.canParse(value) && new URL(value).origin === value && /^https?:/.test(value);
  // It stands in the page's policy, and browsers compare it as it is.
  if (!isOrigin) throw bad(name, value, 'an origin such as http://localhost:8081, without a path');
  return value;
}
