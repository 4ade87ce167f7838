/**
 * Compares two generations of the history in PostgreSQL by what is stored. Where digests agree, so do the rows;
 * canonical rows are left to be compared only where they do not. Keys of accounts and ledgers are positions of
 * the log, so that equal generations hold equal rows.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Pool } from '../../../log/postgres-client.js';
import { int8Array } from '../../../log/postgres-arrays.js';
import { largerOf, smallerOf } from '../../../base/bigints.js';
import type { KeyRange, StoredComparison } from '../../view.js';
import { formatRowKey } from '../canonical.js';
import {
  accountsPage,
  differentChanges,
  ledgerIds,
  ledgersBetween,
  ledgersPage,
  storedRuns,
  tableBlocks,
} from './sql/compare.sql.js';

/** Read by one statement: 32 MB, some 60,000 transactions. No snapshot is held for long. */
const STATEMENT_BLOCKS = 4_096n;
/** Positions of one digest: so many transactions are compared row by row where one differs. */
const RUN_BITS = 12n;
/** Accounts and ledgers of one digest. */
const PAGE_ROWS = 4_000;
/** Positions whose changes are compared by one statement. */
const STATEMENT_POSITIONS = 250_000n;
/** More ranges than these are not worth their look-ups: all rows of the kind are one range. */
const MOST_RANGES = 1_000;

/** No entry of an event has a greater one. */
const LAST_INDEX = 999;

const EVERYTHING: StoredComparison = { equalRows: 0, different: [{ afterKey: null, throughKey: null }] };

/** Two generations, and how far they are compared. */
interface Pair {
  readonly pool: Pool;
  /** Their schemas. */
  readonly schemas: readonly [string, string];
  readonly through: bigint;
  readonly signal: AbortSignal;
}

/** Some rows of a kind that agree, and the ranges in which not all do. */
interface Part {
  readonly equalRows: number;
  readonly different: readonly KeyRange[];
}

/** @see View.compareStored */
export async function compareStored(
  pool: Pool,
  schemas: readonly [string, string],
  through: bigint,
  signal: AbortSignal,
): Promise<StoredComparison> {
  const pair: Pair = { pool, schemas, through, signal };
  const accounts = await comparePages(pair, accountPage);
  const ledgers = await comparePages(pair, ledgerPage);
  // Lines and transactions name accounts and ledgers by keys: these must mean the same.
  if (accounts === undefined || ledgers === undefined) return EVERYTHING;
  const transactions = await compareTransactions(pair);
  const lines = await compareLines(pair, transactions.made);
  const parts = [accounts, lines.entries, ledgers, transactions, lines.versions];
  return {
    equalRows: parts.reduce((sum, { equalRows }) => sum + equalRows, 0),
    different: parts.flatMap(({ different }) => different),
  };
}

interface Page {
  readonly rows: number;
  readonly digest: string;
  readonly names: string;
  /** The key of its last row; null if it has none. */
  readonly last: RowName | null;
}

interface RowName {
  readonly ledgerId: string;
  readonly accountId: string;
}

/** No ledger has this id. */
const BEFORE_ALL: RowName = { ledgerId: '', accountId: '' };

interface PageKind {
  read(pair: Pair, schema: string, after: RowName | null): Promise<Page>;
  keyOf(name: RowName): string;
}

interface PageColumns {
  readonly rows: bigint;
  readonly digest: string;
  readonly names: string;
  readonly ledger_id: string | null;
  readonly account_id?: string | null;
}

const accountPage: PageKind = {
  read: async ({ pool, through }, schema, after) => {
    const values = [after?.ledgerId ?? '', after?.accountId ?? '', through, PAGE_ROWS];
    const { rows } = await pool.query<PageColumns>(accountsPage(schema), values);
    return pageIn(rows);
  },
  keyOf: ({ ledgerId, accountId }) => formatRowKey({ kind: 'account', ledgerId, accountId }),
};

const ledgerPage: PageKind = {
  read: async ({ pool, through }, schema, after) => {
    const values = [after?.ledgerId ?? '', through, PAGE_ROWS];
    const { rows } = await pool.query<PageColumns>(ledgersPage(schema), values);
    return pageIn(rows);
  },
  keyOf: ({ ledgerId }) => formatRowKey({ kind: 'ledger', ledgerId }),
};

function pageIn([row]: readonly PageColumns[]): Page {
  if (row === undefined) throw new Error('an aggregate has one row');
  const { digest, names, ledger_id: ledgerId, account_id: accountId } = row;
  const last = ledgerId === null ? null : { ledgerId, accountId: accountId ?? '' };
  return { rows: Number(row.rows), digest, names, last };
}

/** Accounts or ledgers, page by page. Undefined: the two have other ones. */
async function comparePages(pair: Pair, { read, keyOf }: PageKind): Promise<Part | undefined> {
  const [one, other] = pair.schemas;
  const different: KeyRange[] = [];
  let equalRows = 0;
  for (let after: RowName | null = null; ;) {
    pair.signal.throwIfAborted();
    const [ours, theirs]: [Page, Page] = await Promise.all([
      read(pair, one, after),
      read(pair, other, after),
    ]);
    if (ours.names !== theirs.names || ours.rows !== theirs.rows) return undefined;
    if (ours.last === null) return { equalRows, different };
    if (ours.digest === theirs.digest) equalRows += ours.rows;
    else different.push({ afterKey: keyOf(after ?? BEFORE_ALL), throughKey: keyOf(ours.last) });
    after = ours.last;
  }
}

interface Run {
  readonly rows: number;
  readonly digest: bigint;
}

/** The rows of a table by run of positions. */
async function runsOf({ pool, through, signal }: Pair, table: string): Promise<Map<bigint, Run>> {
  const { rows: sizes } = await pool.query<{ blocks: bigint }>(tableBlocks, [table]);
  const blocks = sizes[0]?.blocks ?? 0n;
  const runs = new Map<bigint, Run>();
  for (let from = 0n; from < blocks; from += STATEMENT_BLOCKS) {
    signal.throwIfAborted();
    const { rows } = await pool.query<{ run: bigint; rows: bigint; digest: string }>(storedRuns(table), [
      from,
      from + STATEMENT_BLOCKS,
      through,
      RUN_BITS,
    ]);
    for (const row of rows) {
      const known = runs.get(row.run) ?? { rows: 0, digest: 0n };
      runs.set(row.run, {
        rows: known.rows + Number(row.rows),
        digest: known.digest + BigInt(row.digest),
      });
    }
    await nextTurn();
  }
  return runs;
}

interface Runs {
  readonly equal: ReadonlyMap<bigint, Run>;
  readonly different: readonly bigint[];
}

/** The runs of a table that agree, and those that do not. */
async function compareRuns(pair: Pair, table: string): Promise<Runs> {
  const [one, other] = pair.schemas;
  const [ours, theirs] = await Promise.all([
    runsOf(pair, `${one}.${table}`),
    runsOf(pair, `${other}.${table}`),
  ]);
  const equal = new Map<bigint, Run>();
  const different: bigint[] = [];
  for (const run of new Set([...ours.keys(), ...theirs.keys()])) {
    const [mine, yours] = [ours.get(run), theirs.get(run)];
    if (mine !== undefined && mine.rows === yours?.rows && mine.digest === yours.digest) equal.set(run, mine);
    else different.push(run);
  }
  return { equal, different };
}

interface Lines {
  readonly entries: Part;
  readonly versions: Part;
}

/**
 * A line is an entry with its version. Where one differs, all entries and versions are compared row by row.
 * @param made runs whose transactions differ: which entries there are is read from these
 */
async function compareLines(pair: Pair, made: readonly Place[] | undefined): Promise<Lines> {
  const { equal, different } = await compareRuns(pair, 'lines');
  if (different.length > 0 || made === undefined) {
    return { entries: allOf('entry'), versions: allOf('version') };
  }
  const agreed = without(equal, made);
  return {
    entries: { equalRows: rowsIn(agreed), different: rangesOf('entry', made) },
    versions: { equalRows: 0, different: [] },
  };
}

interface Transactions extends Part {
  /** Where they were made otherwise, apart from changes; undefined: anywhere. */
  readonly made: readonly Place[] | undefined;
}

/** Those that were changed later, or differ, are compared row by row, together with those close to them. */
async function compareTransactions(pair: Pair): Promise<Transactions> {
  const { equal, different } = await compareRuns(pair, 'transactions');
  if (different.length > MOST_RANGES)
    return { equalRows: 0, different: allOf('transaction').different, made: undefined };
  const made: Place[] = [];
  for (const run of different) {
    for (const ledgerId of await ledgersIn(pair, run)) made.push({ ledgerId, run });
  }
  const changed = await changesOf(pair);
  const places = new Map(
    [...made, ...changed].map((place) => [`${place.ledgerId} ${String(place.run)}`, place]),
  );
  if (places.size > MOST_RANGES) return { equalRows: 0, different: allOf('transaction').different, made };
  const all = [...places.values()];
  return { equalRows: rowsIn(without(equal, all)), different: rangesOf('transaction', all), made };
}

/** A run of positions within a ledger. */
interface Place {
  readonly ledgerId: string;
  readonly run: bigint;
}

/** The rows of a kind at some places, in the order of their keys. */
function rangesOf(kind: 'entry' | 'transaction', places: readonly Place[]): KeyRange[] {
  const index = kind === 'entry' ? LAST_INDEX : undefined;
  const keyOf = (ledgerId: string, position: bigint) => formatRowKey({ kind, ledgerId, position, index });
  const ranges = places.map(({ ledgerId, run }) => {
    const first = run << RUN_BITS;
    return {
      // The event at position 0 begins the log: nothing is of it.
      afterKey: keyOf(ledgerId, largerOf(first - 1n, 0n)),
      throughKey: keyOf(ledgerId, first + (1n << RUN_BITS) - 1n),
    };
  });
  return ranges.sort((one, other) => (one.throughKey < other.throughKey ? -1 : 1));
}

async function ledgersIn({ pool, schemas }: Pair, run: bigint): Promise<string[]> {
  const first = run << RUN_BITS;
  const values = [first, first + (1n << RUN_BITS) - 1n];
  const { rows } = await pool.query<{ ledger_id: string }>(ledgersBetween(...schemas), values);
  return rows.map(({ ledger_id }) => ledger_id);
}

/** Where transactions' last changes are not the same: most were changed after `through`. */
async function changesOf({ pool, schemas, through, signal }: Pair): Promise<Place[]> {
  const found: { readonly ledger: bigint; readonly position: bigint }[] = [];
  for (let after = -1n; after < through;) {
    signal.throwIfAborted();
    const until = smallerOf(after + STATEMENT_POSITIONS, through);
    const { rows } = await pool.query<{ ledger: bigint; position: bigint }>(differentChanges(...schemas), [
      after,
      until,
    ]);
    found.push(...rows);
    after = until;
  }
  const ledgers = [...new Set(found.map(({ ledger }) => ledger))];
  const { rows } = await pool.query<{ ledger: bigint; ledger_id: string }>(ledgerIds(...schemas), [
    int8Array(ledgers),
  ]);
  const ids = new Map(rows.map(({ ledger, ledger_id }) => [ledger, ledger_id]));
  return found.flatMap(({ ledger, position }) => {
    const ledgerId = ids.get(ledger);
    return ledgerId === undefined ? [] : [{ ledgerId, run: position >> RUN_BITS }];
  });
}

/** All rows of a kind: no ledger's id is empty, and a tilde sorts behind every character of one. */
function allOf(kind: 'entry' | 'transaction' | 'version'): Part {
  const accountId = kind === 'version' ? '' : undefined;
  const index = kind === 'entry' ? 0 : undefined;
  const afterKey = formatRowKey({ kind, ledgerId: '', accountId, position: 0n, index });
  return { equalRows: 0, different: [{ afterKey, throughKey: `${kind} ~` }] };
}

/** A run may be of several ledgers: its rows count as equal only if none of them is compared again. */
function without(runs: ReadonlyMap<bigint, Run>, places: readonly Place[]): Map<bigint, Run> {
  const unequal = new Set(places.map(({ run }) => run));
  return new Map([...runs].filter(([run]) => !unequal.has(run)));
}

function rowsIn(runs: ReadonlyMap<bigint, Run>): number {
  let sum = 0;
  for (const { rows } of runs.values()) sum += rows;
  return sum;
}
