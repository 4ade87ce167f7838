/** Rows of the history view as its stores keep them, and what they say. */
import { Buffer } from 'node:buffer';
import { create, fromBinary } from '@bufbuild/protobuf';
import type { Account, Balance } from '../../../gen/quittance/common/v1/account_pb.js';
import {
  type Direction,
  EntrySchema,
  type Transaction,
  type TransactionKind,
} from '../../../gen/quittance/common/v1/transaction_pb.js';
import {
  type AccountProfile,
  AccountProfileSchema,
  type AccountState,
  TransactionStateSchema,
} from '../../../gen/quittance/event/v1/event_pb.js';
import { accountOf, balanceOf } from '../../log/account-of.js';
import { type AccountColumns, accountStateOf } from '../../log/account-state.js';
import { decodeEvent } from '../../log/codec.js';
import {
  applyTransactionChange,
  money,
  transactionChangeOf,
  transactionOf,
} from '../../log/transaction-of.js';
import { timestampOf } from '../../base/time.js';
import { uuidFromBytes } from '../../base/uuid.js';
import { describedBy } from './fold.js';
import type { EntryRow, OpenedAccount } from './view.js';

/** As `accountColumns` selects it. */
export interface AccountRecord extends AccountColumns {
  readonly ledger_id: string;
  readonly profile: Uint8Array;
  readonly opened_position: bigint;
  readonly opened_time: bigint;
  readonly position: bigint;
}

/** As `transactionColumns` selects it. */
export interface TransactionRecord {
  readonly position: bigint;
  readonly changed_position: bigint;
  readonly event: Uint8Array;
  readonly change: Uint8Array | null;
}

/** As `entryColumns` selects it. */
export interface EntryRecord {
  readonly position: bigint;
  readonly entry: number;
  readonly account_id: string;
  readonly direction: Direction;
  readonly amount: bigint;
  readonly version: bigint;
  readonly posted_after: bigint;
  readonly effective_time: bigint;
  readonly currency: string;
  readonly transaction_id: string;
  readonly kind: TransactionKind;
  readonly recorded_time: bigint;
}

/** A row of a left join: the columns of what was not found are null. */
export type Optional<R> = { readonly [K in keyof R]: R[K] | null };

/** Whether a left join found its row: `column` is one that is never null in it. */
export function isFound<R>(row: Optional<R>, column: keyof R): row is R {
  return row[column] !== null;
}

/** The account of a row, with its profile and its last money. */
export function openedAccountOf(row: AccountRecord): OpenedAccount {
  const account: Account = accountOf(row.ledger_id, accountStateOf(row), row.position, profileIn(row));
  account.openTime = timestampOf(row.opened_time);
  return { account, openedAt: row.opened_position };
}

/** posted, held and available of a row. */
export function balanceIn(row: AccountRecord): Balance {
  return balanceOf(accountStateOf(row), row.position);
}

/** The profile in a row. */
export function profileIn({ profile }: Pick<AccountRecord, 'profile'>): AccountProfile {
  return fromBinary(AccountProfileSchema, profile);
}

const NO_HASH = Buffer.alloc(0);

/**
 * The transaction of a row as its last change left it: composed of the event that made it and that change.
 */
export function transactionIn({ position, event, change }: TransactionRecord): Transaction {
  const transaction = transactionOf(decodeEvent(position, event, NO_HASH).event);
  if (transaction === undefined) throw new Error(`the event at position ${position} made no transaction`);
  if (change !== null) {
    const state = fromBinary(TransactionStateSchema, change);
    applyTransactionChange(transaction, transactionChangeOf(transaction.transactionId, state));
  }
  return transaction;
}

/** As it is selected where the entries of a transaction are read from the event that made it. */
export interface PostedRecord {
  readonly position: bigint;
  readonly event: Uint8Array;
}

/** The accounts that a posted transaction has entries of, each once. */
export function accountsIn(record: PostedRecord): Set<string> {
  const { accounts, entries } = postedIn(record).posted;
  return new Set(entries.map(({ account }) => accountAt(accounts, account).accountId));
}

function postedIn({ position, event: bytes }: PostedRecord) {
  const { event } = decodeEvent(position, bytes, NO_HASH);
  if (event.payload.case !== 'transactionPosted')
    throw new Error(`the event at position ${position} posted no transaction`);
  return { event, posted: event.payload.value };
}

function accountAt(accounts: readonly AccountState[], index: number): AccountState {
  const state = accounts[index];
  if (state === undefined) throw new Error('an entry names an account that its event does not carry');
  return state;
}

/** The entries of a posted transaction, in order. */
export function entriesIn(record: PostedRecord): EntryRow[] {
  const { position } = record;
  const { event, posted } = postedIn(record);
  const { accounts, entries, kind } = posted;
  const transactionId = uuidFromBytes(event.requestId);
  const recordedTime = event.recordedTimeMicros;
  const effectiveTime = describedBy(event).effectiveTime ?? recordedTime;
  return entries.map(({ account, direction, amount, version, postedAfter }, index) => {
    const state = accountAt(accounts, account);
    const entry = create(EntrySchema, {
      index,
      accountId: state.accountId,
      direction,
      amount: money(state.currency, amount),
      accountVersion: version,
      postedAfter,
    });
    return { entry, transactionId, kind, position, effectiveTime, recordedTime };
  });
}

/** The entry of a row. */
export function entryIn(row: EntryRecord): EntryRow {
  return {
    entry: create(EntrySchema, {
      index: row.entry,
      accountId: row.account_id,
      direction: row.direction,
      amount: money(row.currency, row.amount),
      accountVersion: row.version,
      postedAfter: row.posted_after,
    }),
    transactionId: row.transaction_id,
    kind: row.kind,
    position: row.position,
    effectiveTime: row.effective_time,
    recordedTime: row.recorded_time,
  };
}
