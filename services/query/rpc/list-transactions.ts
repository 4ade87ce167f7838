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
import { decodePageToken, queryFingerprint } from '../../../lib/rpc/tokens.js';
import type { TransactionListing } from '../../../lib/views/history/view.js';
import { asOf } from '../consistency.js';
import { type QueryContext, readView } from '../context.js';
import { requestedRange } from '../times.js';
import { answerWithPage, nextPageToken, pageSizeOf, requireLedger } from './answers.js';
import { requestedUnit } from './currency-unit.js';
import { filteredPage, type RowSource } from './filtered-page.js';
import { amountFilter, transactionFilter } from './row-filters.js';

/**
 * ListTransactions: in order of position, from the history view; all pages are as of the first one's
 * position.
 */
export function listTransactions(
  context: QueryContext,
): MethodFunction<(typeof TransactionQueryService)['method']['listTransactions']> {
  return async (request, call) => {
    const { ledgerId, consistency } = request;
    const partition = context.partitionOf(ledgerId);
    const source = sourceOf(context, partition, request);
    const fingerprint = queryFingerprint(ListTransactionsRequestSchema, request);
    const page =
      request.pageToken === '' ? undefined : decodePageToken(request.pageToken, fingerprint, ['bigint']);
    await context.freshness.reach(context.history, partition, { ledgerId, consistency, page }, call);
    await requestedUnit(context, request);
    const size = pageSizeOf(request.pageSize);
    const found = await filteredPage(source, {
      through: page?.position ?? null,
      after: page?.cursor[0] ?? null,
      size,
    });
    if (found.rows.length === 0) await requireLedger(context, ledgerId);
    const pinned = page ?? found.asOf;
    const rows = { rows: found.rows, size };
    return await answerWithPage(call, ListTransactionsResponseSchema, rows, async (shown, last) => {
      const after = last?.position ?? found.goesOnAfter;
      return {
        transactions: [...shown],
        nextPageToken: after === undefined ? '' : await nextPageToken(context, pinned, fingerprint, [after]),
        asOf: await asOf(context, pinned),
      };
    });
  };
}

function sourceOf(
  context: QueryContext,
  partition: number,
  request: ListTransactionsRequest,
): RowSource<Transaction, Transaction, bigint> {
  const listing = listingOf(request);
  const isShown = filterOf(request);
  return {
    read: (at) => readView(context.history, (view) => view.transactions({ partition, ...listing, ...at })),
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
