/** The history view in PostgreSQL. */
import { create, fromBinary } from '@bufbuild/protobuf';
import { type Account, type Balance, BalanceSchema } from '../../../../gen/quittance/common/v1/account_pb.js';
import {
  type Ledger,
  LedgerSchema,
  type Transaction,
} from '../../../../gen/quittance/common/v1/transaction_pb.js';
import { KEYED_PLANS, type Pool } from '../../../log/postgres-client.js';
import { codeOf, knownExponent } from '../../../base/currency.js';
import { readAhead } from '../../../base/read-ahead.js';
import { PostgresApplier } from '../../stores/postgres/apply.js';
import {
  type CheckpointColumns,
  checkpointOf,
  postgresGenerations,
  readCheckpoint,
  readDeadLetters,
  schemaOf,
} from '../../stores/postgres/generations.js';
import type {
  Checkpoint,
  DeadLetters,
  Read,
  RowPage,
  StoredComparison,
  TakeRows,
  Unparking,
  ViewBatch,
  ViewGenerations,
  ViewRow,
} from '../../view.js';
import { canonicalRows } from './canonical.js';
import { compareStored } from './compare-stored.js';
import {
  type AccountRecord,
  balanceIn,
  entriesIn,
  entryIn,
  type EntryRecord,
  isFound,
  openedAccountOf,
  type Optional,
  transactionIn,
} from '../records.js';
import { scanRows } from './scan.js';
import { HistoryWriter } from './writer.js';
import { listAccounts } from './lists/accounts.js';
import { pageOfEntries } from '../page-of-entries.js';
import { listAccountEntries } from './lists/entries.js';
import { canBeginId } from './lists/filter.js';
import { listLedgers } from './lists/ledgers.js';
import { listOpenHolds } from './lists/open-holds.js';
import { listPosted, listTransactions } from './lists/transactions.js';
import * as sql from './sql/read.sql.js';
import { createTables } from './sql/schema.sql.js';
import { statementByEffectiveTime, statementByRecordedTime } from './sql/statement.sql.js';
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

/**
 * What the pool of this view is created with (`createPool(config, {options: HISTORY_PLANS})`): all its reads
 * go by key, in the order of an index. Left to itself the planner sorts a whole ledger for a page as long as
 * a table has no statistics.
 */
export const HISTORY_PLANS = `${KEYED_PLANS} -c enable_bitmapscan=off -c max_parallel_workers_per_gather=0 -c random_page_cost=1.1`;

/** The generations of the history view: the schemas `history_1`, … of the pool's database. */
export function postgresHistory(pool: Pool): ViewGenerations<HistoryView> {
  return postgresGenerations<HistoryView>({
    pool,
    view: 'history',
    createSchema: async (client, schema) => {
      await client.query(createTables(schema));
    },
    open: (schema, generation) => new PostgresHistory(pool, schema, generation),
  });
}

interface Query {
  /** Prepared under this name, once per connection; absent: planned for its values. */
  readonly name?: string;
  readonly text: string;
  readonly values: unknown[];
}

/** Rows of a read: the checkpoint, and data that a left join may not have found. */
type Row<R> = CheckpointColumns & Optional<R>;

/** One generation. */
class PostgresHistory implements HistoryView {
  readonly id = 'history';
  readonly store = 'postgres';
  readonly generation: number;
  readonly #pool: Pool;
  readonly #schema: string;
  readonly #applier: PostgresApplier;

  constructor(pool: Pool, schema: string, generation: number) {
    this.generation = generation;
    this.#pool = pool;
    this.#schema = schema;
    const writer = new HistoryWriter(schema);
    this.#applier = new PostgresApplier(
      pool,
      schema,
      (events, client, partition) => writer.writesOf(events, client, partition),
      () => {
        writer.reset();
      },
    );
  }

  apply(batch: ViewBatch): Promise<void> {
    return this.#applier.apply(batch);
  }

  checkpoint(partition: number): Promise<Checkpoint> {
    return readCheckpoint(this.#pool, this.#schema, partition);
  }

  deadLetters(partition: number): Promise<DeadLetters> {
    return readDeadLetters(this.#pool, this.#schema, partition);
  }

  unpark(unparking: Unparking): Promise<void> {
    return this.#applier.unpark(unparking);
  }

  rows(page: RowPage): Promise<readonly ViewRow[]> {
    return canonicalRows(this.#pool, this.#schema, page);
  }

  async scan(ledgerId: string, take: TakeRows): Promise<void> {
    for await (const rows of readAhead(scanRows(this.#pool, this.#schema, ledgerId))) await take(rows);
  }

  compareStored(generation: number, through: bigint, signal: AbortSignal): Promise<StoredComparison> {
    const schemas = [this.#schema, schemaOf(this.id, generation)] as const;
    return compareStored(this.#pool, schemas, through, signal);
  }

  ledger(partition: number, ledgerId: string): Promise<Read<Ledger | undefined>> {
    const query = this.#prepared('ledger', sql.readLedger, [partition, ledgerId]);
    return this.#one<LedgerRecord, Ledger>(partition, query, 'document', ledgerIn);
  }

  ledgers(listing: LedgerListing): Promise<Read<readonly Ledger[]>> {
    if (!canBeginId(listing.idPrefix)) return this.#none(listing.partition);
    const query = listLedgers(this.#schema, listing);
    return this.#many<LedgerRecord, Ledger>(listing.partition, query, 'document', ledgerIn);
  }

  account(partition: number, ledgerId: string, accountId: string): Promise<Read<Account | undefined>> {
    const query = this.#prepared('account', sql.readAccount, [partition, ledgerId, accountId]);
    return this.#one<AccountRecord, Account>(
      partition,
      query,
      'account_id',
      (row) => openedAccountOf(row).account,
    );
  }

  accounts(listing: AccountListing): Promise<Read<readonly OpenedAccount[]>> {
    if (!canBeginId(listing.idPrefix)) return this.#none(listing.partition);
    return this.#many(listing.partition, listAccounts(this.#schema, listing), 'account_id', openedAccountOf);
  }

  balanceAtPosition(
    partition: number,
    ledgerId: string,
    accountId: string,
    position: bigint,
  ): Promise<Read<Balance | undefined>> {
    const query = this.#prepared('version', sql.readVersion, [partition, ledgerId, accountId, position]);
    return this.#one(partition, query, 'account_id', balanceIn);
  }

  balanceAtEffectiveTime(
    partition: number,
    ledgerId: string,
    accountId: string,
    time: bigint,
  ): Promise<Read<Balance | undefined>> {
    const query = this.#prepared('effective', sql.readEffective, [partition, ledgerId, accountId, time]);
    return this.#one<EffectiveRecord, Balance>(partition, query, 'account_id', effectiveBalance);
  }

  transaction(
    partition: number,
    ledgerId: string,
    transactionId: string,
  ): Promise<Read<Transaction | undefined>> {
    const query = this.#prepared('transaction', sql.readTransaction, [partition, ledgerId, transactionId]);
    return this.#one(partition, query, 'event', transactionIn);
  }

  transactions(listing: TransactionListing): Promise<Read<readonly Transaction[]>> {
    return this.#many(listing.partition, listTransactions(this.#schema, listing), 'event', transactionIn);
  }

  openHolds(listing: OpenHoldListing): Promise<Read<readonly Transaction[]>> {
    return this.#many(listing.partition, listOpenHolds(this.#schema, listing), 'event', transactionIn);
  }

  async entries(listing: EntryListing): Promise<Read<readonly EntryRow[]>> {
    const { partition, accountId } = listing;
    if (accountId !== '')
      return this.#many(partition, listAccountEntries(this.#schema, listing), 'entry', entryIn);
    const posted = await this.#many(partition, listPosted(this.#schema, listing), 'event', entriesIn);
    return { ...posted, value: pageOfEntries(posted.value, listing) };
  }

  async statement(query: StatementQuery): Promise<Read<StatementPage | undefined>> {
    const rows = await this.#run<StatementRecord>(statementOf(this.#schema, query));
    return { value: statementPageOf(rows), asOf: checkpointOf(query.partition, rows[0]) };
  }

  #prepared(name: string, text: (schema: string) => string, values: unknown[]): Query {
    return { name: `${this.#schema}.${name}`, text: text(this.#schema), values };
  }

  async #run<R>(query: Query): Promise<Row<R>[]> {
    return (await this.#pool.query<Row<R>>(query)).rows;
  }

  /** One thing, which `column` shows to be there. */
  async #one<R, T>(
    partition: number,
    query: Query,
    column: keyof R,
    value: (row: R) => T | undefined,
  ): Promise<Read<T | undefined>> {
    const [row] = await this.#run<R>(query);
    const found = row !== undefined && isFound<R>(row, column) ? value(row) : undefined;
    return { value: found, asOf: checkpointOf(partition, row) };
  }

  /** Several things; if there are none, the checkpoint comes with a row of nulls. */
  async #many<R, T>(
    partition: number,
    query: Query,
    column: keyof R,
    value: (row: R) => T,
  ): Promise<Read<readonly T[]>> {
    const rows = await this.#run<R>(query);
    const values = rows.flatMap((row) => (isFound<R>(row, column) ? [value(row)] : []));
    return { value: values, asOf: checkpointOf(partition, rows[0]) };
  }

  async #none(partition: number): Promise<Read<readonly never[]>> {
    return { value: [], asOf: await this.checkpoint(partition) };
  }
}

interface LedgerRecord {
  readonly document: Uint8Array;
}

function ledgerIn({ document }: LedgerRecord): Ledger {
  return fromBinary(LedgerSchema, document);
}

interface EffectiveRecord {
  readonly account_id: string;
  readonly currency: string;
  readonly opened_position: bigint;
  readonly credits: bigint;
  readonly debits: bigint;
  /** Null: no entry is dated so early. */
  readonly position: bigint | null;
}

/** Entries may be dated before their account was opened; before the first of them the balance is 0. */
function effectiveBalance(row: EffectiveRecord): Balance {
  return create(BalanceSchema, {
    accountId: row.account_id,
    currency: codeOf(row.currency),
    exponent: knownExponent(row.currency),
    posted: row.credits - row.debits,
    credits: row.credits,
    debits: row.debits,
    position: row.position ?? row.opened_position,
  });
}

interface StatementRecord extends EntryRecord {
  readonly opening: bigint;
  readonly closing: bigint;
  readonly brought_forward: bigint;
}

/** Planned for its values: how much of an account a range is, only they say. */
function statementOf(schema: string, query: StatementQuery): Query {
  const { partition, ledgerId, accountId, through, range, after, limit } = query;
  const values = [
    partition,
    ledgerId,
    accountId,
    through,
    range.from,
    range.to,
    after?.position ?? null,
    after?.index ?? null,
    limit,
  ];
  return query.basis === 'effective'
    ? { text: statementByEffectiveTime(schema), values: [...values, after?.time ?? null] }
    : { text: statementByRecordedTime(schema), values };
}

function statementPageOf(rows: readonly Row<StatementRecord>[]): StatementPage | undefined {
  const [row] = rows;
  if (row === undefined) return undefined;
  const { currency, opening, closing, brought_forward: broughtForward } = row;
  if (currency === null || opening === null || closing === null || broughtForward === null) return undefined;
  const lines = rows.flatMap((line) => (isFound<StatementRecord>(line, 'entry') ? [entryIn(line)] : []));
  return { opening, closing, broughtForward, lines, currency };
}
