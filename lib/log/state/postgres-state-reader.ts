/** Reads of the state tables and of commands by request id. */
import { create, fromBinary } from '@bufbuild/protobuf';
import { AccountProfileSchema, TransactionStateSchema } from '../../../gen/quittance/event/v1/event_pb.js';
import { type AccountColumns, accountStateOf } from '../account-state.js';
import type { RecordedEvent } from '../recorded-event.js';
import { isSameBytes } from '../../base/bytes.js';
import { uuidToBytes } from '../../base/uuid.js';
import { decodedRow, type EventRow } from '../postgres-log-reader.js';
import type { Pool } from '../postgres-client.js';
import * as sql from './read.sql.js';
import type {
  AccountKey,
  AccountRow,
  AtCheckpoint,
  LedgerRow,
  OpenHold,
  OpenHoldsSummary,
  StateCheckpoint,
  TotalRow,
  TransactionKey,
  TransactionRow,
} from './rows.js';

/** The smallest UUID, to begin pages with: no command has it. */
export const NIL_UUID = '00000000-0000-0000-0000-000000000000';

/** Without a version, and everything else null, where the account does not exist. */
interface StateColumns extends Omit<AccountColumns, 'version'> {
  readonly checkpoint: bigint;
  readonly ledger_id: string;
  readonly version: bigint | null;
  readonly profile_version: bigint;
  readonly name: string;
  readonly owner_reference: string;
  readonly metadata: Record<string, string>;
}

interface TransactionColumns {
  checkpoint: bigint;
  ledger_id: string;
  transaction_id: string | null;
  position: bigint | null;
  event: Buffer;
  state: Buffer | null;
}

interface LedgerColumns {
  readonly checkpoint: bigint;
  readonly ledger_id: string;
  /** Null where there is no such ledger. */
  readonly position: bigint | null;
  readonly closed_through: bigint | null;
}

/** Everything null where the ledger has no account. */
interface TotalColumns {
  readonly checkpoint: bigint;
  readonly currency: string | null;
  readonly type: number;
  readonly debits: string;
  readonly credits: string;
}

/** @throws Error if the schema was never migrated. */
export async function readStateCheckpoint(pool: Pool): Promise<StateCheckpoint> {
  const { rows } = await pool.query<StateCheckpoint>({ name: 'state_checkpoint', text: sql.readCheckpoint });
  if (rows[0] === undefined) throw new Error('the state tables have no checkpoint');
  return rows[0];
}

/** Which of these ledgers exist at the checkpoint. */
export async function readLedgerRows(
  pool: Pool,
  ledgerIds: readonly string[],
): Promise<AtCheckpoint<LedgerRow>> {
  const { rows } = await pool.query<LedgerColumns>({
    name: 'state_ledgers',
    text: sql.readLedgers,
    values: [ledgerIds],
  });
  return {
    checkpoint: checkpointOf(rows),
    rows: rows
      .filter(({ position }) => position !== null)
      .map((row) => ({ ledgerId: row.ledger_id, closedThrough: row.closed_through })),
  };
}

/** What all entries of a ledger come to at the checkpoint, by currency and type of account. */
export async function readTotalRows(pool: Pool, ledgerId: string): Promise<AtCheckpoint<TotalRow>> {
  const { rows } = await pool.query<TotalColumns>({
    name: 'state_totals',
    text: sql.readTotals,
    values: [ledgerId],
  });
  return {
    checkpoint: checkpointOf(rows),
    rows: rows.flatMap(({ currency, type, debits, credits }) =>
      currency === null ? [] : [{ currency, type, debits: BigInt(debits), credits: BigInt(credits) }],
    ),
  };
}

/** Those of these accounts that exist at the checkpoint. */
export async function readAccountRows(
  pool: Pool,
  keys: readonly AccountKey[],
): Promise<AtCheckpoint<AccountRow>> {
  const { rows } = await pool.query<StateColumns>({
    name: 'state_accounts',
    text: sql.readAccounts,
    values: [keys.map(({ ledgerId }) => ledgerId), keys.map(({ accountId }) => accountId)],
  });
  return { checkpoint: checkpointOf(rows), rows: rows.flatMap(accountRow) };
}

/** One row per key, in no particular order. */
export async function readTransactionRows(
  pool: Pool,
  keys: readonly TransactionKey[],
): Promise<AtCheckpoint<TransactionRow>> {
  const { rows } = await pool.query<TransactionColumns>({
    name: 'state_transactions',
    text: sql.readTransactions,
    values: [keys.map(({ ledgerId }) => ledgerId), keys.map(({ transactionId }) => transactionId)],
  });
  return { checkpoint: checkpointOf(rows), rows: rows.flatMap(transactionRow) };
}

/** A keyset page of a ledger's accounts by id, code units ascending. */
export async function readAccountPage(
  pool: Pool,
  ledgerId: string,
  afterAccountId: string,
  limit: number,
): Promise<AtCheckpoint<AccountRow>> {
  const { rows } = await pool.query<StateColumns>({
    name: 'state_account_page',
    text: sql.readAccountPage,
    values: [ledgerId, afterAccountId, limit],
  });
  return { checkpoint: checkpointOf(rows), rows: rows.flatMap(accountRow) };
}

/** A keyset page of the ledger's transactions that have a row. Start after NIL_UUID. `made` is not read. */
export async function readTransactionPage(
  pool: Pool,
  ledgerId: string,
  afterTransactionId: string,
  limit: number,
): Promise<AtCheckpoint<TransactionRow>> {
  const { rows } = await pool.query<TransactionColumns>({
    name: 'state_transaction_page',
    text: sql.readTransactionPage,
    values: [ledgerId, afterTransactionId, limit],
  });
  return { checkpoint: checkpointOf(rows), rows: rows.flatMap(transactionRow) };
}

interface OpenHoldColumns {
  readonly ledger_id: string;
  readonly transaction_id: string;
  readonly state: Buffer;
  readonly hold_expire_time: bigint;
}

/** Holds that expire before a time, the earliest first. */
export async function readOpenHolds(pool: Pool, before: bigint, limit: number): Promise<OpenHold[]> {
  const { rows } = await pool.query<OpenHoldColumns>({
    name: 'state_open_holds',
    text: sql.readOpenHolds,
    values: [before, limit],
  });
  return rows.map((row) => ({
    ledgerId: row.ledger_id,
    transactionId: row.transaction_id,
    payerAccountId: fromBinary(TransactionStateSchema, row.state).payment?.payerAccountId ?? '',
    expireTime: row.hold_expire_time,
  }));
}

/** How many holds are open, counted to a limit, and when the first expires. */
export async function summarizeOpenHolds(pool: Pool, limit: number): Promise<OpenHoldsSummary> {
  const { rows } = await pool.query<{ count: number; next_expiry: bigint | null }>({
    name: 'state_open_holds_summary',
    text: sql.summarizeOpenHolds,
    values: [limit],
  });
  return { count: rows[0]?.count ?? 0, nextExpiry: rows[0]?.next_expiry ?? null };
}

/** The events of commands, by request id. */
export async function readRequests(
  pool: Pool,
  keys: readonly { readonly ledgerId: string; readonly requestId: string }[],
): Promise<{ ledgerId: string; requestId: string; recorded: RecordedEvent }[]> {
  const { rows } = await pool.query<{ ledger_id: string; request_id: string } & EventRow>({
    name: 'requests',
    text: sql.readRequests,
    values: [keys.map(({ ledgerId }) => ledgerId), keys.map(({ requestId }) => requestId)],
  });
  return rows.flatMap((row) => {
    const [ledgerId, requestId] = [row.ledger_id, row.request_id];
    const recorded = decodedRow(row);
    const { event } = recorded;
    const isOfCommand = event.ledgerId === ledgerId && isSameBytes(event.requestId, uuidToBytes(requestId));
    return isOfCommand ? [{ ledgerId, requestId, recorded }] : [];
  });
}

function checkpointOf(rows: readonly { checkpoint: bigint }[]): bigint {
  const checkpoint = rows[0]?.checkpoint;
  if (checkpoint === undefined) throw new Error('the state tables have no checkpoint');
  return checkpoint;
}

function accountRow(row: StateColumns): AccountRow[] {
  const { version } = row;
  if (version === null) return [];
  const state = accountStateOf({ ...row, version });
  const profile = create(AccountProfileSchema, {
    name: row.name,
    ownerReference: row.owner_reference,
    metadata: row.metadata,
    profileVersion: row.profile_version,
  });
  return [{ ledgerId: row.ledger_id, accountId: row.account_id, state, profile }];
}

function transactionRow(row: TransactionColumns): TransactionRow[] {
  if (row.transaction_id === null) return [];
  return [
    {
      ledgerId: row.ledger_id,
      transactionId: row.transaction_id,
      // Pages do not read the event: the column is not there at all.
      made:
        typeof row.position === 'bigint'
          ? decodedRow({ position: row.position, event: row.event })
          : undefined,
      state: row.state === null ? undefined : fromBinary(TransactionStateSchema, row.state),
    },
  ];
}
