import {
  Direction,
  type Transaction,
  TransactionStatus,
} from '../../../gen/quittance/common/v1/transaction_pb.js';
import {
  type ListEntriesRequest,
  ListEntriesRequestSchema,
  ListEntriesResponseSchema,
  type TransactionQueryService,
} from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { microsOf } from '../../../lib/base/time.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import type { EntryKey, EntryListing, EntryRow } from '../../../lib/views/history/view.js';
import type { Read } from '../../../lib/views/view.js';
import { type QueryContext, readView } from '../context.js';
import { isWithin, requestedRange } from '../times.js';
import { ENTRIES_MAX, entryIndexOf, entryRecordOf } from './answers.js';
import { requestedUnit } from './currency-unit.js';
import { filteredPage, type RowsAt, type RowSource } from './filtered-page.js';
import { answerWithList } from './history-list.js';
import { amountFilter, transactionFilter } from './row-filters.js';

/**
 * ListEntries: in order of (position, entry index), from the history view; all pages are as of the first
 * one's position.
 */
export function listEntries(
  context: QueryContext,
): MethodFunction<(typeof TransactionQueryService)['method']['listEntries']> {
  return async (request, call) => {
    const filter = filterOf(request);
    return await answerWithList(context, request, call, {
      requestSchema: ListEntriesRequestSchema,
      answerSchema: ListEntriesResponseSchema,
      cursor: ['bigint', 'bigint'],
      keyIn: ([position, index]) => ({ position, index: entryIndexOf(index) }),
      cursorAt: ({ position, index }) => [position, BigInt(index)],
      page: async (partition, start) => {
        await requestedUnit(context, request);
        return filter.ofTransaction === undefined
          ? filteredPage(entriesOf(context, partition, filter), start)
          : filteredPage(entriesOfTransactions(context, partition, filter, start.after), start);
      },
      keyAfter: keyOf,
      answerOf: (rows, end) => ({ entries: rows.map(entryRecordOf), ...end }),
    });
  };
}

interface EntryFilter {
  /** What indexes answer. */
  readonly listing: Omit<EntryListing, 'partition' | 'through' | 'after' | 'limit'>;
  /** What no index answers; undefined: nothing of the kind is asked for. */
  readonly ofAmount: ReturnType<typeof amountFilter>;
  /** The same of what an entry does not say, but its transaction. */
  readonly ofTransaction: ReturnType<typeof transactionFilter>;
}

function filterOf(request: ListEntriesRequest): EntryFilter {
  const { ledgerId, accountId, kinds, direction, transactionId, descending } = request;
  const { startRecordedTime, endRecordedTime, startEffectiveTime, endEffectiveTime } = request;
  const listing = {
    ledgerId,
    accountId,
    kinds,
    direction,
    transactionId,
    descending,
    recorded: requestedRange('start_recorded_time', startRecordedTime, 'end_recorded_time', endRecordedTime),
    effective: requestedRange(
      'start_effective_time',
      startEffectiveTime,
      'end_effective_time',
      endEffectiveTime,
    ),
  };
  return { listing, ofAmount: amountFilter(request), ofTransaction: transactionFilter(request) };
}

function keyOf({ position, entry }: EntryRow): EntryKey {
  return { position, index: entry.index };
}

function entriesOf(
  context: QueryContext,
  partition: number,
  { listing, ofAmount }: EntryFilter,
): RowSource<EntryRow, EntryRow, EntryKey> {
  return {
    read: (at) => readView(context.history, (view) => view.entries({ partition, ...listing, ...at })),
    keyAfter: keyOf,
    shown: (row) => (ofAmount === undefined || ofAmount(row.entry.amount) ? [row] : []),
    isFiltered: ofAmount !== undefined,
  };
}

/** Entries by what their transactions say: the transactions are listed, and the entries taken out of them. */
function entriesOfTransactions(
  context: QueryContext,
  partition: number,
  filter: EntryFilter,
  pageAfter: EntryKey | null,
): RowSource<Transaction, EntryRow, EntryKey> {
  const { listing, ofTransaction } = filter;
  // Beyond all entries of a transaction.
  const index = listing.descending ? 0 : LAST_INDEX;
  return {
    read: (at) => transactionsAt(context, partition, listing, at),
    keyAfter: ({ position }) => ({ position, index }),
    shown: (transaction) =>
      ofTransaction === undefined || ofTransaction(transaction)
        ? entriesIn(transaction, listing.descending).filter(
            (row) => isBeyond(row, pageAfter, listing.descending) && isAskedFor(row, filter),
          )
        : [],
    isFiltered: true,
  };
}

const LAST_INDEX = Number(ENTRIES_MAX) - 1;

/** The posted transactions beyond a key, with the one in which a page ended. */
function transactionsAt(
  context: QueryContext,
  partition: number,
  { ledgerId, accountId, kinds, transactionId, recorded, effective, descending }: EntryFilter['listing'],
  { through, after, limit }: RowsAt<EntryKey>,
): Promise<Read<readonly Transaction[]>> {
  return readView(context.history, async (view) => {
    if (transactionId !== '') {
      const { value, asOf: viewAsOf } = await view.transaction(partition, ledgerId, transactionId);
      const end = through ?? viewAsOf.position;
      const isThere = value?.status === TransactionStatus.POSTED && value.position <= end;
      return { value: isThere ? [value] : [], asOf: viewAsOf };
    }
    return view.transactions({
      partition,
      ledgerId,
      accountId,
      kinds,
      status: TransactionStatus.POSTED,
      reference: '',
      paymentId: '',
      recorded,
      effective,
      descending,
      through,
      after: after === null ? null : positionBefore(after, descending),
      limit,
    });
  });
}

/** The position beyond which transactions with entries beyond a key are. */
function positionBefore({ position, index }: EntryKey, descending: boolean): bigint {
  if (descending) return index === 0 ? position : position + 1n;
  return index === LAST_INDEX ? position : position - 1n;
}

function entriesIn(transaction: Transaction, descending: boolean): EntryRow[] {
  const { transactionId, kind, position, entries, effectiveTime, recordedTime } = transaction;
  if (effectiveTime === undefined || recordedTime === undefined)
    throw new Error('a transaction has its times');
  const times = { effectiveTime: microsOf(effectiveTime), recordedTime: microsOf(recordedTime) };
  const rows = entries.map((entry) => ({ entry, transactionId, kind, position, ...times }));
  return descending ? rows.reverse() : rows;
}

function isBeyond({ position, entry }: EntryRow, after: EntryKey | null, descending: boolean): boolean {
  if (after === null || position !== after.position) return true;
  return descending ? entry.index < after.index : entry.index > after.index;
}

function isAskedFor(row: EntryRow, { listing, ofAmount }: EntryFilter): boolean {
  const { accountId, kinds, direction, recorded, effective } = listing;
  return (
    ['', row.entry.accountId].includes(accountId) &&
    (kinds.length === 0 || kinds.includes(row.kind)) &&
    [Direction.UNSPECIFIED, row.entry.direction].includes(direction) &&
    isWithin(row.recordedTime, recorded) &&
    isWithin(row.effectiveTime, effective) &&
    (ofAmount === undefined || ofAmount(row.entry.amount))
  );
}
