/** Pages of canonical rows of the history view in PostgreSQL. */
import { create, fromBinary } from '@bufbuild/protobuf';
import { LedgerSchema } from '../../../../gen/quittance/common/v1/transaction_pb.js';
import { AccountStateSchema } from '../../../../gen/quittance/event/v1/event_pb.js';
import type { Pool } from '../../../log/postgres-client.js';
import type { RowPage, ViewRow } from '../../view.js';
import {
  accountRow,
  entryRow,
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
  type EntryRecord,
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

type Reader = (
  pool: Pool,
  schema: string,
  ledgerId: string | null,
  after: RowKey,
  limit: number,
) => Promise<ViewRow[]>;

const READERS: Readonly<Record<RowKind, Reader>> = {
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
  async entry(pool, schema, ledgerId, after, limit) {
    const { rows } = await pool.query<EntryRecord & { ledger_id: string }>(sql.entryRows(schema), [
      ledgerId,
      after.ledgerId,
      after.position ?? -1n,
      after.index ?? -1,
      limit,
    ]);
    return rows.map((row) =>
      entryRow({
        ledgerId: row.ledger_id,
        position: row.position,
        index: row.entry,
        accountId: row.account_id,
        direction: row.direction,
        amount: row.amount,
        version: row.version,
        postedAfter: row.posted_after,
        effectiveTime: row.effective_time,
      }),
    );
  },
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
    return rows.map(({ ledger_id, account_id, position, version, credits, debits, held, overdraft_limit }) =>
      versionRow(
        ledger_id,
        { accountId: account_id, version, credits, debits, held, overdraftLimit: overdraft_limit },
        position,
      ),
    );
  },
};
