/** The history view in PostgreSQL. */
import { create, fromBinary } from '@bufbuild/protobuf';
import { BalanceSchema } from '../../../gen/quittance/common/v1/account_pb.js';
import { LedgerSchema } from '../../../gen/quittance/common/v1/transaction_pb.js';
import { KEYED_PLANS, type Pool } from '../../log/postgres-client.js';
import { knownExponent } from '../../platform/currency.js';
import {
  applyOnce,
  type CheckpointColumns,
  checkpointOf,
  orGone,
  postgresGenerations,
  readCheckpoint,
} from '../postgres-generations.js';
import type { Read, ViewGenerations } from '../view.js';
import { canonicalRows } from './postgres-history-canonical.js';
import {
  type AccountRecord,
  balanceIn,
  entryIn,
  type EntryRecord,
  isFound,
  openedAccountOf,
  type Optional,
  transactionIn,
  type TransactionRecord,
} from './postgres-history-rows.js';
import { writeHistory } from './postgres-history-writer.js';
import { canBeginId, listAccounts, listEntries, listLedgers, listTransactions } from './sql/list.sql.js';
import * as sql from './sql/read.sql.js';
import { createTables } from './sql/schema.sql.js';
import { statementByEffectiveTime, statementByRecordedTime } from './sql/statement.sql.js';
import type { HistoryView, StatementPage, StatementQuery } from './view.js';

/**
 * What the pool of this view is created with (`createPool(config, {options: HISTORY_PLANS})`): all its reads go by key, in
 * the order of an index. Left to itself the planner sorts a whole ledger for a page as long as a table has no statistics.
 */
export const HISTORY_PLANS = `${KEYED_PLANS} -c enable_bitmapscan=off`;

/** The generations of the history view: the schemas `history_1`, … of the pool's database. */
export function postgresHistory(pool: Pool): ViewGenerations<HistoryView> {
  return postgresGenerations<HistoryView>({
    pool,
    view: 'history',
    createSchema: async (client, schema) => {
      await client.query(createTables(schema));
    },
    open: (schema, generation) => openHistory(pool, schema, generation),
  });
}

interface Query {
  /** Prepared under this name, once a connection; absent: planned for its values. */
  readonly name?: string;
  readonly text: string;
  readonly values: unknown[];
}

/** Rows of a read: the checkpoint, and data that a left join may not have found. */
type Row<R> = CheckpointColumns & Optional<R>;

function openHistory(pool: Pool, schema: string, generation: number): HistoryView {
  const gone = <T>(read: Promise<T>) => orGone('history', generation, read);
  const run = async <R>(query: Query) => (await gone(pool.query<Row<R>>(query))).rows;
  const named = (name: string, text: (schema: string) => string, values: unknown[]): Query => ({
    name: `${schema}.${name}`,
    text: text(schema),
    values,
  });
  /** One thing, which `column` shows to be there. */
  const one = async <R, T>(
    partition: number,
    query: Query,
    column: keyof R,
    value: (row: R) => T | undefined,
  ): Promise<Read<T | undefined>> => {
    const [row] = await run<R>(query);
    const found = row !== undefined && isFound<R>(row, column) ? value(row) : undefined;
    return { value: found, asOf: checkpointOf(partition, row) };
  };
  /** Several things; if there are none, the checkpoint comes with a row of nulls. */
  const many = async <R, T>(partition: number, query: Query, column: keyof R, value: (row: R) => T) => {
    const rows = await run<R>(query);
    const values = rows.flatMap((row) => (isFound<R>(row, column) ? [value(row)] : []));
    return { value: values, asOf: checkpointOf(partition, rows[0]) };
  };
  const none = async (partition: number) => ({
    value: [],
    asOf: await gone(readCheckpoint(pool, schema, partition)),
  });
  return {
    id: 'history',
    store: 'postgres',
    generation,
    apply: (batch) =>
      gone(
        applyOnce(pool, schema, batch, (client, events) =>
          writeHistory(client, schema, batch.partition, events),
        ),
      ),
    checkpoint: (partition) => gone(readCheckpoint(pool, schema, partition)),
    rows: (page) => gone(canonicalRows(pool, schema, page)),
    ledger: (partition, ledgerId) =>
      one<{ document: Uint8Array }, ReturnType<typeof ledgerIn>>(
        partition,
        named('ledger', sql.readLedger, [partition, ledgerId]),
        'document',
        ledgerIn,
      ),
    ledgers: (listing) =>
      canBeginId(listing.idPrefix)
        ? many<{ document: Uint8Array }, ReturnType<typeof ledgerIn>>(
            listing.partition,
            listLedgers(schema, listing),
            'document',
            ledgerIn,
          )
        : none(listing.partition),
    account: (partition, ledgerId, accountId) =>
      one<AccountRecord, ReturnType<typeof openedAccountOf>['account']>(
        partition,
        named('account', sql.readAccount, [partition, ledgerId, accountId]),
        'account_id',
        (row) => openedAccountOf(row).account,
      ),
    accounts: (listing) =>
      canBeginId(listing.idPrefix)
        ? many(listing.partition, listAccounts(schema, listing), 'account_id', openedAccountOf)
        : none(listing.partition),
    balanceAtPosition: (partition, ledgerId, accountId, position) =>
      one(
        partition,
        named('version', sql.readVersion, [partition, ledgerId, accountId, position]),
        'account_id',
        balanceIn,
      ),
    balanceAtEffectiveTime: (partition, ledgerId, accountId, time) =>
      one<EffectiveRecord, ReturnType<typeof effectiveBalance>>(
        partition,
        named('effective', sql.readEffective, [partition, ledgerId, accountId, time]),
        'account_id',
        (row) => effectiveBalance(row, time),
      ),
    transaction: (partition, ledgerId, transactionId) =>
      one(
        partition,
        named('transaction', sql.readTransaction, [partition, ledgerId, transactionId]),
        'event',
        transactionIn,
      ),
    transactions: (listing) =>
      many(listing.partition, listTransactions(schema, listing), 'event', transactionIn),
    entries: (listing) => many(listing.partition, listEntries(schema, listing), 'entry', entryIn),
    async statement(query) {
      const rows = await run<StatementRecord>(statementOf(schema, query));
      return { value: pageOf(rows), asOf: checkpointOf(query.partition, rows[0]) };
    },
  };
}

function ledgerIn({ document }: { readonly document: Uint8Array }) {
  return fromBinary(LedgerSchema, document);
}

interface EffectiveRecord {
  readonly account_id: string;
  readonly currency: string;
  readonly opened_position: bigint;
  readonly opened_time: bigint;
  readonly credits: bigint;
  readonly debits: bigint;
  /** Null: no entry is dated so early. */
  readonly position: bigint | null;
}

/** An account is there from its opening on, and before it as far back as its entries are dated. */
function effectiveBalance(row: EffectiveRecord, time: bigint) {
  if (row.position === null && row.opened_time > time) return undefined;
  return create(BalanceSchema, {
    accountId: row.account_id,
    currency: row.currency,
    exponent: knownExponent(row.currency),
    posted: row.credits - row.debits,
    credits: row.credits,
    debits: row.debits,
    position: row.position ?? row.opened_position,
  });
}

interface StatementRecord extends EntryRecord {
  readonly account_currency: string;
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

function pageOf(rows: readonly Row<StatementRecord>[]): StatementPage | undefined {
  const [row] = rows;
  if (row === undefined) return undefined;
  const { account_currency: currency, opening, closing, brought_forward: broughtForward } = row;
  if (currency === null || opening === null || closing === null || broughtForward === null) return undefined;
  const lines = rows.flatMap((line) => (isFound<StatementRecord>(line, 'entry') ? [entryIn(line)] : []));
  return { opening, closing, broughtForward, lines, currency };
}
