/** Compares two generations of a view: by what is stored where the store can, and row by row what may differ. */
import type { KeyRange, View, ViewRow } from '../../lib/views/view.js';

/**
 * Rows per page. Large: the serving generation may gain rows while it is read, and has to be read faster than
 * it gains them, although every answer of the store takes some time.
 */
const PAGE_ROWS = 4_000;

/** What is compared. */
type Rows = Pick<View, 'rows'>;
/** A generation as a whole. */
type Generation = Pick<View, 'rows' | 'generation' | 'compareStored'>;
/** All rows. */
const EVERYTHING: KeyRange = { afterKey: null, throughKey: null };

/** A row that has to be compared later. */
export interface ChangedRow {
  readonly key: string;
  /** The key of the row before, from which it is found again; null: it is the first. */
  readonly after: string | null;
  /** How many rows came before it. */
  readonly ordinal: number;
}

/** What was found so far. */
export interface Comparison {
  compared: number;
  different: number;
  /** Keys of rows that differ; the first few. */
  readonly examples: string[];
  /** Rows that the serving generation has changed since: they are compared when the other one is as far. */
  changedMeanwhile: ChangedRow[];
  /** Of these a generation lacks parked events: their rows may differ, and are not compared. */
  readonly incomplete: ReadonlySet<string>;
}

/**
 * More rows than these are not kept: they are compared while the projection stands still, which must not take
 * long.
 */
const MOST_CHANGED = 1_000;
const MOST_EXAMPLES = 20;
/** Rows that lie closer together are read by one page, which costs less than a look-up for each. */
const NEAR_ROWS = 100;
/** Read beyond what is looked for, since rows may have come between. */
const SPARE_ROWS = 10;

export function emptyComparison(incomplete: ReadonlySet<string> = new Set()): Comparison {
  return { compared: 0, different: 0, examples: [], changedMeanwhile: [], incomplete };
}

/**
 * Compares a generation that goes on with one that stands still, at position `through` or beyond in each
 * partition. Rows of the same position are the same version of a thing; those that the first has changed since
 * are set aside in `changedMeanwhile`, up to a bound.
 */
export async function compareViews(
  serving: Generation,
  fresh: Generation,
  through: bigint,
  found: Comparison,
  signal: AbortSignal,
): Promise<void> {
  const stored = await serving.compareStored?.(fresh.generation, through, signal);
  found.compared += stored?.equalRows ?? 0;
  // Rows of different ranges are never near to each other.
  let ordinal = 0;
  for (const range of stored?.different ?? [EVERYTHING]) {
    ordinal = await compareRange({ serving, fresh, through, found, signal }, range, ordinal + PAGE_ROWS);
  }
}

interface Comparing {
  readonly serving: Rows;
  readonly fresh: Rows;
  readonly through: bigint;
  readonly found: Comparison;
  readonly signal: AbortSignal;
}

/** Compares the rows of a range. Gives the ordinal after the last, of those that begin with `first`. */
async function compareRange(
  { serving, fresh, through, found, signal }: Comparing,
  range: KeyRange,
  first: number,
): Promise<number> {
  const left = rowsOf(serving, range, signal);
  const right = rowsOf(fresh, range, signal);
  let one = await next(left);
  let other = await next(right);
  let after = range.afterKey;
  let ordinal = first;
  while (one !== undefined || other !== undefined) {
    // Keys sort by code units, as `<` does.
    const key: string =
      one === undefined || (other !== undefined && other.key < one.key) ? keyOf(other) : one.key;
    const ours = one?.key === key ? one : undefined;
    const theirs = other?.key === key ? other : undefined;
    if (isIncomplete(found, key)) after = key;
    else if (!hasChanged(ours, theirs, through)) judge(found, ours, theirs);
    else if (found.changedMeanwhile.length < MOST_CHANGED)
      found.changedMeanwhile.push({ key, after, ordinal });
    if (ours !== undefined) one = await next(left);
    if (theirs !== undefined) other = await next(right);
    after = key;
    ordinal += 1;
  }
  return ordinal;
}

/**
 * Whether the generations have different versions of the row, perhaps only because one has applied more
 * events.
 */
function hasChanged(ours: ViewRow | undefined, theirs: ViewRow | undefined, through: bigint): boolean {
  const [one, other] = [ours?.position ?? -1n, theirs?.position ?? -1n];
  return one !== other && (one > through || other > through);
}

/**
 * Compares the rows that were set aside. The new generation must stand still where the serving one was before
 * this began, or beyond; what that one has changed since stays set aside.
 */
export async function compareChangedMeanwhile(serving: Rows, fresh: Rows, found: Comparison): Promise<void> {
  const changed = found.changedMeanwhile;
  found.changedMeanwhile = [];
  const ours = await rowsAt(serving, changed);
  const theirs = await rowsAt(fresh, changed);
  for (const row of changed) {
    const [one, other] = [ours.get(row.key), theirs.get(row.key)];
    if ((one?.position ?? -1n) > (other?.position ?? -1n)) found.changedMeanwhile.push(row);
    else judge(found, one, other);
  }
}

/**
 * Compares a row that changes all the time: `fillTo` brings the new generation to exactly the position of the
 * row's last change. Gives whether both had the same version of it; if not, it is still to be compared.
 */
export async function compareUnstable(
  serving: Rows,
  fresh: Rows,
  row: ChangedRow,
  found: Comparison,
  fillTo: (position: bigint) => Promise<void>,
): Promise<boolean> {
  const ours = (await rowsAt(serving, [row])).get(row.key);
  if (ours !== undefined) await fillTo(ours.position);
  const theirs = (await rowsAt(fresh, [row])).get(row.key);
  if ((theirs?.position ?? -1n) > (ours?.position ?? -1n)) return false;
  judge(found, ours, theirs);
  return true;
}

/** Keys of all views have their ledger first, but for those of the history, which begin with the kind of the row. */
function isIncomplete({ incomplete }: Comparison, key: string): boolean {
  if (incomplete.size === 0) return false;
  const [first = '', second = ''] = key.split(' ', 2);
  return incomplete.has(first) || incomplete.has(second);
}

function judge(found: Comparison, ours: ViewRow | undefined, theirs: ViewRow | undefined): void {
  found.compared++;
  if (ours?.content === theirs?.content && ours?.position === theirs?.position) return;
  found.different++;
  const key = ours?.key ?? theirs?.key;
  if (key !== undefined && found.examples.length < MOST_EXAMPLES) found.examples.push(key);
}

/** The rows of a range, read one page ahead: the store reads the next page while this one is compared. */
async function* rowsOf(
  view: Rows,
  { afterKey: first, throughKey }: KeyRange,
  signal: AbortSignal,
): AsyncGenerator<ViewRow, undefined> {
  const read = (afterKey: string | null) => view.rows({ ledgerId: null, afterKey, limit: PAGE_ROWS });
  const isWithin = ({ key }: ViewRow) => throughKey === null || key <= throughKey;
  for (let reading = read(first); ;) {
    const rows: readonly ViewRow[] = await reading;
    signal.throwIfAborted();
    const end = rows.at(-1);
    const last = rows.length < PAGE_ROWS || end === undefined || !isWithin(end) ? undefined : end;
    if (last !== undefined) {
      reading = read(last.key);
      // A rejection until it is awaited must not count as unhandled.
      reading.catch(() => undefined);
    }
    yield* end !== undefined && isWithin(end) ? rows : rows.filter(isWithin);
    if (last === undefined) return undefined;
  }
}

async function next(rows: AsyncGenerator<ViewRow, undefined>): Promise<ViewRow | undefined> {
  const { value } = await rows.next();
  return value;
}

/**
 * The rows of these keys, by pages in order of keys. New rows may have come between a row and the one that
 * was before it, and more may come while this reads: if a page does not reach the row, the next page is twice
 * as long.
 */
async function rowsAt(view: Rows, changed: readonly ChangedRow[]): Promise<Map<string, ViewRow>> {
  const wanted = new Set(changed.map(({ key }) => key));
  const found = new Map<string, ViewRow>();
  let afterKey = changed[0]?.after ?? null;
  let limit = 0;
  for (let index = 0; index < changed.length;) {
    limit = Math.max(spanFrom(changed, index) + SPARE_ROWS, Math.min(2 * limit, PAGE_ROWS));
    const rows = await view.rows({ ledgerId: null, afterKey, limit });
    const last = rows.at(-1);
    if (last === undefined) break;
    for (const row of rows) if (wanted.has(row.key)) found.set(row.key, row);
    const began = index;
    // What lies before the end of the page was found, or is not there any more.
    for (let row = changed[index]; row !== undefined && row.key <= last.key; row = changed[index]) index += 1;
    if (index > began) limit = 0;
    const nextAfter = changed[index]?.after ?? null;
    afterKey = nextAfter !== null && nextAfter > last.key ? nextAfter : last.key;
  }
  return found;
}

/** How many rows lie between one and the last of those near to it. */
function spanFrom(changed: readonly ChangedRow[], index: number): number {
  const first = changed[index]?.ordinal ?? 0;
  let end = first;
  for (let at = index + 1; at < changed.length; at += 1) {
    const ordinal = changed[at]?.ordinal ?? 0;
    if (ordinal - end > NEAR_ROWS || ordinal - first > PAGE_ROWS - SPARE_ROWS) break;
    end = ordinal;
  }
  return end - first + 1;
}

function keyOf(row: ViewRow | undefined): string {
  if (row === undefined) throw new Error('one of the two has a row');
  return row.key;
}
