/** Rows of the state tables, for the command services that fill their memory and for VerifyLedger. */
import type { AccountType } from '../../../gen/quittance/common/v1/account_pb.js';
import type {
  AccountProfile,
  AccountState,
  TransactionState,
} from '../../../gen/quittance/event/v1/event_pb.js';
import type { RecordedEvent } from '../recorded-event.js';

/** The point of the log that the state tables hold; -1n: nothing yet. */
export interface StateCheckpoint {
  readonly epoch: number;
  readonly position: bigint;
  readonly hash: Uint8Array;
}

/** A ledger at the checkpoint. */
export interface LedgerRow {
  readonly ledgerId: string;
  /** What is dated at or before it is closed, UTC microseconds; null: nothing is. */
  readonly closedThrough: bigint | null;
}

/** What the accounts of one type in one currency come to. */
export interface TotalRow {
  /** As in AccountState. */
  readonly currency: string;
  readonly type: AccountType;
  readonly debits: bigint;
  readonly credits: bigint;
}

export interface AccountKey {
  readonly ledgerId: string;
  readonly accountId: string;
}

export interface AccountRow extends AccountKey {
  readonly state: AccountState;
  readonly profile: AccountProfile;
}

export interface TransactionKey {
  readonly ledgerId: string;
  readonly transactionId: string;
}

export interface TransactionRow extends TransactionKey {
  /** The event that made it, found by its request id; undefined if no command has that id. */
  readonly made: RecordedEvent | undefined;
  /** What changed since; undefined if nothing did at the checkpoint. */
  readonly state: TransactionState | undefined;
}

/** Rows together with the checkpoint that they are at: one statement, one snapshot. */
export interface AtCheckpoint<T> {
  /** Position of the checkpoint; undefined if nothing was asked for. */
  readonly checkpoint: bigint;
  readonly rows: readonly T[];
}

/** An open hold, under the id of its payment. */
export interface OpenHold extends TransactionKey {
  readonly payerAccountId: string;
  /** UTC microseconds. */
  readonly expireTime: bigint;
}

/** The open holds together. */
export interface OpenHoldsSummary {
  /** How many there are, counted to a limit. */
  readonly count: number;
  /** When the first one expires, UTC microseconds; null if there is none. */
  readonly nextExpiry: bigint | null;
}
