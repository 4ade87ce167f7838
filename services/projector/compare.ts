/** Compares two generations of a view, row by row. */
import type { View, ViewRow } from '../../lib/views/view.js';

/** Rows a page. */
const PAGE_ROWS = 1_000;

/** A row to be looked at again. */
export interface MovedRow {
  readonly key: string;
  /** The key of the row before, from which it is found again; null: it is the first. */
  readonly after: string | null;
}

/** What was found so far. */
export interface Comparison {
  compared: number;
  different: number;
  /** Keys of rows that differ; the first few. */
  readonly examples: string[];
  /** Rows that the serving generation has changed since: they can only be compared at rest. */
  readonly moved: MovedRow[];
}

/** More rows than these are not kept: they are compared while the projection stands still, which must not take long. */
const MOST_MOVED = 1_000;
const MOST_EXAMPLES = 20;

export function emptyComparison(): Comparison {
  return { compared: 0, different: 0, examples: [], moved: [] };
}

/**
 * Compares all rows of a generation that goes on with one that stands still at position `through`. Rows that changed after
 * it are set aside in `moved`, up to a bound.
 */
export async function compareViews(
  serving: View,
  fresh: View,
  through: bigint,
  found: Comparison,
  signal: AbortSignal,
): Promise<void> {
  const left = rowsOf(serving, signal);
  const right = rowsOf(fresh, signal);
  let one = await next(left);
  let other = await next(right);
  let after: string | null = null;
  while (one !== undefined || other !== undefined) {
    // Keys sort by code units, as `<` does.
    const key: string =
      one === undefined || (other !== undefined && other.key < one.key) ? keyOf(other) : one.key;
    const ours = one?.key === key ? one : undefined;
    const theirs = other?.key === key ? other : undefined;
    if ((ours?.position ?? -1n) > through || (theirs?.position ?? -1n) > through) {
      if (found.moved.length < MOST_MOVED) found.moved.push({ key, after });
    } else {
      judge(found, ours, theirs);
    }
    if (ours !== undefined) one = await next(left);
    if (theirs !== undefined) other = await next(right);
    after = key;
  }
}

/** Compares the rows that were set aside. Both generations must stand still at the same position. */
export async function compareMoved(serving: View, fresh: View, found: Comparison): Promise<void> {
  for (const row of found.moved) {
    const [ours, theirs] = await Promise.all([rowAt(serving, row), rowAt(fresh, row)]);
    judge(found, ours, theirs);
  }
}

function judge(found: Comparison, ours: ViewRow | undefined, theirs: ViewRow | undefined): void {
  found.compared++;
  if (ours?.content === theirs?.content && ours?.position === theirs?.position) return;
  found.different++;
  const key = ours?.key ?? theirs?.key;
  if (key !== undefined && found.examples.length < MOST_EXAMPLES) found.examples.push(key);
}

async function* rowsOf(view: View, signal: AbortSignal): AsyncGenerator<ViewRow, undefined> {
  for (let afterKey: string | null = null; ;) {
    signal.throwIfAborted();
    const rows: readonly ViewRow[] = await view.rows({ ledgerId: null, afterKey, limit: PAGE_ROWS });
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE_ROWS) return undefined;
    afterKey = last.key;
  }
}

async function next(rows: AsyncGenerator<ViewRow, undefined>): Promise<ViewRow | undefined> {
  const { value } = await rows.next();
  return value;
}

/** The row of a key through the keyset read; rows may have come between it and the one that was before it. */
async function rowAt(view: View, { key, after }: MovedRow): Promise<ViewRow | undefined> {
  for (let afterKey = after; ;) {
    const rows = await view.rows({ ledgerId: null, afterKey, limit: 10 });
    const found = rows.find((row) => row.key === key);
    const last = rows.at(-1);
    if (found !== undefined || last === undefined || last.key > key) return found;
    afterKey = last.key;
  }
}

function keyOf(row: ViewRow | undefined): string {
  if (row === undefined) throw new Error('one of the two has a row');
  return row.key;
}
