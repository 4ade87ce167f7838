/** The history view: ledgers, accounts with profiles, account versions, transactions and entries. */
import type {
  Account,
  AccountStatus,
  AccountType,
  Balance,
} from '../../../gen/quittance/common/v1/account_pb.js';
import type {
  Direction,
  Entry,
  Ledger,
  Transaction,
  TransactionKind,
  TransactionStatus,
} from '../../../gen/quittance/common/v1/transaction_pb.js';
import type { Read, View } from '../view.js';

/** A half-open range of times, UTC microseconds; null is open. */
export interface TimeRange {
  readonly from: bigint | null;
  readonly to: bigint | null;
}

interface Listing {
  readonly partition: number;
  /** Nothing recorded after this position is listed; null: up to the checkpoint. */
  readonly through: bigint | null;
  readonly limit: number;
}

export interface LedgerListing extends Listing {
  readonly idPrefix: string;
  /** Only ledgers created after this position; null: from the first. */
  readonly after: bigint | null;
}

export interface AccountListing extends Listing {
  readonly ledgerId: string;
  readonly idPrefix: string;
  /** Empty: all. */
  readonly currency: string;
  /** UNSPECIFIED: all. */
  readonly type: AccountType;
  readonly status: AccountStatus;
  /** Empty: all. */
  readonly ownerReference: string;
  /** Only accounts opened after this position; null: from the first. (One event opens one account.) */
  readonly after: bigint | null;
}

export interface TransactionListing extends Listing {
  readonly ledgerId: string;
  /** Empty: all; else only transactions that name this account. */
  readonly accountId: string;
  /** Empty: all. */
  readonly kinds: readonly TransactionKind[];
  readonly status: TransactionStatus;
  readonly reference: string;
  readonly paymentId: string;
  readonly recorded: TimeRange;
  readonly effective: TimeRange;
  readonly descending: boolean;
  /** Beyond this position in the order of the listing; null: from its start. */
  readonly after: bigint | null;
}

/** Where an open hold stands among those of its ledger. */
export interface HoldKey {
  /** When it expires, UTC microseconds. */
  readonly expireTime: bigint;
  /** Of its authorization. */
  readonly position: bigint;
}

/** Authorizations whose hold is open, in order of (expire_time, position), both as they are now. */
export interface OpenHoldListing extends Listing {
  readonly ledgerId: string;
  readonly expire: TimeRange;
  readonly descending: boolean;
  /** Beyond this key in the order of the listing; null: from its start. */
  readonly after: HoldKey | null;
}

/** Where an entry stands in the log. */
export interface EntryKey {
  readonly position: bigint;
  readonly index: number;
}

export interface EntryListing extends Listing {
  readonly ledgerId: string;
  readonly accountId: string;
  /** Empty: all. */
  readonly kinds: readonly TransactionKind[];
  readonly direction: Direction;
  readonly transactionId: string;
  readonly recorded: TimeRange;
  readonly effective: TimeRange;
  readonly descending: boolean;
  readonly after: EntryKey | null;
}

export interface EntryRow {
  readonly entry: Entry;
  readonly transactionId: string;
  readonly kind: TransactionKind;
  readonly position: bigint;
  /** UTC microseconds. */
  readonly effectiveTime: bigint;
  readonly recordedTime: bigint;
}

export interface OpenedAccount {
  readonly account: Account;
  /** Of its AccountOpened. */
  readonly openedAt: bigint;
}

/** A key in the order of a statement. */
export interface StatementKey extends EntryKey {
  /** Effective or recorded time, by the statement's basis. */
  readonly time: bigint;
}

export interface StatementQuery {
  readonly partition: number;
  readonly ledgerId: string;
  readonly accountId: string;
  readonly basis: 'effective' | 'recorded';
  readonly range: TimeRange;
  /** Nothing recorded after this position counts; null: the checkpoint. */
  readonly through: bigint | null;
  readonly after: StatementKey | null;
  readonly limit: number;
}

export interface StatementPage {
  /** posted before the first line of the whole statement; minor units. */
  readonly opening: bigint;
  /** posted after the last line of the whole statement. */
  readonly closing: bigint;
  /** posted before the first line of this page. */
  readonly broughtForward: bigint;
  readonly lines: readonly EntryRow[];
  readonly currency: string;
}

/**
 * Every read is exactly as of the checkpoint that comes with it. Times are UTC microseconds, never rounded.
 * What does not exist (at that position) is undefined.
 */
export interface HistoryView extends View {
  readonly id: 'history';
  ledger(partition: number, ledgerId: string): Promise<Read<Ledger | undefined>>;
  ledgers(listing: LedgerListing): Promise<Read<readonly Ledger[]>>;
  account(partition: number, ledgerId: string, accountId: string): Promise<Read<Account | undefined>>;
  accounts(listing: AccountListing): Promise<Read<readonly OpenedAccount[]>>;
  /** posted, held, available right after the last event at or before `position` that touched the account. */
  balanceAtPosition(
    partition: number,
    ledgerId: string,
    accountId: string,
    position: bigint,
  ): Promise<Read<Balance | undefined>>;
  /**
   * The sum of the entries dated at or before `time` and recorded at or before the checkpoint; posted only.
   * An account has 0 before its first dated entry, also before it was opened; undefined is only an account
   * that does not exist.
   */
  balanceAtEffectiveTime(
    partition: number,
    ledgerId: string,
    accountId: string,
    time: bigint,
  ): Promise<Read<Balance | undefined>>;
  transaction(
    partition: number,
    ledgerId: string,
    transactionId: string,
  ): Promise<Read<Transaction | undefined>>;
  transactions(listing: TransactionListing): Promise<Read<readonly Transaction[]>>;
  openHolds(listing: OpenHoldListing): Promise<Read<readonly Transaction[]>>;
  entries(listing: EntryListing): Promise<Read<readonly EntryRow[]>>;
  /** Undefined if the account does not exist at `through`. */
  statement(query: StatementQuery): Promise<Read<StatementPage | undefined>>;
}
