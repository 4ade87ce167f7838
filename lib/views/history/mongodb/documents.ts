/**
 * The documents of the history view. Whatever changes is kept as versions, each with the position that made
 * it (`from`) and that of the next one (`until`): data is written before the checkpoint, and a reader at
 * position P takes exactly the version with from <= P < until; what has been written beyond P does not count. (The
 * alternative, a transaction over data and checkpoint and snapshot reads of both, costs every batch and every
 * read more, and a sharded cluster most.)
 */
import type { Collection, Db } from 'mongodb';

/** `until` of the last version. */
export const LAST = 2n ** 63n - 1n;

export interface LedgerDocument {
  /** The ledger's id. */
  readonly _id: string;
  readonly partition: number;
  readonly position: bigint;
  /** A common.v1.Ledger. */
  readonly document: Uint8Array;
}

export interface AccountDocument {
  /** `<ledger> <account> <from>` */
  readonly _id: string;
  readonly ledger: string;
  readonly account: string;
  readonly from: bigint;
  readonly until: bigint;
  readonly type: number;
  readonly currency: string;
  readonly status: number;
  readonly freezeScope: number;
  readonly owner: string;
  /** An event.v1.AccountProfile. */
  readonly profile: Uint8Array;
  readonly openedPosition: bigint;
  readonly openedTime: bigint;
}

/** The money of an account after an event; it does not change. */
export interface VersionDocument {
  /** `<ledger> <account> <position>` */
  readonly _id: string;
  readonly ledger: string;
  readonly account: string;
  readonly position: bigint;
  readonly version: bigint;
  readonly credits: bigint;
  readonly debits: bigint;
  readonly held: bigint;
  readonly overdraftLimit: bigint;
  /** An event.v1.AccountLimits; absent: none. */
  readonly limits?: Uint8Array;
}

export interface TransactionDocument {
  /** `<position> <version>` */
  readonly _id: string;
  readonly ledger: string;
  readonly position: bigint;
  readonly version: bigint;
  readonly from: bigint;
  readonly until: bigint;
  readonly id: string;
  readonly kind: number;
  readonly status: number;
  readonly reference: string;
  /** Of a payment and all that belongs to it: the id of its root; else empty. */
  readonly payment: string;
  /** Accounts that it names. */
  readonly names: readonly string[];
  readonly effective: bigint;
  readonly recorded: bigint;
  /** When its hold expires, UTC microseconds; null: no hold is open in this version. */
  readonly expire: bigint | null;
  /** The event that made it, as encoded once. */
  readonly event: Uint8Array;
  /** An event.v1.TransactionState: its last change; null: none. */
  readonly change: Uint8Array | null;
}

/** A version of an authorization whose hold was open in it. Its `_id` is that of the version. */
export interface HoldDocument {
  readonly _id: string;
  readonly ledger: string;
  /** Of the authorization. */
  readonly position: bigint;
  readonly from: bigint;
  readonly until: bigint;
  /** When the hold expires, UTC microseconds. */
  readonly expire: bigint;
}

/** An entry with what its transaction and account say of it; it does not change. */
export interface EntryDocument {
  /** `<position> <index>` */
  readonly _id: string;
  readonly ledger: string;
  readonly account: string;
  readonly position: bigint;
  readonly index: number;
  readonly direction: number;
  readonly amount: bigint;
  /** The amount, below zero for a debit. */
  readonly signed: bigint;
  readonly version: bigint;
  readonly postedAfter: bigint;
  readonly currency: string;
  readonly transaction: string;
  readonly kind: number;
  readonly effective: bigint;
  readonly recorded: bigint;
}

export interface HistoryCollections {
  readonly ledgers: Collection<LedgerDocument>;
  readonly accounts: Collection<AccountDocument>;
  readonly versions: Collection<VersionDocument>;
  readonly transactions: Collection<TransactionDocument>;
  readonly holds: Collection<HoldDocument>;
  readonly entries: Collection<EntryDocument>;
}

export function collectionsOf(database: Db, prefix: string): HistoryCollections {
  return {
    ledgers: database.collection(`${prefix}_ledgers`),
    accounts: database.collection(`${prefix}_accounts`),
    versions: database.collection(`${prefix}_versions`),
    transactions: database.collection(`${prefix}_transactions`),
    holds: database.collection(`${prefix}_holds`),
    entries: database.collection(`${prefix}_entries`),
  };
}

/** One for each filter of the API, in the order that its pages come in. */
export const INDEXES: Readonly<
  Record<keyof HistoryCollections, readonly Readonly<Record<string, 1 | -1>>[]>
> = {
  ledgers: [{ partition: 1, position: 1 }],
  accounts: [
    { ledger: 1, openedPosition: 1, from: 1 },
    { ledger: 1, account: 1, from: 1 },
    { ledger: 1, owner: 1, openedPosition: 1 },
    { ledger: 1, status: 1, openedPosition: 1 },
    { ledger: 1, type: 1, openedPosition: 1 },
    { ledger: 1, currency: 1, openedPosition: 1 },
  ],
  versions: [{ ledger: 1, account: 1, position: 1 }],
  transactions: [
    { ledger: 1, position: 1, from: 1 },
    { ledger: 1, id: 1, from: 1 },
    { ledger: 1, names: 1, position: 1 },
    { ledger: 1, payment: 1, position: 1 },
    { ledger: 1, reference: 1, position: 1 },
    { ledger: 1, status: 1, position: 1 },
    { ledger: 1, kind: 1, position: 1 },
    { ledger: 1, effective: 1, position: 1 },
    { ledger: 1, names: 1, effective: 1, position: 1 },
  ],
  // Open holds alone: one that ended has another `until`.
  holds: [{ ledger: 1, until: 1, expire: 1, position: 1 }],
  // A ledger's entries are read from its transactions: of entries there are two per payment, and an index more
  // for each filter would cost each of them.
  entries: [
    { ledger: 1, position: 1, index: 1 },
    { ledger: 1, account: 1, position: 1, index: 1 },
    { ledger: 1, account: 1, effective: 1, position: 1, index: 1 },
  ],
};
