/**
 * A list of any length by pages: of each page only its token is kept, and the rows of the pages that are near what can be
 * seen. Rows that were scrolled away are fetched again by the same token, which holds the position of the whole list.
 */
import { useCallback, useState } from 'react';
import { useQueries, type UseQueryResult } from '@tanstack/react-query';
import { liveStore } from './reads.js';
import { useStore } from './store.js';

export interface Page<T> {
  readonly rows: readonly T[];
  /** Empty: it was the last one. */
  readonly next: string;
}

export interface Keyset<T> {
  /** Rows that are known to exist. */
  readonly count: number;
  /** Undefined while its page is fetched. */
  rowAt(index: number): T | undefined;
  /** Says which rows can be seen. */
  see(first: number, last: number): void;
  readonly isComplete: boolean;
  readonly isLoading: boolean;
  readonly error: Error | null;
}

export const PAGE_ROWS = 100;

/** A whole page, of the short ones that a server gives where it looks at many rows for a few: the list counts by whole pages. */
export async function wholePage<T>(
  token: string,
  fetch: (page: { readonly pageToken: string; readonly pageSize: number }) => Promise<Page<T>>,
): Promise<Page<T>> {
  const rows: T[] = [];
  let pageToken = token;
  do {
    const page = await fetch({ pageToken, pageSize: PAGE_ROWS - rows.length });
    rows.push(...page.rows);
    pageToken = page.next;
  } while (pageToken !== '' && rows.length < PAGE_ROWS);
  return { rows, next: pageToken };
}

/** The first page is read again so often, while no other one can be seen. */
const AGAIN_MS = 5_000;
/** Rows out of sight are forgotten after this time. */
const FORGET_MS = 5_000;

interface Known {
  readonly key: string;
  /** The token of each page that can be fetched; that of the first is empty. */
  readonly tokens: readonly string[];
  /** Rows of the last page, once it is known to be the last. */
  readonly lastRows: number | undefined;
}

/**
 * While only the first page can be seen, it is read again every so often, and the list goes on from what it says then. A list
 * that is read further down stays what it was.
 *
 * @param key what the list is of: another one begins anew
 * @param isHeld the rows that can be seen stay where they are
 */
export function useKeyset<T>(
  key: string,
  load: (token: string, signal: AbortSignal) => Promise<Page<T>>,
  isHeld = false,
): Keyset<T> {
  const isLive = useStore(liveStore);
  const [known, setKnown] = useState<Known>({ key, tokens: [''], lastRows: undefined });
  const [seen, setSeen] = useState({ first: 0, last: 0 });
  const present = known.key === key ? known : { key, tokens: [''], lastRows: undefined };
  const firstPage = Math.min(Math.floor(seen.first / PAGE_ROWS), present.tokens.length - 1);
  const lastPage = Math.min(Math.floor(seen.last / PAGE_ROWS), present.tokens.length - 1);
  const pages = Array.from({ length: lastPage - firstPage + 1 }, (_, offset) => firstPage + offset);
  const found = foundOf(
    useQueries({
      queries: pages.map((page) => {
        const token = present.tokens[page] ?? '';
        return {
          queryKey: ['keyset', key, token],
          queryFn: ({ signal }: { signal: AbortSignal }) => load(token, signal),
          staleTime: Infinity,
          gcTime: FORGET_MS,
          refetchInterval: isLive && !isHeld && lastPage === 0 && AGAIN_MS,
        };
      }),
    }),
  );
  const next = pages.reduce((list, page, index) => withAnswer(list, page, found.pages[index]), present);
  if (next !== present) setKnown(next);
  const see = useCallback((first: number, last: number) => {
    setSeen((before) => (before.first === first && before.last === last ? before : { first, last }));
  }, []);
  const isComplete = present.lastRows !== undefined;
  return {
    count: (present.tokens.length - 1) * PAGE_ROWS + (present.lastRows ?? 0),
    rowAt: (index) => found.pages[Math.floor(index / PAGE_ROWS) - firstPage]?.rows[index % PAGE_ROWS],
    see,
    isComplete,
    isLoading: !isComplete && found.isPending,
    error: found.error,
  };
}

interface Found<T> {
  /** Those that can be seen; undefined while one is fetched. */
  readonly pages: readonly (Page<T> | undefined)[];
  readonly isPending: boolean;
  readonly error: Error | null;
}

/**
 * What the answers say, without the answers: these lead to their observers, which keep the functions of the rendering that made
 * them. A function that saw the answers would so keep those of the rendering before, and with them every page that was ever seen.
 */
function foundOf<T>(answers: readonly UseQueryResult<Page<T>>[]): Found<T> {
  return {
    pages: answers.map(({ data }) => data),
    isPending: answers.some(({ isPending }) => isPending),
    error: answers.find(({ error }) => error !== null)?.error ?? null,
  };
}

/** What is known of the list after an answer for one of its pages. A page that goes on otherwise than before cuts off what followed it. */
function withAnswer<T>(list: Known, page: number, answer: Page<T> | undefined): Known {
  if (answer === undefined || page >= list.tokens.length) return list;
  const { key, tokens, lastRows } = list;
  if (answer.next !== '') {
    if (tokens[page + 1] === answer.next) return list;
    return { key, tokens: [...tokens.slice(0, page + 1), answer.next], lastRows: undefined };
  }
  if (page === tokens.length - 1 && lastRows === answer.rows.length) return list;
  return { key, tokens: tokens.slice(0, page + 1), lastRows: answer.rows.length };
}
