/**
 * Where the page is: `#/books/transactions?status=declined`. It stands behind the `#`, so the address works below any base path,
 * and no proxy logs what was looked for. What is pinned (`at`) stays when the operator goes on to another page.
 */
import { createStore, useStore } from './store.js';

export interface Route {
  /** Empty: none is chosen yet. */
  readonly ledger: string;
  readonly page: string;
  /** Of the one thing that the page is about; empty for lists. */
  readonly id: string;
  readonly params: URLSearchParams;
}

const KEPT_PARAMS = ['at'];

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [ledger = '', page = '', ...rest] = path.split('/').map(decoded);
  return {
    ledger,
    page: page === '' ? 'overview' : page,
    id: rest.join('/'),
    params: new URLSearchParams(query),
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

const store = createStore(parseRoute(window.location.hash));
window.addEventListener('hashchange', () => {
  store.set(parseRoute(window.location.hash));
});

export function useRoute(): Route {
  return useStore(store);
}

export function currentRoute(): Route {
  return store.get();
}

/** Parameters of a link; absent ones are left out. */
export type LinkParams = Readonly<Record<string, string | undefined>>;

/** The address of a page in the ledger that is open. */
export function linkTo(page: string, id = '', params: LinkParams = {}): string {
  const { ledger, params: present } = store.get();
  return linkIn(ledger, page, id, { ...keptOf(present), ...params });
}

/** The address of a page of any ledger. */
export function linkIn(ledger: string, page: string, id = '', params: LinkParams = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params))
    if (value !== undefined && value !== '') query.set(name, value);
  const path = [ledger, page, ...(id === '' ? [] : [id])].map(encodeURIComponent).join('/');
  const text = query.toString();
  return `#/${path}${text === '' ? '' : `?${text}`}`;
}

function keptOf(params: URLSearchParams): LinkParams {
  return Object.fromEntries(KEPT_PARAMS.map((name) => [name, params.get(name) ?? undefined]));
}

export function goTo(link: string): void {
  window.location.hash = link;
}

/** Changes parameters of the present address without a new step in the browser's history. */
export function setParams(changes: LinkParams): void {
  const { ledger, page, id, params } = store.get();
  const next = { ...Object.fromEntries(params), ...changes };
  window.history.replaceState(null, '', linkIn(ledger, page, id, next));
  store.set(parseRoute(window.location.hash));
}
