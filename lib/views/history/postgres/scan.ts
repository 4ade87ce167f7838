/**
 * All canonical rows of a ledger, in the order that costs least. A line says both an entry and a version of its account, so that
 * lines are read once, by account, as they lie on disk. In the order of keys entries come by position: their accounts
 * are found in the events, and each line is looked up.
 */
import { Direction } from '../../../../gen/quittance/common/v1/transaction_pb.js';
import { limitsIn } from '../../../log/limits-of.js';
import type { Pool } from '../../../log/postgres-client.js';
import type { ViewRow } from '../../view.js';
import { entryRow, parseRowKey, type RowKey, type RowKind, versionRow } from '../canonical.js';
import { READERS } from './canonical.js';
import { lineRows } from './sql/rows.sql.js';

const PAGE_LINES = 500;
/** Transactions are up to ten times as large as other rows. */
const PAGE_ROWS = 500;

/** @see View.scan */
export async function* scanRows(
  pool: Pool,
  schema: string,
  ledgerId: string,
): AsyncGenerator<readonly ViewRow[]> {
  for (const kind of ['account', 'ledger', 'transaction'] as const) {
    yield* rowsOfKind(pool, schema, ledgerId, kind);
  }
  yield* rowsOfLines(pool, schema, ledgerId);
}

async function* rowsOfKind(
  pool: Pool,
  schema: string,
  ledgerId: string,
  kind: RowKind,
): AsyncGenerator<readonly ViewRow[]> {
  for (let after: RowKey = { kind, ledgerId: '' }; ;) {
    const rows = await READERS[kind](pool, schema, ledgerId, after, PAGE_ROWS);
    yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE_ROWS) return;
    after = parseRowKey(last.key);
  }
}

interface LineRow {
  readonly account_id: string;
  readonly position: bigint;
  readonly version: bigint;
  readonly credits: bigint;
  readonly debits: bigint;
  readonly held: bigint;
  readonly overdraft_limit: bigint;
  readonly limits: Uint8Array | null;
  /** Below zero: the event changed the account without an entry of it. */
  readonly entry: number;
  readonly amount: bigint;
  readonly effective_time: bigint | null;
}

async function* rowsOfLines(
  pool: Pool,
  schema: string,
  ledgerId: string,
): AsyncGenerator<readonly ViewRow[]> {
  /** The next line says whether it is the last one of its event. */
  let before: LineRow | undefined;
  for (;;) {
    const { account_id = '', position = -1n, entry = -1 } = before ?? {};
    const values = [ledgerId, account_id, position, entry, PAGE_LINES];
    const { rows: lines } = await pool.query<LineRow>(lineRows(schema), values);
    const rows: ViewRow[] = [];
    for (const line of lines) {
      if (before !== undefined && isLastOfEvent(before, line)) rows.push(versionOf(ledgerId, before));
      if (line.entry >= 0) rows.push(entryOf(ledgerId, line));
      before = line;
    }
    const isLast = lines.length < PAGE_LINES;
    if (isLast && before !== undefined) rows.push(versionOf(ledgerId, before));
    yield rows;
    if (isLast) return;
  }
}

function isLastOfEvent(line: LineRow, next: LineRow): boolean {
  return line.position !== next.position || line.account_id !== next.account_id;
}

function versionOf(ledgerId: string, line: LineRow): ViewRow {
  const { account_id: accountId, version, credits, debits, held, overdraft_limit: overdraftLimit } = line;
  const money = { accountId, version, credits, debits, held, overdraftLimit };
  return versionRow(ledgerId, money, limitsIn(line.limits), line.position);
}

function entryOf(ledgerId: string, line: LineRow): ViewRow {
  const { account_id: accountId, position, version, amount, credits, debits } = line;
  return entryRow({
    ledgerId,
    position,
    index: line.entry,
    accountId,
    direction: amount < 0n ? Direction.DEBIT : Direction.CREDIT,
    amount: amount < 0n ? -amount : amount,
    version,
    postedAfter: credits - debits,
    // A line without its transaction is dated at no time.
    effectiveTime: line.effective_time ?? -1n,
  });
}
