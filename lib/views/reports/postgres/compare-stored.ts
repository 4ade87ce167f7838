/**
 * Compares two generations of the reports in PostgreSQL by what is stored: their records byte by byte, with the
 * numbers of ledgers and accounts of the one in place of the other's, and the sums of sealed segments by
 * digests. Sums of what is not sealed follow from its records. Canonical rows are left to be compared where
 * these do not agree.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { KeyRange, StoredComparison } from '../../view.js';
import type { PackCursor } from './pack.js';
import { recordsFrom } from './records.js';
import {
  declineRollup,
  entryRollup,
  ledgersOfBoth,
  sameAccounts,
  sealedInBoth,
  volumeRollup,
} from './sql/compare.sql.js';
import type { ReportStore } from './standing.js';

const PAGE_LEDGERS = 500;
const PAGE_ACCOUNTS = 20_000;
/** Packs of the tail are small, those of what is sealed hold 1,024 records. */
const PAGE_PACKS = 64;
/** Records that are compared before other work has its turn: a millisecond or two. */
const TURN_RECORDS = 2_000;
/** No account has this number. */
const NOT_THERE = 0;
const SUMS = ['sum-decline', 'sum-entry', 'sum-volume'] as const;
const ROLLUPS = [declineRollup, entryRollup, volumeRollup] as const;

/** Two generations, and how far they are compared. */
interface Pair {
  readonly ours: ReportStore;
  readonly theirs: ReportStore;
  readonly through: bigint;
  readonly signal: AbortSignal;
}

interface LedgerOfBoth {
  readonly ledger_id: string;
  readonly partition: number;
  readonly our_ledger: number | null;
  readonly their_ledger: number | null;
}

/** A ledger that both have. */
interface SharedLedger extends LedgerOfBoth {
  readonly our_ledger: number;
  readonly their_ledger: number;
}

/** @see View.compareStored */
export async function compareStored(pair: Pair): Promise<StoredComparison> {
  const accounts = await accountNumbers(pair);
  const different: KeyRange[] = [];
  let equalRows = 0;
  for await (const ledger of ledgers(pair)) {
    const equal = isShared(ledger) ? await compareLedger(pair, ledger, accounts) : undefined;
    if (equal === undefined) {
      different.push({ afterKey: `${ledger.ledger_id} decline`, throughKey: `${ledger.ledger_id} volume ~` });
      continue;
    }
    equalRows += equal.equalRows;
    different.push(...equal.different);
  }
  return { equalRows, different };
}

function isShared(ledger: LedgerOfBoth): ledger is SharedLedger {
  return ledger.our_ledger !== null && ledger.their_ledger !== null;
}

/** Undefined: its rows have to be compared one by one. */
async function compareLedger(
  pair: Pair,
  ledger: SharedLedger,
  accounts: Uint32Array,
): Promise<StoredComparison | undefined> {
  const records = await compareRecords(pair, ledger, accounts);
  if (records === undefined) return undefined;
  const { rows } = await pair.ours.pool.query<{ through: bigint; bucket: number | null }>(
    sealedInBoth(pair.ours.schema, pair.theirs.schema),
    [ledger.partition],
  );
  const { through = -1n, bucket = null } = rows[0] ?? {};
  const sums = await compareSums(pair, ledger, through);
  if (sums === undefined) return undefined;
  return { equalRows: records + sums, different: bucket === null ? [] : sumsFrom(ledger.ledger_id, bucket) };
}

/** The sums of a bucket and of those after it. */
function sumsFrom(ledgerId: string, bucket: number): KeyRange[] {
  return SUMS.map((section) => ({
    afterKey: `${ledgerId} ${section} ${String(bucket).padStart(10, '0')}`,
    throughKey: `${ledgerId} ${section} ~`,
  }));
}

/** How many rows the records of both stand for; undefined if they are not the same. */
async function compareRecords(
  { ours, theirs, through, signal }: Pair,
  { our_ledger, their_ledger, ledger_id, partition }: SharedLedger,
  accounts: Uint32Array,
): Promise<number | undefined> {
  const of = (store: ReportStore, ledger: number) =>
    recordsFrom(store, { ledger, ledger_id, partition }, 0n, PAGE_PACKS);
  const [one, other] = [of(ours, our_ledger), of(theirs, their_ledger)];
  const next = async (records: AsyncGenerator<PackCursor>) => {
    const { value } = (await records.next()) as IteratorResult<PackCursor, undefined>;
    return value !== undefined && value.position <= through ? value : undefined;
  };
  const numberOf = (account: number) => accounts[account] ?? NOT_THERE;
  let rows = 0;
  for (let count = 1; ; count += 1) {
    if (count % TURN_RECORDS === 0) {
      signal.throwIfAborted();
      await nextTurn();
    }
    const [mine, yours] = [await next(one), await next(other)];
    if (mine === undefined && yours === undefined) return rows;
    if (mine === undefined || yours === undefined) return undefined;
    mine.renumber(their_ledger, numberOf);
    if (!mine.isSame(yours)) return undefined;
    rows += mine.isDecline ? 1 : mine.entries + mine.currencies;
  }
}

/** How many sums of sealed segments both have; undefined if they are not the same. */
async function compareSums(
  { ours, theirs, signal }: Pair,
  { our_ledger, their_ledger }: SharedLedger,
  through: bigint,
): Promise<number | undefined> {
  let sums = 0;
  for (const rollup of ROLLUPS) {
    signal.throwIfAborted();
    const read = async ({ pool, schema }: ReportStore, ledger: number) => {
      const { rows } = await pool.query<{ rows: bigint; digest: string }>(rollup(schema), [ledger, through]);
      return rows[0] ?? { rows: 0n, digest: '0' };
    };
    const [mine, yours] = [await read(ours, our_ledger), await read(theirs, their_ledger)];
    if (mine.rows !== yours.rows || mine.digest !== yours.digest) return undefined;
    sums += Number(mine.rows);
  }
  return sums;
}

async function* ledgers({ ours, theirs, signal }: Pair): AsyncGenerator<LedgerOfBoth> {
  for (let after = ''; ;) {
    signal.throwIfAborted();
    const { rows } = await ours.pool.query<LedgerOfBoth>(ledgersOfBoth(ours.schema, theirs.schema), [
      after,
      PAGE_LEDGERS,
    ]);
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE_LEDGERS) return;
    after = last.ledger_id;
  }
}

/** The number of each account in the other generation, by its number in this one. */
async function accountNumbers({ ours, theirs, signal }: Pair): Promise<Uint32Array> {
  let numbers = new Uint32Array(PAGE_ACCOUNTS);
  for (let after = 0; ;) {
    signal.throwIfAborted();
    const { rows } = await ours.pool.query<{ ours: number; theirs: number | null }>(
      sameAccounts(ours.schema, theirs.schema),
      [after, PAGE_ACCOUNTS],
    );
    const last = rows.at(-1);
    if (last === undefined) return numbers;
    if (last.ours >= numbers.length) {
      const larger = new Uint32Array(2 * last.ours);
      larger.set(numbers);
      numbers = larger;
    }
    for (const row of rows) numbers[row.ours] = row.theirs ?? NOT_THERE;
    after = last.ours;
  }
}
