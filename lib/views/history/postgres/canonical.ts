/** Pages of canonical rows of the history view in PostgreSQL. */
import { create, fromBinary } from '@bufbuild/protobuf';
import { Direction, LedgerSchema } from '../../../../gen/quittance/common/v1/transaction_pb.js';
import { AccountStateSchema } from '../../../../gen/quittance/event/v1/event_pb.js';
import { int8Array, textArray } from '../../../log/postgres-arrays.js';
import { limitsIn } from '../../../log/limits-of.js';
import type { Pool } from '../../../log/postgres-client.js';
import type { RowPage, ViewRow } from '../../view.js';
import {
  accountRow,
  entryRow,
  formatRowKey,
  ledgerRow,
  parseRowKey,
  ROW_KINDS,
  type RowKey,
  type RowKind,
  transactionRow,
  versionRow,
} from '../canonical.js';
import {
  type AccountRecord,
  accountsIn,
  type PostedRecord,
  profileIn,
  transactionIn,
  type TransactionRecord,
} from '../records.js';
import * as sql from './sql/rows.sql.js';

/**
 * Rows after a key, of all kinds in the order of their keys. Each kind is a statement of its own: no snapshot
 * is held.
 */
export async function canonicalRows(pool: Pool, schema: string, page: RowPage): Promise<ViewRow[]> {
  const { ledgerId, afterKey, limit } = page;
  const after = afterKey === null ? undefined : parseRowKey(afterKey);
  const first = after === undefined ? 0 : ROW_KINDS.indexOf(after.kind);
  const rows: ViewRow[] = [];
  for (const kind of ROW_KINDS.slice(first)) {
    if (rows.length >= limit) break;
    const from = after?.kind === kind ? after : { kind, ledgerId: '' };
    rows.push(...(await READERS[kind](pool, schema, ledgerId, from, limit - rows.length)));
  }
  return rows;
}

/**
 * Entries, in the order of their transactions. The events that made these say which accounts to look at; what
 * the rows say is in the lines of those accounts. Lines do not change, so that two statements see the same.
 */
async function entryRows(
  pool: Pool,
  schema: string,
  ledgerId: string | null,
  after: RowKey,
  limit: number,
): Promise<ViewRow[]> {
  const rows: ViewRow[] = [];
  // Each has two entries or more; of the first one some may be before the key.
  const transactions = Math.ceil(limit / 2) + 1;
  let from = { ledgerId: after.ledgerId, position: after.position ?? -1n };
  const afterKey = after.index === undefined ? '' : formatRowKey(after);
  for (;;) {
    const { rows: posted } = await pool.query<PostedRow>(sql.postedRows(schema), [
      ledgerId,
      from.ledgerId,
      from.position,
      transactions,
    ]);
    const found = await entriesOf(pool, schema, posted);
    rows.push(...found.filter(({ key }) => key > afterKey));
    const last = posted.at(-1);
    if (rows.length >= limit || last === undefined || posted.length < transactions)
      return rows.slice(0, limit);
    from = { ledgerId: last.ledger_id, position: last.position + 1n };
  }
}

interface PostedRow extends PostedRecord {
  readonly ledger_id: string;
  readonly recorded_time: bigint;
}

interface EntryLine {
  readonly position: bigint;
  readonly entry: number;
  readonly account_id: string;
  readonly amount: bigint;
  readonly version: bigint;
  readonly posted_after: bigint;
  readonly effective_time: bigint | null;
}

/** The rows of the entries of some transactions, in order. */
async function entriesOf(pool: Pool, schema: string, posted: readonly PostedRow[]): Promise<ViewRow[]> {
  const names = posted.flatMap((row) => [...accountsIn(row)].map((accountId) => ({ row, accountId })));
  const { rows: lines } = await pool.query<EntryLine>(sql.entryLines(schema), [
    textArray(names.map(({ row }) => row.ledger_id)),
    textArray(names.map(({ accountId }) => accountId)),
    int8Array(names.map(({ row }) => row.position)),
  ]);
  const transactions = new Map(posted.map((row) => [row.position, row]));
  const rows = lines.flatMap((line) => {
    const transaction = transactions.get(line.position);
    if (transaction === undefined) return [];
    const { ledger_id: ledgerId, recorded_time: recordedTime } = transaction;
    return [
      entryRow({
        ledgerId,
        position: line.position,
        index: line.entry,
        accountId: line.account_id,
        direction: line.amount < 0n ? Direction.DEBIT : Direction.CREDIT,
        amount: line.amount < 0n ? -line.amount : line.amount,
        version: line.version,
        postedAfter: line.posted_after,
        effectiveTime: line.effective_time ?? recordedTime,
      }),
    ];
  });
  return rows.sort((one, other) => (one.key < other.key ? -1 : 1));
}

type Reader = (
  pool: Pool,
  schema: string,
  ledgerId: string | null,
  after: RowKey,
  limit: number,
) => Promise<ViewRow[]>;

/** Rows of one kind after a key of it, in the order of their keys. */
export const READERS: Readonly<Record<RowKind, Reader>> = {
  async account(pool, schema, ledgerId, after, limit) {
    const { rows } = await pool.query<AccountRecord & { changed_position: bigint }>(sql.accountRows(schema), [
      ledgerId,
      after.ledgerId,
      after.accountId ?? '',
      limit,
    ]);
    return rows.map((row) =>
      accountRow({
        ledgerId: row.ledger_id,
        state: create(AccountStateSchema, {
          accountId: row.account_id,
          type: row.type,
          currency: row.currency,
          status: row.status,
          freezeScope: row.freeze_scope,
        }),
        profile: profileIn(row),
        openedPosition: row.opened_position,
        openedTime: row.opened_time,
        position: row.changed_position,
      }),
    );
  },
  entry: entryRows,
  async ledger(pool, schema, ledgerId, after, limit) {
    const { rows } = await pool.query<{ document: Uint8Array }>(sql.ledgerRows(schema), [
      ledgerId,
      after.ledgerId,
      limit,
    ]);
    return rows.map(({ document }) => ledgerRow(fromBinary(LedgerSchema, document)));
  },
  async transaction(pool, schema, ledgerId, after, limit) {
    const { rows } = await pool.query<TransactionRecord>(sql.transactionRows(schema), [
      ledgerId,
      after.ledgerId,
      after.position ?? -1n,
      limit,
    ]);
    return rows.map((row) => transactionRow(transactionIn(row), row.changed_position));
  },
  async version(pool, schema, ledgerId, after, limit) {
    const { rows } = await pool.query<AccountRecord>(sql.versionRows(schema), [
      ledgerId,
      after.ledgerId,
      after.accountId ?? '',
      after.position ?? -1n,
      limit,
    ]);
    return rows.map((row) => {
      const { account_id, position, version, credits, debits, held, overdraft_limit, limits } = row;
      const money = {
        accountId: account_id,
        version,
        credits,
        debits,
        held,
        overdraftLimit: overdraft_limit,
      };
      return versionRow(row.ledger_id, money, limitsIn(limits), position);
    });
  },
};
