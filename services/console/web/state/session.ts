/** Who is at the console and what it was told by its server: settings, the caller's token, what they may do. */
import type { DescMethod } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import { METHOD_RULES } from '../../../../lib/auth/method-rules.js';
import { Grants } from '../../../../lib/auth/scopes.js';
import { createStore, useStore } from './store.js';

/** What `settings.json` says. */
export interface Settings {
  readonly version: string;
  /** Nothing that changes something is offered. */
  readonly isReadOnly: boolean;
  readonly hasAuth: boolean;
  /** Where to log in; undefined: a token or a key is asked for. */
  readonly login: LoginSettings | undefined;
  /** Origins of other processes; null: the one that served the page answers. */
  readonly commandOrigin: string | null;
  readonly projectorOrigin: string | null;
}

const TOKEN_KEY = 'quittance.token';

/** Undefined: the operator has not logged in. In this tab only, and gone with it. */
export const tokenStore = createStore(sessionStorage.getItem(TOKEN_KEY) ?? undefined);
tokenStore.subscribe(() => {
  const token = tokenStore.get();
  if (token === undefined) sessionStorage.removeItem(TOKEN_KEY);
  else sessionStorage.setItem(TOKEN_KEY, token);
});

export const settingsStore = createStore<Settings>({
  version: '',
  isReadOnly: true,
  hasAuth: false,
  login: undefined,
  commandOrigin: null,
  projectorOrigin: null,
});

/** @throws Error if the server does not answer it. */
export async function loadSettings(): Promise<void> {
  const answer = await fetch('settings.json');
  if (!answer.ok) throw new Error(`the server answers ${String(answer.status)} to settings.json`);
  const read: unknown = await answer.json();
  settingsStore.set(settingsOf(read));
}

function settingsOf(read: unknown): Settings {
  const of: Readonly<Record<string, unknown>> =
    typeof read === 'object' && read !== null ? Object.fromEntries(Object.entries(read)) : {};
  const textOrNull = (name: string) => (typeof of[name] === 'string' ? of[name] : null);
  return {
    version: textOrNull('version') ?? '',
    isReadOnly: of['isReadOnly'] !== false,
    hasAuth: of['hasAuth'] === true,
    login: loginOf(of['login']),
    commandOrigin: textOrNull('commandOrigin'),
    projectorOrigin: textOrNull('projectorOrigin'),
  };
}

/** What the page has to know to log in at an issuer. */
export interface LoginSettings {
  readonly issuer: string;
  readonly clientId: string;
  /** Of the tokens. */
  readonly audience: string;
  /** Words that are asked for. */
  readonly scope: string;
}

function loginOf(read: unknown): LoginSettings | undefined {
  if (typeof read !== 'object' || read === null) return undefined;
  const of = new Map<string, unknown>(Object.entries(read));
  const textOf = (name: string) => {
    const value = of.get(name);
    return typeof value === 'string' ? value : '';
  };
  return {
    issuer: textOf('issuer'),
    clientId: textOf('clientId'),
    audience: textOf('audience'),
    scope: textOf('scope'),
  };
}

/** Where the calls of the page's own server go: one folder above the page, also behind a proxy that adds a path of its own. */
export function ownBase(): string {
  return new URL('..', document.baseURI).href.replace(/\/$/, '');
}

/** Who a token says that it is, and what it is for; undefined for a key, which says nothing. */
interface Claims {
  readonly subject: string;
  readonly grants: Grants;
}

function claimsOf(token: string): Claims | undefined {
  const [, payload] = token.split('.');
  if (payload === undefined) return undefined;
  try {
    const bytes = Uint8Array.from(atob(payload.replaceAll('-', '+').replaceAll('_', '/')), (char) =>
      char.charCodeAt(0),
    );
    const read: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof read !== 'object' || read === null) return undefined;
    const of: Readonly<Record<string, unknown>> = Object.fromEntries(Object.entries(read));
    const texts = [of['scope'], of['scp']].flatMap((claim) =>
      typeof claim === 'string' ? claim.split(' ') : Array.isArray(claim) ? claim.map(String) : [],
    );
    return { subject: typeof of['sub'] === 'string' ? of['sub'] : '', grants: new Grants(texts) };
  } catch {
    return undefined;
  }
}

/** Methods that the server refused to this caller: they are not offered again. */
const refused = createStore<ReadonlySet<string>>(new Set());

/** Remembers that the caller may not call it. */
export function noteRefusal(method: DescMethod): void {
  refused.set(new Set([...refused.get(), keyOf(method)]));
}

/** Whether to offer a method for a ledger. The server decides in any case. */
export function useMay(): (method: DescMethod, ledger: string) => boolean {
  const { isReadOnly, hasAuth } = useStore(settingsStore);
  const token = useStore(tokenStore);
  const refusals = useStore(refused);
  const claims = hasAuth && token !== undefined ? claimsOf(token) : undefined;
  return (method, ledger) => {
    const isChange = method.idempotency !== MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
    if ((isReadOnly && isChange) || refusals.has(keyOf(method))) return false;
    const rule = METHOD_RULES[method.parent.typeName]?.[method.name];
    if (claims === undefined || rule?.kind === undefined) return true;
    return rule.subject === 'platform'
      ? claims.grants.mayEverywhere(rule.kind)
      : claims.grants.may(rule.kind, ledger);
  };
}

/** The name in the token, or that there is a key; undefined without authentication. */
export function useCaller(): string | undefined {
  const { hasAuth } = useStore(settingsStore);
  const token = useStore(tokenStore);
  if (!hasAuth || token === undefined) return undefined;
  const subject = claimsOf(token)?.subject;
  return subject === undefined || subject === '' ? 'API key' : subject;
}

export function logOut(): void {
  tokenStore.set(undefined);
  refused.set(new Set());
}

function keyOf(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}
