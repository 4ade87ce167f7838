/**
 * Reads what state tables and views hold, page by page: no statement holds a snapshot for longer than its
 * page.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { readAhead } from '../../../lib/base/read-ahead.js';
import type { View, ViewRow } from '../../../lib/views/view.js';
import type { Comparison } from '../compare/comparison.js';
import { KeyCheckpoints } from '../log/key-checkpoints.js';
import type { StateCheckpoints } from '../fold/ledger-pass.js';
import type { StateTables } from '../ports.js';
import { readAccountContent, readTransactionContent, stateKey } from './state-rows.js';

/** Each page costs a look-up of where it begins. */
const PAGE_ROWS = 2_000;
/**
 * A row of the history is up to ten times as large as another. What lives through a collection of the young generation is copied, and
 * then fills the old one: with pages of 2,000 that was a fifth to a third of what was allocated, with 500 it is a fifteenth (measured).
 */
const HISTORY_PAGE_ROWS = 500;
/** Rows compared without a pause: all else in this process waits meanwhile. */
const ROWS_PER_TURN = 250;
/** Before every transaction. */
const NIL_UUID = '00000000-0000-0000-0000-000000000000';

/** Called with the number of rows of each page. */
export type OnRows = (rows: number) => void;

/** Hands all rows of a ledger in a view to a comparison. */
export async function readView(
  view: View,
  ledgerId: string,
  comparison: Comparison,
  onRows: OnRows,
  signal: AbortSignal,
): Promise<void> {
  const take = async (rows: readonly ViewRow[]): Promise<void> => {
    signal.throwIfAborted();
    await inTurns(rows, ({ key, position, content }) => {
      comparison.addActual(key, position, content);
    });
    onRows(rows.length);
  };
  if (view.scan !== undefined) return view.scan(ledgerId, take);
  for await (const rows of readAhead(inPages(view, ledgerId))) await take(rows);
}

/** Pages of the rows of a ledger, in the order of their keys. */
async function* inPages(view: View, ledgerId: string): AsyncGenerator<readonly ViewRow[]> {
  const limit = view.id === 'history' ? HISTORY_PAGE_ROWS : PAGE_ROWS;
  for (let afterKey: string | null = null; ;) {
    const rows: readonly ViewRow[] = await view.rows({ ledgerId, afterKey, limit });
    yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < limit) return;
    afterKey = last.key;
  }
}

/**
 * Hands all rows of a ledger in the state tables to a comparison; gives the checkpoints that they were read
 * at.
 */
export async function readState(
  state: StateTables,
  ledgerId: string,
  comparison: Comparison,
  onRows: OnRows,
  signal: AbortSignal,
): Promise<StateCheckpoints> {
  const accounts = new KeyCheckpoints();
  await pages(
    (after) => state.accountPage(ledgerId, after, PAGE_ROWS),
    '',
    ({ accountId }) => accountId,
    (row) => {
      comparison.addActual(stateKey.account(row.accountId), 0n, readAccountContent(row));
    },
    { checkpoints: accounts, onRows, signal },
  );
  const transactions = new KeyCheckpoints();
  await pages(
    (after) => state.transactionPage(ledgerId, after, PAGE_ROWS),
    NIL_UUID,
    ({ transactionId }) => transactionId,
    (row) => {
      comparison.addActual(stateKey.transaction(row.transactionId), 0n, readTransactionContent(row));
    },
    { checkpoints: transactions, onRows, signal },
  );
  return { accounts, transactions };
}

interface Reading {
  readonly checkpoints: KeyCheckpoints;
  readonly onRows: OnRows;
  readonly signal: AbortSignal;
}

async function pages<R>(
  read: (after: string) => Promise<{ readonly checkpoint: bigint; readonly rows: readonly R[] }>,
  first: string,
  keyOf: (row: R) => string,
  take: (row: R) => void,
  { checkpoints, onRows, signal }: Reading,
): Promise<void> {
  for (let next = awaitedLater(read(first)); ;) {
    signal.throwIfAborted();
    const { checkpoint, rows } = await next;
    const last = rows.at(-1);
    const isLast = last === undefined || rows.length < PAGE_ROWS;
    if (!isLast) next = awaitedLater(read(keyOf(last)));
    await inTurns(rows, take);
    onRows(rows.length);
    checkpoints.add(isLast ? undefined : keyOf(last), checkpoint);
    if (isLast) return;
  }
}

/** A rejection until it is awaited must not count as unhandled. */
function awaitedLater<T>(reading: Promise<T>): Promise<T> {
  reading.catch(() => undefined);
  return reading;
}

async function inTurns<R>(rows: readonly R[], take: (row: R) => void): Promise<void> {
  for (const [index, row] of rows.entries()) {
    if (index % ROWS_PER_TURN === 0) await nextTurn();
    take(row);
  }
}
