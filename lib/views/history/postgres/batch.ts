/** The columns of what a batch of events writes, filled straight from the events. */
import { toBinary } from '@bufbuild/protobuf';
import {
  Direction,
  type Ledger,
  TransactionKind,
  TransactionStatus,
} from '../../../../gen/quittance/common/v1/transaction_pb.js';
import type * as log from '../../../../gen/quittance/event/v1/event_pb.js';
import { TransactionStateSchema } from '../../../../gen/quittance/event/v1/event_pb.js';
import { accountsChangedBy } from '../../../log/account-of.js';
import { limitsBytes } from '../../../log/limits-of.js';
import type { RecordedEvent } from '../../../log/recorded-event.js';
import { accountsNamedBy, transactionOf, transactionStatesIn } from '../../../log/transaction-of.js';
import { BytesColumn, Int2Column, Int8Column } from '../../stores/postgres/columns.js';
import {
  type AccountFact,
  type ChangeFact,
  changesIn,
  describedBy,
  foldAccount,
  headingOf,
  holdExpiry,
  ledgerOf,
  transactionKey,
} from '../fold.js';
import { type AccountKeys, MissingKeys } from './account-keys.js';

/** The `entry` of a line of an account that an event changed without an entry of it. */
const NO_ENTRY = -1;

/** In place of a key that is missing: the batch is filled again when it has been read. */
const MISSING_KEY = 0n;

/** For how many there is room at first: a payment without fees has two entries. */
const LINES_PER_EVENT = 2;

const UUID_BYTES = 16;

/** Of the table `lines`. */
export class LineColumns {
  readonly account: Int8Column;
  readonly position: Int8Column;
  readonly amount: Int8Column;
  readonly credits: Int8Column;
  readonly debits: Int8Column;
  readonly version: Int8Column;
  readonly effectiveTime = new Int8Column();
  readonly held = new Int8Column();
  readonly overdraftLimit = new Int8Column();
  readonly limits = new BytesColumn('bytea');
  readonly entry: Int2Column;

  constructor(events: number) {
    const expected = LINES_PER_EVENT * events;
    this.account = new Int8Column(expected);
    this.position = new Int8Column(expected);
    this.amount = new Int8Column(expected);
    this.credits = new Int8Column(expected);
    this.debits = new Int8Column(expected);
    this.version = new Int8Column(expected);
    this.entry = new Int2Column(expected);
  }
}

/** Of the table `transactions`. */
export class TransactionColumns {
  readonly position: Int8Column;
  readonly recordedTime: Int8Column;
  readonly ledger: Int8Column;
  readonly effectiveTime = new Int8Column();
  readonly kind: Int2Column;
  readonly transactionId: BytesColumn;
  readonly paymentId = new BytesColumn('uuid');
  readonly reference = new BytesColumn('bytea');
  readonly event: BytesColumn;

  constructor(events: readonly RecordedEvent[]) {
    const expected = events.length;
    this.position = new Int8Column(expected);
    this.recordedTime = new Int8Column(expected);
    this.ledger = new Int8Column(expected);
    this.kind = new Int2Column(expected);
    this.transactionId = new BytesColumn('uuid', expected, UUID_BYTES * expected);
    const size_bytes = events.reduce((sum, { bytes }) => sum + bytes.length, 0);
    this.event = new BytesColumn('bytea', expected, size_bytes);
  }
}

/** Of the table `changes`; the position is null where the transaction was made before this batch. */
export class ChangeColumns {
  readonly position = new Int8Column();
  readonly ledger = new Int8Column();
  readonly transactionId = new BytesColumn('uuid');
  readonly version = new Int8Column();
  readonly changedPosition = new Int8Column();
  /** Of an open hold. */
  readonly expireTime = new Int8Column();
  readonly status = new Int2Column();
  readonly change = new BytesColumn('bytea');
}

/** Of the table `transaction_accounts`. */
export class NamedColumns {
  readonly account = new Int8Column();
  readonly position = new Int8Column();
  readonly effectiveTime = new Int8Column();
}

/** An account within an event, between its last line and the one before it. */
interface Balance {
  credits: bigint;
  debits: bigint;
}

/** Events that the view has not seen, in order, as columns. */
export class HistoryBatch {
  readonly lines: LineColumns;
  readonly transactions: TransactionColumns;
  readonly changes = new ChangeColumns();
  readonly named = new NamedColumns();
  readonly ledgers: Ledger[] = [];
  /** As their own events left them. */
  readonly accounts: readonly AccountFact[];
  /** If there are any, the columns are of no use. */
  readonly missing = new MissingKeys();
  readonly #keys: AccountKeys;
  /** Of transactions that are not among those made so far. */
  readonly #changes: Map<string, ChangeFact>;

  constructor(events: readonly RecordedEvent[], keys: AccountKeys) {
    this.lines = new LineColumns(events.length);
    this.transactions = new TransactionColumns(events);
    this.#keys = keys;
    this.#changes = changesIn(events);
    const accounts = new Map<string, AccountFact>();
    for (const recorded of events) {
      const { event } = recorded;
      this.#addOpened(event);
      foldAccount(accounts, event);
      this.#addTransaction(recorded);
    }
    for (const { ledgerId, state, position } of this.#changes.values())
      this.#addChange(undefined, this.#ledgerKey(ledgerId), state, position);
    this.accounts = [...accounts.values()];
  }

  /** What a ledger or an account that begins to be is called by from here on. */
  #addOpened(event: log.Event): void {
    const { payload, ledgerId, position } = event;
    if (payload.case === 'ledgerCreatedV2') {
      this.#keys.setLedger(ledgerId, position);
      this.ledgers.push(ledgerOf(event, payload.value));
    } else if (payload.case === 'accountOpened' || payload.case === 'assetRegistered') {
      const { account } = payload.value;
      if (account !== undefined) this.#keys.setAccount(ledgerId, account.accountId, position);
    }
  }

  #ledgerKey(ledgerId: string): bigint {
    const key = this.#keys.ledger(ledgerId);
    if (key === undefined) this.missing.addLedger(ledgerId);
    return key ?? MISSING_KEY;
  }

  #accountKey(ledgerId: string, accountId: string): bigint {
    const key = this.#keys.account(ledgerId, accountId);
    if (key === undefined) this.missing.addAccount(ledgerId, accountId);
    return key ?? MISSING_KEY;
  }

  /** The transaction that an event makes, if it does, and the lines of the accounts that it changes. */
  #addTransaction({ event, bytes }: RecordedEvent): void {
    const heading = headingOf(event);
    if (heading === undefined) {
      for (const state of accountsChangedBy(event)) this.#addUnmoved(event, state);
      return;
    }
    const { position, recordedTimeMicros: recordedTime, requestId } = event;
    const { reference, effectiveTime: dated } = describedBy(event);
    if (dated !== undefined && dated > recordedTime)
      throw new Error(`the transaction at position ${String(position)} is dated after it was recorded`);
    const effectiveTime = dated === recordedTime ? undefined : dated;
    const isDeclined = heading.status === TransactionStatus.DECLINED;
    const ledger = this.#ledgerKey(event.ledgerId);
    const { transactions } = this;
    transactions.position.add(position);
    transactions.recordedTime.add(recordedTime);
    transactions.ledger.add(ledger);
    transactions.effectiveTime.addOptional(effectiveTime);
    transactions.kind.add(isDeclined ? -heading.kind : heading.kind);
    transactions.transactionId.add(requestId);
    transactions.paymentId.add(heading.paymentId.length === 0 ? undefined : heading.paymentId);
    transactions.reference.add(reference.length === 0 ? undefined : reference);
    transactions.event.add(bytes);
    this.#addOwnChange(event, ledger, heading.kind === TransactionKind.AUTHORIZATION && !isDeclined);
    if (event.payload.case === 'transactionPosted') {
      this.#addEntries(event, event.payload.value, effectiveTime);
    } else {
      this.#addNamed(event, effectiveTime);
      for (const state of accountsChangedBy(event)) this.#addUnmoved(event, state);
    }
  }

  /** Its last change by a later event of this batch; an authorization has a row from the beginning. */
  #addOwnChange(event: log.Event, ledger: bigint, isAuthorization: boolean): void {
    const { position, requestId } = event;
    if (this.#changes.size > 0) {
      const key = transactionKey(event.ledgerId, requestId);
      const change = this.#changes.get(key);
      if (change !== undefined) {
        this.#changes.delete(key);
        this.#addChange(position, ledger, change.state, change.position);
        return;
      }
    }
    if (!isAuthorization) return;
    const own = transactionStatesIn(event).find(({ transactionId }) => transactionId.length === 0);
    const { changes } = this;
    changes.position.add(position);
    changes.ledger.add(ledger);
    changes.transactionId.add(requestId);
    changes.version.add(own?.version ?? 1n);
    changes.changedPosition.add(position);
    changes.expireTime.addOptional(own === undefined ? undefined : holdExpiry(own));
    changes.status.add(TransactionStatus.AUTHORIZED);
    changes.change.add(undefined);
  }

  #addChange(position: bigint | undefined, ledger: bigint, state: log.TransactionState, at: bigint): void {
    const { changes } = this;
    changes.position.addOptional(position);
    changes.ledger.add(ledger);
    changes.transactionId.add(state.transactionId);
    changes.version.add(state.version);
    changes.changedPosition.add(at);
    changes.expireTime.addOptional(holdExpiry(state));
    const isFinal = state.status === TransactionStatus.POSTED || state.status === TransactionStatus.DECLINED;
    changes.status.addOptional(isFinal ? undefined : state.status);
    changes.change.add(toBinary(TransactionStateSchema, state));
  }

  /**
   * A line per entry, from the last to the first: the event says how it leaves an account, and each entry of
   * it before the last one left it with less.
   */
  #addEntries(event: log.Event, posted: log.TransactionPosted, effectiveTime: bigint | undefined): void {
    const { accounts, entries } = posted;
    const { lines } = this;
    const after: (Balance | undefined)[] = [];
    for (let index = entries.length - 1; index >= 0; index -= 1) {
      const entry = entries[index];
      const state = entry === undefined ? undefined : accounts[entry.account];
      if (entry === undefined || state === undefined)
        throw new Error('an entry names an account that its event does not carry');
      const balance = after[entry.account] ?? { credits: state.credits, debits: state.debits };
      const isLast = after[entry.account] === undefined;
      if (
        balance.credits - balance.debits !== entry.postedAfter ||
        (isLast && entry.version !== state.version)
      )
        throw new Error(`the entries at position ${String(event.position)} do not lead to its accounts`);
      const isDebit = entry.direction === Direction.DEBIT;
      lines.amount.add(isDebit ? -entry.amount : entry.amount);
      lines.version.add(entry.version);
      lines.effectiveTime.addOptional(effectiveTime);
      lines.entry.add(index);
      this.#addState(event, state, balance);
      if (isLast) after[entry.account] = balance;
      if (isDebit) balance.debits -= entry.amount;
      else balance.credits -= entry.amount;
    }
    for (const [index, state] of accounts.entries())
      if (after[index] === undefined) this.#addUnmoved(event, state);
  }

  /** The line of an account that an event changed without an entry of it. */
  #addUnmoved(event: log.Event, state: log.AccountState): void {
    const { lines } = this;
    lines.amount.add(0n);
    lines.version.add(state.version);
    lines.effectiveTime.addNull();
    lines.entry.add(NO_ENTRY);
    this.#addState(event, state, state);
  }

  /** What all lines have. */
  #addState(event: log.Event, state: log.AccountState, { credits, debits }: Readonly<Balance>): void {
    const { lines } = this;
    lines.account.add(this.#accountKey(event.ledgerId, state.accountId));
    lines.position.add(event.position);
    lines.credits.add(credits);
    lines.debits.add(debits);
    lines.held.addUnlessZero(state.held);
    lines.overdraftLimit.addUnlessZero(state.overdraftLimit);
    lines.limits.add(limitsBytes(state.limits));
  }

  /** (A posted transaction names the accounts of its entries, which have lines.) */
  #addNamed(event: log.Event, effectiveTime: bigint | undefined): void {
    const transaction = transactionOf(event);
    if (transaction === undefined) return;
    const { named } = this;
    for (const accountId of accountsNamedBy(transaction)) {
      named.account.add(this.#accountKey(event.ledgerId, accountId));
      named.position.add(event.position);
      named.effectiveTime.addOptional(effectiveTime);
    }
  }
}
