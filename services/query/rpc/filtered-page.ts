/**
 * A page of a list with filters that no index of a store answers: rows are looked at in the list's order and passed over, up to a
 * bound for each page, so that a filter that nothing passes costs a caller and the store no more than others do.
 */
import type { Checkpoint, Read } from '../../../lib/views/view.js';

/** So many rows are looked at for one page, where a filter passes over some; the contracts say so. */
export const LOOKED_AT_MAX = 2_000;
/** Of these, so many in one read of the view. */
const LOOKED_AT_AT_ONCE = 500;

/** What is asked of a view. */
export interface RowsAt<K> {
  /** Nothing recorded after this position; null: up to the checkpoint. */
  readonly through: bigint | null;
  /** Beyond this key; null: from the start. */
  readonly after: K | null;
  readonly limit: number;
}

/** Where the rows come from, and what a page shows of each. */
export interface RowSource<Row, Shown, Key> {
  /** The first rows, in the order of the list. */
  read(at: RowsAt<Key>): Promise<Read<readonly Row[]>>;
  /** Where the list goes on after a row. */
  keyAfter(row: Row): Key;
  /** What the page shows of a row; none if the filter passes over it. */
  shown(row: Row): readonly Shown[];
  /** Whether it may pass over rows: else a page needs no more of them than it holds. */
  readonly isFiltered: boolean;
}

/** The rows of a page. */
export interface FilteredPage<Shown, Key> {
  /** One more than the page holds if there are more, or yet more. */
  readonly rows: readonly Shown[];
  /** Of the first read: none looks beyond its position. */
  readonly asOf: Checkpoint;
  /** Where to go on, if the looking ended before the list did. */
  readonly goesOnAfter: Key | undefined;
}

/** Where a page begins, and how many rows it holds. */
export interface PageStart<Key> {
  readonly through: bigint | null;
  readonly after: Key | null;
  readonly size: number;
}

/** Reads a page. */
export async function filteredPage<Row, Shown, Key>(
  source: RowSource<Row, Shown, Key>,
  { through, after, size }: PageStart<Key>,
): Promise<FilteredPage<Shown, Key>> {
  const limit = source.isFiltered ? LOOKED_AT_AT_ONCE : size + 1;
  const first = await source.read({ through, after, limit });
  const { asOf } = first;
  const rows: Shown[] = [];
  let found = first.value;
  for (let lookedAt = found.length; ; lookedAt += found.length) {
    for (const row of found) rows.push(...source.shown(row));
    const last = found.at(-1);
    if (last === undefined || found.length < limit || rows.length > size)
      return { rows: rows.slice(0, size + 1), asOf, goesOnAfter: undefined };
    const key = source.keyAfter(last);
    if (lookedAt >= LOOKED_AT_MAX) return { rows, asOf, goesOnAfter: key };
    found = (await source.read({ through: through ?? asOf.position, after: key, limit })).value;
  }
}
