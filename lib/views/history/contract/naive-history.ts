/**
 * What the history view must answer, computed from all events, question by question: slow, and too simple to
 * be wrong.
 */
import { clone, create } from '@bufbuild/protobuf';
import { type Account, AccountSchema, type Balance } from '../../../../gen/quittance/common/v1/account_pb.js';
import {
  Direction,
  type Ledger,
  type Transaction,
  TransactionSchema,
  TransactionStatus,
} from '../../../../gen/quittance/common/v1/transaction_pb.js';
import { AccountProfileSchema, type AccountState } from '../../../../gen/quittance/event/v1/event_pb.js';
import { accountOf, accountsChangedBy, balanceOf, profileOf } from '../../../log/account-of.js';
import {
  accountsNamedBy,
  applyTransactionChange,
  transactionChangesOf,
  transactionOf,
} from '../../../log/transaction-of.js';
import type { RecordedEvent } from '../../../log/recorded-event.js';
import { unitOf } from '../../../base/currency.js';
import { microsOf, timestampOf } from '../../../base/time.js';
import type { ViewRow } from '../../view.js';
import { accountRow, entryRow, ledgerRow, transactionRow, versionRow } from '../canonical.js';
import { ledgerOf } from '../fold.js';
import type {
  AccountListing,
  EntryListing,
  EntryRow,
  HoldKey,
  OpenHoldListing,
  StatementKey,
  StatementPage,
  StatementQuery,
  TimeRange,
  TransactionListing,
} from '../view.js';

interface NaiveTransaction {
  readonly transaction: Transaction;
  changedPosition: bigint;
}

/** Whether a time is in a half-open range. */
const within = (time: bigint, { from, to }: TimeRange): boolean =>
  (from === null || time >= from) && (to === null || time < to);

const compare = (a: readonly bigint[], b: readonly bigint[]): number => {
  for (const [index, left] of a.entries()) {
    const right = b[index] ?? 0n;
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
};

/** The history of the events up to some position. */
export class NaiveHistory {
  #allMade: NaiveTransaction[] | undefined;
  readonly #events: readonly RecordedEvent[];

  constructor(events: readonly RecordedEvent[]) {
    this.#events = events;
  }

  ledgers(): Ledger[] {
    return this.#events.flatMap(({ event }) =>
      event.payload.case === 'ledgerCreatedV2' ? [ledgerOf(event, event.payload.value)] : [],
    );
  }

  /** All states that an account had, with the position of each. */
  versions(ledgerId: string, accountId: string): { state: AccountState; position: bigint }[] {
    return this.#events.flatMap(({ event, position }) =>
      event.ledgerId === ledgerId
        ? accountsChangedBy(event)
            .filter((state) => state.accountId === accountId)
            .map((state) => ({ state, position }))
        : [],
    );
  }

  #accountIds(): [ledgerId: string, accountId: string][] {
    return this.#events.flatMap(({ event }) =>
      event.payload.case === 'accountOpened' || event.payload.case === 'assetRegistered'
        ? [[event.ledgerId, event.payload.value.account?.accountId ?? ''] satisfies [string, string]]
        : [],
    );
  }

  #about(ledgerId: string, accountId: string): RecordedEvent[] {
    return this.#events.filter(
      ({ event }) =>
        event.ledgerId === ledgerId &&
        (event.payload.case === 'assetRegistered' || event.payload.case?.startsWith('account') === true) &&
        accountsChangedBy(event)[0]?.accountId === accountId,
    );
  }

  account(ledgerId: string, accountId: string): Account | undefined {
    const last = this.versions(ledgerId, accountId).at(-1);
    const about = this.#about(ledgerId, accountId);
    const profile = about.map(({ event }) => profileOf(event)).findLast((found) => found !== undefined);
    const [opened] = about;
    if (last === undefined || opened === undefined) return undefined;
    const account = accountOf(ledgerId, last.state, last.position, profile);
    account.openTime = timestampOf(opened.event.recordedTimeMicros);
    return clone(AccountSchema, account);
  }

  openedAt(ledgerId: string, accountId: string): bigint {
    return this.#about(ledgerId, accountId)[0]?.position ?? -1n;
  }

  accounts(listing: AccountListing): Account[] {
    const { through, after, limit } = listing;
    return this.#accountIds()
      .filter(([ledgerId, accountId]) => {
        const at = this.openedAt(ledgerId, accountId);
        return ledgerId === listing.ledgerId && at > (after ?? -1n) && (through === null || at <= through);
      })
      .flatMap(([ledgerId, accountId]) => this.account(ledgerId, accountId) ?? [])
      .filter(
        (account) =>
          account.accountId.startsWith(listing.idPrefix) &&
          ['', unitIn(account)].includes(listing.currency) &&
          [0, account.type].includes(listing.type) &&
          [0, account.status].includes(listing.status) &&
          ['', account.ownerReference].includes(listing.ownerReference),
      )
      .slice(0, limit);
  }

  balanceAt(ledgerId: string, accountId: string, position: bigint): Balance | undefined {
    const found = this.versions(ledgerId, accountId).findLast((version) => version.position <= position);
    return found === undefined ? undefined : balanceOf(found.state, found.position);
  }

  #made(): NaiveTransaction[] {
    this.#allMade ??= this.#makeAll();
    return [...this.#allMade];
  }

  #makeAll(): NaiveTransaction[] {
    const made = new Map<string, NaiveTransaction>();
    for (const { event, position } of this.#events) {
      for (const change of transactionChangesOf(event)) {
        const found = made.get(`${event.ledgerId} ${change.transactionId}`);
        if (found === undefined) throw new Error('a change of nothing');
        if (applyTransactionChange(found.transaction, change)) found.changedPosition = position;
      }
      const transaction = transactionOf(event);
      if (transaction === undefined) continue;
      made.set(`${event.ledgerId} ${transaction.transactionId}`, {
        transaction: clone(TransactionSchema, transaction),
        changedPosition: position,
      });
    }
    return [...made.values()];
  }

  transactions(listing: TransactionListing): Transaction[] {
    const { after, descending, through } = listing;
    const found = this.#made()
      .map(({ transaction }) => transaction)
      .filter(
        (transaction) =>
          transaction.ledgerId === listing.ledgerId &&
          (through === null || transaction.position <= through) &&
          (after === null || (descending ? transaction.position < after : transaction.position > after)) &&
          (listing.accountId === '' || accountsNamedBy(transaction).includes(listing.accountId)) &&
          (listing.kinds.length === 0 || listing.kinds.includes(transaction.kind)) &&
          [0, transaction.status].includes(listing.status) &&
          ['', transaction.reference].includes(listing.reference) &&
          ['', transaction.paymentId].includes(listing.paymentId) &&
          within(timeOf(transaction.recordedTime), listing.recorded) &&
          within(timeOf(transaction.effectiveTime), listing.effective),
      );
    return (descending ? found.reverse() : found).slice(0, listing.limit);
  }

  /** Authorizations of whose hold something is left, in order of expiry. */
  openHolds(listing: OpenHoldListing): Transaction[] {
    const { after, descending, through, ledgerId, expire, limit } = listing;
    const keyIn = (transaction: Transaction) => {
      const { expireTime, position } = holdKeyOf(transaction);
      return [expireTime, position];
    };
    const found = this.allTransactions(ledgerId)
      .filter((transaction) => {
        if (transaction.status !== TransactionStatus.AUTHORIZED) return false;
        const key = keyIn(transaction);
        const order = after === null ? 0 : compare(key, [after.expireTime, after.position]);
        return (
          (through === null || transaction.position <= through) &&
          (after === null || (descending ? order < 0 : order > 0)) &&
          within(holdKeyOf(transaction).expireTime, expire)
        );
      })
      .sort((one, other) => compare(keyIn(one), keyIn(other)));
    return (descending ? found.reverse() : found).slice(0, limit);
  }

  allTransactions(ledgerId: string): Transaction[] {
    return this.#made()
      .map(({ transaction }) => transaction)
      .filter((transaction) => transaction.ledgerId === ledgerId);
  }

  /** All posted entries of a ledger, in order of position and index. */
  #posted(ledgerId: string): EntryRow[] {
    return this.#events.flatMap(({ event, position }) => {
      if (event.ledgerId !== ledgerId) return [];
      const transaction = transactionOf(event);
      if (transaction?.status !== TransactionStatus.POSTED) return [];
      return transaction.entries.map((entry) => ({
        entry,
        transactionId: transaction.transactionId,
        kind: transaction.kind,
        position,
        effectiveTime: timeOf(transaction.effectiveTime),
        recordedTime: event.recordedTimeMicros,
      }));
    });
  }

  entries(listing: EntryListing): EntryRow[] {
    const { after, descending, through } = listing;
    const found = this.#posted(listing.ledgerId).filter((row) => {
      const order =
        after === null
          ? 1
          : compare([row.position, BigInt(row.entry.index)], [after.position, BigInt(after.index)]);
      return (
        (through === null || row.position <= through) &&
        (after === null || (descending ? order < 0 : order > 0)) &&
        ['', row.entry.accountId].includes(listing.accountId) &&
        (listing.kinds.length === 0 || listing.kinds.includes(row.kind)) &&
        [0, row.entry.direction].includes(listing.direction) &&
        ['', row.transactionId].includes(listing.transactionId) &&
        within(row.recordedTime, listing.recorded) &&
        within(row.effectiveTime, listing.effective)
      );
    });
    return (descending ? found.reverse() : found).slice(0, listing.limit);
  }

  /** posted at an effective time: 0 before the first dated entry; undefined if there is no such account. */
  postedAtEffective(ledgerId: string, accountId: string, time: bigint): bigint | undefined {
    if (this.account(ledgerId, accountId) === undefined) return undefined;
    return sum(
      this.#posted(ledgerId).filter((row) => row.entry.accountId === accountId && row.effectiveTime <= time),
    );
  }

  statement(query: StatementQuery): StatementPage | undefined {
    const { ledgerId, accountId, range, basis, after } = query;
    const through = query.through ?? this.#events.at(-1)?.position ?? -1n;
    const account = this.account(ledgerId, accountId);
    if (account === undefined || this.openedAt(ledgerId, accountId) > through) return undefined;
    const time = (row: EntryRow) => (basis === 'effective' ? row.effectiveTime : row.recordedTime);
    const key = (row: EntryRow) => [time(row), row.position, BigInt(row.entry.index)];
    const known = this.#posted(ledgerId)
      .filter((row) => row.entry.accountId === accountId && row.position <= through)
      .sort((a, b) => compare(key(a), key(b)));
    const before = known.filter((row) => range.from !== null && time(row) < range.from);
    const lines = known.filter((row) => within(time(row), range));
    const isDone = (row: EntryRow) => after !== null && compare(key(row), keyOf(after)) <= 0;
    const opening = sum(before);
    return {
      opening,
      closing: opening + sum(lines),
      broughtForward: opening + sum(lines.filter(isDone)),
      lines: lines.filter((row) => !isDone(row)).slice(0, query.limit),
      currency: unitIn(account),
    };
  }

  /** All canonical rows, in order of their keys. */
  rows(): ViewRow[] {
    const rows: ViewRow[] = this.ledgers().map(ledgerRow);
    for (const [ledgerId, accountId] of this.#accountIds()) {
      const about = this.#about(ledgerId, accountId);
      const [opened] = about;
      const last = about.at(-1);
      const state = last === undefined ? undefined : accountsChangedBy(last.event)[0];
      if (opened === undefined || last === undefined || state === undefined) continue;
      const profile = about.map(({ event }) => profileOf(event)).findLast((found) => found !== undefined);
      rows.push(
        accountRow({
          ledgerId,
          state,
          profile: profile ?? create(AccountProfileSchema),
          openedPosition: opened.position,
          openedTime: opened.event.recordedTimeMicros,
          position: last.position,
        }),
      );
      for (const version of this.versions(ledgerId, accountId))
        rows.push(versionRow(ledgerId, version.state, version.state.limits, version.position));
    }
    for (const { transaction, changedPosition } of this.#made())
      rows.push(transactionRow(transaction, changedPosition));
    for (const { ledgerId } of this.ledgers()) {
      for (const row of this.#posted(ledgerId)) {
        const { index, accountId, direction, amount, accountVersion: version, postedAfter } = row.entry;
        const { position, effectiveTime } = row;
        const minor = amount?.minorUnits ?? 0n;
        rows.push(
          entryRow({
            ledgerId,
            position,
            index,
            accountId,
            direction,
            amount: minor,
            version,
            postedAfter,
            effectiveTime,
          }),
        );
      }
    }
    return rows.sort((a, b) => (a.key < b.key ? -1 : 1));
  }
}

/** Where the open hold of an authorization stands among others. */
export function holdKeyOf({ payment, position }: Transaction): HoldKey {
  if (payment?.expireTime === undefined) throw new Error('an open hold has a time when it expires');
  return { expireTime: microsOf(payment.expireTime), position };
}

function unitIn({ currency, balance }: Account): string {
  if (balance === undefined) throw new Error('an account has a balance');
  return unitOf(currency, balance.exponent);
}

function timeOf(timestamp: Transaction['recordedTime']): bigint {
  if (timestamp === undefined) throw new Error('a transaction has its times');
  return microsOf(timestamp);
}

function keyOf({ time, position, index }: StatementKey): bigint[] {
  return [time, position, BigInt(index)];
}

function sum(rows: readonly EntryRow[]): bigint {
  return rows.reduce((total, { entry }) => {
    const amount = entry.amount?.minorUnits ?? 0n;
    return entry.direction === Direction.DEBIT ? total - amount : total + amount;
  }, 0n);
}
