/**
 * Login at the operator's issuer by the authorization code flow with PKCE (RFC 6749, RFC 7636): the page holds no secret. The
 * tab keeps what it began with, so a code that it did not ask for is not taken.
 */
import { createStore } from './store.js';
import { type LoginSettings, tokenStore } from './session.js';

/** Why the last login failed; empty if it did not. */
export const loginProblemStore = createStore('');

const BEGUN_KEY = 'quittance.login';
const VERIFIER_BYTES = 32;
const STATE_BYTES = 16;

interface Begun {
  readonly verifier: string;
  readonly state: string;
  /** Where the operator was. */
  readonly hash: string;
}

/** Leaves for the issuer's page. @throws Error if the issuer does not say where that is */
export async function beginLogin({ issuer, clientId, audience, scope }: LoginSettings): Promise<void> {
  const { authorizationEndpoint } = await endpointsOf(issuer);
  const begun: Begun = {
    verifier: randomText(VERIFIER_BYTES),
    state: randomText(STATE_BYTES),
    hash: window.location.hash,
  };
  sessionStorage.setItem(BEGUN_KEY, JSON.stringify(begun));
  const address = new URL(authorizationEndpoint);
  const params = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: pageAddress(),
    scope,
    audience,
    state: begun.state,
    code_challenge: await challengeOf(begun.verifier),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(params)) address.searchParams.set(name, value);
  window.location.assign(address);
}

/** Takes what the issuer has sent the browser back with, if it has; the address of the page is then what it was. */
export async function endLogin(login: LoginSettings | undefined): Promise<void> {
  const params = new URLSearchParams(window.location.search);
  if (login === undefined || !(params.has('code') || params.has('error'))) return;
  const begun = takeBegun();
  window.history.replaceState(null, '', window.location.pathname);
  try {
    tokenStore.set(await tokenFor(login, params, begun));
    loginProblemStore.set('');
  } catch (error) {
    loginProblemStore.set(error instanceof Error ? error.message : String(error));
  }
  if (begun !== undefined && begun.hash !== '') window.location.hash = begun.hash;
}

async function tokenFor(
  { issuer, clientId }: LoginSettings,
  params: URLSearchParams,
  begun: Begun | undefined,
): Promise<string> {
  if (begun === undefined || params.get('state') !== begun.state)
    throw new Error('this login was not begun in this tab');
  // RFC 9207: an answer of another issuer is not for this one.
  if ((params.get('iss') ?? issuer) !== issuer) throw new Error('another issuer has answered');
  const refusal = params.get('error');
  if (refusal !== null) throw new Error(params.get('error_description') ?? refusal);
  const { tokenEndpoint } = await endpointsOf(issuer);
  const answer = await fetch(tokenEndpoint, {
    method: 'POST',
    credentials: 'omit',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: params.get('code') ?? '',
      redirect_uri: pageAddress(),
      client_id: clientId,
      code_verifier: begun.verifier,
    }),
  });
  const token = textIn(await answer.json(), 'access_token');
  if (!answer.ok || token === '') throw new Error(`the issuer gave no token (${String(answer.status)})`);
  return token;
}

async function endpointsOf(issuer: string) {
  const answer = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, {
    credentials: 'omit',
  });
  const said: unknown = await answer.json();
  const authorizationEndpoint = textIn(said, 'authorization_endpoint');
  const tokenEndpoint = textIn(said, 'token_endpoint');
  if (textIn(said, 'issuer') !== issuer || authorizationEndpoint === '' || tokenEndpoint === '')
    throw new Error(`${issuer} does not say where to log in`);
  return { authorizationEndpoint, tokenEndpoint };
}

/** What was begun in this tab, once. */
function takeBegun(): Begun | undefined {
  const kept = sessionStorage.getItem(BEGUN_KEY);
  sessionStorage.removeItem(BEGUN_KEY);
  if (kept === null) return undefined;
  const read: unknown = JSON.parse(kept);
  return { verifier: textIn(read, 'verifier'), state: textIn(read, 'state'), hash: textIn(read, 'hash') };
}

/** The page without its state: what the issuer knows it by. */
function pageAddress(): string {
  return window.location.origin + window.location.pathname;
}

function randomText(bytes: number): string {
  return base64Url(crypto.getRandomValues(new Uint8Array(bytes)));
}

async function challengeOf(verifier: string): Promise<string> {
  return base64Url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))));
}

function base64Url(bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

function textIn(read: unknown, name: string): string {
  if (typeof read !== 'object' || read === null) return '';
  const found: unknown = new Map<string, unknown>(Object.entries(read)).get(name);
  return typeof found === 'string' ? found : '';
}
