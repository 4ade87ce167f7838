/**
 * The history view in MongoDB. A read takes the checkpoint first, and then what was valid at its position.
 */
import { create, fromBinary } from '@bufbuild/protobuf';
import type { Db } from 'mongodb';
import { type Account, type Balance, BalanceSchema } from '../../../../gen/quittance/common/v1/account_pb.js';
import {
  type Ledger,
  LedgerSchema,
  type Transaction,
} from '../../../../gen/quittance/common/v1/transaction_pb.js';
import { codeOf, knownExponent } from '../../../base/currency.js';
import { MongodbCheckpoints, mongodbGenerations } from '../../stores/mongodb/generations.js';
import { unseenEvents } from '../../unseen-events.js';
import { parkedAt } from '../../parked/parked.js';
import type {
  Checkpoint,
  DeadLetters,
  Read,
  RowPage,
  Unparking,
  ViewBatch,
  ViewGenerations,
  ViewRow,
} from '../../view.js';
import { ParkedChangedError } from '../../view-errors.js';
import {
  type AccountDocument,
  collectionsOf,
  type HistoryCollections,
  INDEXES,
  type VersionDocument,
} from './documents.js';
import {
  accountFilter,
  entryFilter,
  ledgerFilter,
  postedFilter,
  throughOf,
  transactionFilter,
  upTo,
  validAt,
} from './lists.js';
import { readOpenHolds } from './open-holds.js';
import { type PositionRange, recordedPositions } from './recorded.js';
import { readRows } from './rows.js';
import { readStatement } from './statement.js';
import { accountRecord, entryOf, transactionValue } from './values.js';
import { writeHistory } from './writer.js';
import { pageOfEntries, transactionsOfPage } from '../page-of-entries.js';
import { balanceIn, entriesIn, openedAccountOf } from '../records.js';
import type {
  AccountListing,
  EntryListing,
  EntryRow,
  HistoryView,
  LedgerListing,
  OpenedAccount,
  OpenHoldListing,
  StatementPage,
  StatementQuery,
  TransactionListing,
} from '../view.js';

export interface MongodbHistoryOptions {
  readonly partitions: number;
  partitionOf(ledgerId: string): number;
}

/** The generations of the history view. The database is of a client of createMongodb. */
export function mongodbHistory(database: Db, options: MongodbHistoryOptions): ViewGenerations<HistoryView> {
  return mongodbGenerations<HistoryView>({
    database,
    view: 'history',
    partitions: options.partitions,
    indexes: INDEXES,
    open: (prefix, generation) => new MongodbHistory(database, options, prefix, generation),
  });
}

/**
 * What is remembered of a checkpoint is read again after so long: the store may have been replaced by an
 * older copy.
 */
const REMEMBERED_MS = 1_000;

/** One generation. */
class MongodbHistory implements HistoryView {
  readonly id = 'history';
  readonly store = 'mongodb';
  readonly #collections: HistoryCollections;
  readonly #checkpoints: MongodbCheckpoints;
  readonly #known = new Map<number, { readonly checkpoint: Checkpoint; readonly at_ms: number }>();
  readonly #options: MongodbHistoryOptions;
  readonly generation: number;

  constructor(database: Db, options: MongodbHistoryOptions, prefix: string, generation: number) {
    this.#options = options;
    this.generation = generation;
    this.#collections = collectionsOf(database, prefix);
    this.#checkpoints = new MongodbCheckpoints(database, 'history', prefix, generation);
  }

  async apply(batch: ViewBatch): Promise<void> {
    const { partition } = batch;
    const known = this.#known.get(partition);
    const isFresh = known === undefined || performance.now() - known.at_ms > REMEMBERED_MS;
    let before = isFresh ? await this.#remember(partition) : known.checkpoint;
    // Data is written where it is: of a generation that was dropped it would make a new one.
    if (batch.events.length > 0 && !isFresh) before = await this.#remember(partition);
    const events = await this.#judge(batch, before);
    // First of all: what is parked without a letter would be lost.
    await this.#checkpoints.write(batch.parking?.letters ?? []);
    if (events.length > 0) await writeHistory(this.#collections, partition, events);
    const moved = await this.#checkpoints.move(before, batch);
    this.#known.set(partition, {
      checkpoint: moved,
      at_ms: this.#known.get(partition)?.at_ms ?? performance.now(),
    });
  }

  deadLetters(partition: number): Promise<DeadLetters> {
    return this.#checkpoints.deadLetters(partition);
  }

  async unpark(unparking: Unparking): Promise<void> {
    const { partition, events, from, letters } = unparking;
    const { version } = parkedAt(await this.#remember(partition));
    if (version !== from.version) throw new ParkedChangedError(partition, version);
    this.#known.delete(partition);
    if (events.length > 0) await writeHistory(this.#collections, partition, events);
    await this.#checkpoints.write(letters);
    await this.#checkpoints.unpark(unparking);
  }

  async #remember(partition: number): Promise<Checkpoint> {
    this.#known.delete(partition);
    const checkpoint = await this.#checkpoints.read(partition);
    this.#known.set(partition, { checkpoint, at_ms: performance.now() });
    return checkpoint;
  }

  /** Nothing is refused by what is only remembered. */
  async #judge(batch: ViewBatch, before: Checkpoint) {
    try {
      return unseenEvents(batch, before);
    } catch {
      return unseenEvents(batch, await this.#remember(batch.partition));
    }
  }

  checkpoint(partition: number): Promise<Checkpoint> {
    return this.#checkpoints.read(partition);
  }

  rows(page: RowPage): Promise<readonly ViewRow[]> {
    const positionOf = async (ledgerId: string) =>
      (await this.checkpoint(this.#options.partitionOf(ledgerId))).position;
    return readRows(this.#collections, positionOf, page);
  }

  ledger(partition: number, ledgerId: string): Promise<Read<Ledger | undefined>> {
    return this.#read(partition, async (at) => {
      const found = await this.#collections.ledgers.findOne({ _id: ledgerId, position: upTo(at) });
      return found === null ? undefined : fromBinary(LedgerSchema, found.document);
    });
  }

  ledgers(listing: LedgerListing): Promise<Read<readonly Ledger[]>> {
    return this.#read(listing.partition, async (at) => {
      const found = await this.#collections.ledgers
        .find(ledgerFilter(listing, at))
        .sort({ position: 1 })
        .limit(listing.limit)
        .toArray();
      return found.map(({ document }) => fromBinary(LedgerSchema, document));
    });
  }

  account(partition: number, ledgerId: string, accountId: string): Promise<Read<Account | undefined>> {
    return this.#read(partition, async (at) => {
      const [account, version] = await Promise.all([
        this.#account(ledgerId, accountId, at),
        this.#version(ledgerId, accountId, at),
      ]);
      if (account === null || version === null) return undefined;
      return openedAccountOf(accountRecord(account, version)).account;
    });
  }

  accounts(listing: AccountListing): Promise<Read<readonly OpenedAccount[]>> {
    return this.#read(listing.partition, async (at) => {
      const found = await this.#collections.accounts
        .find(accountFilter(listing, at))
        .sort({ openedPosition: 1 })
        .limit(listing.limit)
        .toArray();
      return Promise.all(
        found.map(async (account) => {
          // One look-up each: grouped in one, a busy account's whole life would be read for its last version.
          const version = await this.#version(listing.ledgerId, account.account, at);
          if (version === null) throw new Error(`the account ${account._id} has no version`);
          return openedAccountOf(accountRecord(account, version));
        }),
      );
    });
  }

  balanceAtPosition(
    partition: number,
    ledgerId: string,
    accountId: string,
    position: bigint,
  ): Promise<Read<Balance | undefined>> {
    return this.#read(partition, async (at) => {
      const [account, version] = await Promise.all([
        this.#account(ledgerId, accountId, at),
        this.#version(ledgerId, accountId, position < at ? position : at),
      ]);
      return account === null || version === null ? undefined : balanceIn(accountRecord(account, version));
    });
  }

  balanceAtEffectiveTime(
    partition: number,
    ledgerId: string,
    accountId: string,
    time: bigint,
  ): Promise<Read<Balance | undefined>> {
    return this.#read(partition, async (at) => {
      const account = await this.#account(ledgerId, accountId, at);
      if (account === null) return undefined;
      const sums = await this.#sums(ledgerId, accountId, time, at);
      // Entries may be dated before their account was opened; before the first of them the balance is 0.
      const { credits = 0n, debits = 0n, position = account.openedPosition } = sums ?? {};
      const { currency } = account;
      return create(BalanceSchema, {
        accountId,
        currency: codeOf(currency),
        exponent: knownExponent(currency),
        posted: credits - debits,
        credits,
        debits,
        position,
      });
    });
  }

  transaction(
    partition: number,
    ledgerId: string,
    transactionId: string,
  ): Promise<Read<Transaction | undefined>> {
    return this.#read(partition, async (at) => {
      const found = await this.#collections.transactions.findOne({
        ledger: ledgerId,
        id: transactionId,
        ...validAt(at),
      });
      return found === null ? undefined : transactionValue(found);
    });
  }

  transactions(listing: TransactionListing): Promise<Read<readonly Transaction[]>> {
    return this.#read(listing.partition, async (at) => {
      const recorded = await this.#recorded(listing, at);
      const found = await this.#collections.transactions
        .find(transactionFilter(listing, recorded, at))
        .sort({ position: listing.descending ? -1 : 1 })
        .limit(listing.limit)
        .toArray();
      return found.map(transactionValue);
    });
  }

  openHolds(listing: OpenHoldListing): Promise<Read<readonly Transaction[]>> {
    return this.#read(listing.partition, async (at) => {
      const holds = await readOpenHolds(this.#collections.holds, listing, at);
      const found = await this.#collections.transactions
        .find({ _id: { $in: holds.map(({ _id }) => _id) } })
        .toArray();
      const versions = new Map(found.map((version) => [version._id, version]));
      return holds.flatMap(({ _id }) => {
        const version = versions.get(_id);
        return version === undefined ? [] : [transactionValue(version)];
      });
    });
  }

  entries(listing: EntryListing): Promise<Read<readonly EntryRow[]>> {
    return this.#read(listing.partition, (at) =>
      listing.accountId === '' ? this.#postedEntries(listing, at) : this.#accountEntries(listing, at),
    );
  }

  /** Between which positions the transactions of a listing are, by when they were recorded and by its end. */
  #recorded(
    { ledgerId, recorded, through }: TransactionListing | EntryListing,
    at: bigint,
  ): Promise<PositionRange> {
    return recordedPositions(this.#collections.transactions, ledgerId, recorded, throughOf(through, at));
  }

  /** The entries of a whole ledger have no index of their own: transactions hold them. */
  async #postedEntries(listing: EntryListing, at: bigint): Promise<EntryRow[]> {
    const recorded = await this.#recorded(listing, at);
    const found = await this.#collections.transactions
      .find(postedFilter(listing, recorded, at))
      .sort({ position: listing.descending ? -1 : 1 })
      .limit(transactionsOfPage(listing))
      .toArray();
    return pageOfEntries(found.map(entriesIn), listing);
  }

  async #accountEntries(listing: EntryListing, at: bigint): Promise<EntryRow[]> {
    const { ledgerId: ledger, transactionId: id } = listing;
    const of = id === '' ? undefined : await this.#collections.transactions.findOne({ ledger, id });
    if (of === null) return [];
    const direction = listing.descending ? -1 : 1;
    const recorded = await this.#recorded(listing, at);
    const found = await this.#collections.entries
      .find(entryFilter(listing, of === undefined ? recorded : within(recorded, of.position)))
      .sort({ position: direction, index: direction })
      .limit(listing.limit)
      .toArray();
    return found.map(entryOf);
  }

  statement(query: StatementQuery): Promise<Read<StatementPage | undefined>> {
    return this.#read(query.partition, (at) => readStatement(this.#collections, query, at));
  }

  /**
   * Of nothing found it is made sure that the generation is still there: a collection that is gone reads as
   * empty.
   */
  async #read<T>(partition: number, read: (at: bigint) => Promise<T>): Promise<Read<T>> {
    const asOf = await this.checkpoint(partition);
    const value = await read(asOf.position);
    const isNothing = value === undefined || (Array.isArray(value) && value.length === 0);
    if (isNothing) await this.checkpoint(partition);
    return { value, asOf };
  }

  #account(ledger: string, account: string, at: bigint): Promise<AccountDocument | null> {
    return this.#collections.accounts.findOne({ ledger, account, ...validAt(at) });
  }

  #version(ledger: string, account: string, at: bigint): Promise<VersionDocument | null> {
    return this.#collections.versions
      .find({ ledger, account, position: upTo(at) })
      .sort({ position: -1 })
      .limit(1)
      .next();
  }

  async #sums(ledger: string, account: string, time: bigint, at: bigint) {
    const CREDIT = 2;
    const [sums] = await this.#collections.entries
      .aggregate<{ credits: bigint | number; debits: bigint | number; position: bigint }>([
        { $match: { ledger, account, effective: upTo(time), position: upTo(at) } },
        {
          $group: {
            _id: null,
            credits: { $sum: { $cond: [{ $eq: ['$direction', CREDIT] }, '$amount', 0] } },
            debits: { $sum: { $cond: [{ $eq: ['$direction', CREDIT] }, 0, '$amount'] } },
            position: { $max: '$position' },
          },
        },
      ])
      .toArray();
    if (sums === undefined) return undefined;
    const { credits, debits, position } = sums;
    return { credits: BigInt(credits), debits: BigInt(debits), position };
  }
}

/** What of a range is at a position: that alone, or nothing. */
function within({ from, to }: PositionRange, position: bigint): PositionRange {
  return position < from || position >= to
    ? { from: position, to: position }
    : { from: position, to: position + 1n };
}
