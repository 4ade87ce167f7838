/**
 * A list of any length by pages: of each page only its token is kept, and the rows of the pages that are near what can be
 * seen. Rows that were scrolled away are fetched again by the same token, which holds the position of the whole list.
 */
import { useCallback, useState } from 'react';
import { useQueries } from '@tanstack/react-query';

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

/** Rows out of sight are forgotten after this time. */
const FORGET_MS = 5_000;

interface Known {
  readonly key: string;
  /** The token of each page that can be fetched; that of the first is empty. */
  readonly tokens: readonly string[];
  /** Rows of the last page, once it is known to be the last. */
  readonly lastRows: number | undefined;
}

/** @param key what the list is of: another one begins anew */
export function useKeyset<T>(
  key: string,
  load: (token: string, signal: AbortSignal) => Promise<Page<T>>,
): Keyset<T> {
  const [known, setKnown] = useState<Known>({ key, tokens: [''], lastRows: undefined });
  const [seen, setSeen] = useState({ first: 0, last: 0 });
  const present = known.key === key ? known : { key, tokens: [''], lastRows: undefined };
  const firstPage = Math.min(Math.floor(seen.first / PAGE_ROWS), present.tokens.length - 1);
  const lastPage = Math.min(Math.floor(seen.last / PAGE_ROWS), present.tokens.length - 1);
  const pages = Array.from({ length: lastPage - firstPage + 1 }, (_, offset) => firstPage + offset);
  const answers = useQueries({
    queries: pages.map((page) => ({
      queryKey: ['keyset', key, page],
      queryFn: ({ signal }: { signal: AbortSignal }) => load(present.tokens[page] ?? '', signal),
      staleTime: Infinity,
      gcTime: FORGET_MS,
    })),
  });
  const newest = answers.at(-1)?.data;
  if (newest !== undefined && pages.at(-1) === present.tokens.length - 1 && present.lastRows === undefined) {
    const next =
      newest.next === '' ? { ...present, lastRows: newest.rows.length } : withToken(present, newest.next);
    setKnown(next);
  }
  const see = useCallback((first: number, last: number) => {
    setSeen((before) => (before.first === first && before.last === last ? before : { first, last }));
  }, []);
  const isComplete = present.lastRows !== undefined;
  return {
    count: (present.tokens.length - 1) * PAGE_ROWS + (present.lastRows ?? 0),
    rowAt: (index) => answers[Math.floor(index / PAGE_ROWS) - firstPage]?.data?.rows[index % PAGE_ROWS],
    see,
    isComplete,
    isLoading: !isComplete && answers.some(({ isPending }) => isPending),
    error: answers.find(({ error }) => error !== null)?.error ?? null,
  };
}

function withToken({ key, tokens, lastRows }: Known, token: string): Known {
  return { key, tokens: [...tokens, token], lastRows };
}
