import {
  DeclineReason,
  type Transaction,
  TransactionStatus,
} from '../../../gen/quittance/common/v1/transaction_pb.js';
import {
  type ListTransactionsRequest,
  ListTransactionsRequestSchema,
  ListTransactionsResponseSchema,
  type TransactionQueryService,
} from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import type { TransactionListing } from '../../../lib/views/history/view.js';
import { type QueryContext, readView } from '../context.js';
import { requestedRange } from '../times.js';
import { requestedUnit } from './currency-unit.js';
import { filteredPage, type RowsAt, type RowSource } from './filtered-page.js';
import { answerWithList } from './history-list.js';
import { amountFilter, transactionFilter } from './row-filters.js';

/**
 * ListTransactions: in order of position, from the history view; all pages are as of the first one's
 * position.
 */
export function listTransactions(
  context: QueryContext,
): MethodFunction<(typeof TransactionQueryService)['method']['listTransactions']> {
  return async (request, call) => {
    const listing = listingOf(request);
    const isShown = filterOf(request);
    return await answerWithList(context, request, call, {
      requestSchema: ListTransactionsRequestSchema,
      answerSchema: ListTransactionsResponseSchema,
      cursor: ['bigint'],
      keyIn: ([position]) => position,
      cursorAt: (position) => [position],
      page: async (partition, start) => {
        await requestedUnit(context, request);
        return filteredPage(sourceOf(context, { partition, ...listing }, isShown), start);
      },
      keyAfter: ({ position }) => position,
      answerOf: (rows, end) => ({ transactions: [...rows], ...end }),
    });
  };
}

function sourceOf(
  context: QueryContext,
  listing: Omit<TransactionListing, keyof RowsAt<bigint>>,
  isShown: ReturnType<typeof filterOf>,
): RowSource<Transaction, Transaction, bigint> {
  return {
    read: (at) => readView(context.history, (view) => view.transactions({ ...listing, ...at })),
    keyAfter: ({ position }) => position,
    shown: (transaction) => (isShown === undefined || isShown(transaction) ? [transaction] : []),
    isFiltered: isShown !== undefined,
  };
}

/** What indexes answer. */
function listingOf(
  request: ListTransactionsRequest,
): Omit<TransactionListing, 'partition' | 'through' | 'after' | 'limit'> {
  const { ledgerId, accountId, kinds, reference, paymentId, descending, declineReason } = request;
  const { startRecordedTime, endRecordedTime, startEffectiveTime, endEffectiveTime } = request;
  const isOfDeclines =
    declineReason !== DeclineReason.UNSPECIFIED && request.status === TransactionStatus.UNSPECIFIED;
  return {
    ledgerId,
    accountId,
    kinds,
    status: isOfDeclines ? TransactionStatus.DECLINED : request.status,
    reference,
    paymentId,
    descending,
    recorded: requestedRange('start_recorded_time', startRecordedTime, 'end_recorded_time', endRecordedTime),
    effective: requestedRange(
      'start_effective_time',
      startEffectiveTime,
      'end_effective_time',
      endEffectiveTime,
    ),
  };
}

/** What no index answers; undefined: nothing of the kind is asked for. */
function filterOf(request: ListTransactionsRequest): ((transaction: Transaction) => boolean) | undefined {
  const ofAmount = amountFilter(request);
  const ofTransaction = transactionFilter(request);
  const { declineReason } = request;
  const isOfAnyReason = declineReason === DeclineReason.UNSPECIFIED;
  if (ofAmount === undefined && ofTransaction === undefined && isOfAnyReason) return undefined;
  return (transaction) =>
    (ofAmount === undefined || ofAmount(transaction.amount)) &&
    (ofTransaction === undefined || ofTransaction(transaction)) &&
    (isOfAnyReason || transaction.declineReason === declineReason);
}
