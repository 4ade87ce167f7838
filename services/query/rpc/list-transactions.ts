import { TransactionKind } from '../../../gen/quittance/common/v1/transaction_pb.js';
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
    const filter = filterOf(request);
    const fingerprint = queryFingerprint(ListTransactionsRequestSchema, request);
    const page =
      request.pageToken === '' ? undefined : decodePageToken(request.pageToken, fingerprint, ['bigint']);
    await context.freshness.reach(context.history, partition, { ledgerId, consistency, page }, call);
    const size = pageSizeOf(request.pageSize);
    const read = await readView(context.history, (view) =>
      view.transactions({
        partition,
        ...filter,
        through: page?.position ?? null,
        after: page?.cursor[0] ?? null,
        limit: size + 1,
      }),
    );
    if (read.value.length === 0) await requireLedger(context, ledgerId);
    const pinned = page ?? read.asOf;
    const rows = { rows: read.value, size };
    return await answerWithPage(call, ListTransactionsResponseSchema, rows, async (shown, last) => ({
      transactions: [...shown],
      nextPageToken: last ? await nextPageToken(context, pinned, fingerprint, [last.position]) : '',
      asOf: await asOf(context, pinned),
    }));
  };
}

function filterOf(
  request: ListTransactionsRequest,
): Omit<TransactionListing, 'partition' | 'through' | 'after' | 'limit'> {
  const { ledgerId, accountId, kind, status, reference, paymentId, descending } = request;
  const { startRecordedTime, endRecordedTime, startEffectiveTime, endEffectiveTime } = request;
  return {
    ledgerId,
    accountId,
    kinds: kind === TransactionKind.UNSPECIFIED ? [] : [kind],
    status,
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
