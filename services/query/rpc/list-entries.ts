import { TransactionKind } from '../../../gen/quittance/common/v1/transaction_pb.js';
import {
  type ListEntriesRequest,
  ListEntriesRequestSchema,
  ListEntriesResponseSchema,
  type TransactionQueryService,
} from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import { decodePageToken, queryFingerprint } from '../../../lib/rpc/tokens.js';
import type { EntryKey, EntryListing } from '../../../lib/views/history/view.js';
import { asOf } from '../consistency.js';
import { type QueryContext, readView } from '../context.js';
import { requestedRange } from '../times.js';
import {
  answerWithPage,
  entryIndexOf,
  entryRecordOf,
  nextPageToken,
  pageSizeOf,
  requireLedger,
} from './answers.js';

/**
 * ListEntries: in order of (position, entry index), from the history view; all pages are as of the first
 * one's position.
 */
export function listEntries(
  context: QueryContext,
): MethodFunction<(typeof TransactionQueryService)['method']['listEntries']> {
  return async (request, call) => {
    const { ledgerId, consistency, pageToken } = request;
    const partition = context.partitionOf(ledgerId);
    const filter = filterOf(request);
    const fingerprint = queryFingerprint(ListEntriesRequestSchema, request);
    const page = pageToken === '' ? undefined : decodePageToken(pageToken, fingerprint, ['bigint', 'bigint']);
    await context.freshness.reach(context.history, partition, { ledgerId, consistency, page }, call);
    const size = pageSizeOf(request.pageSize);
    const after: EntryKey | null =
      page === undefined ? null : { position: page.cursor[0], index: entryIndexOf(page.cursor[1]) };
    const through = page?.position ?? null;
    const read = await readView(context.history, (view) =>
      view.entries({ partition, ...filter, through, after, limit: size + 1 }),
    );
    if (read.value.length === 0) await requireLedger(context, ledgerId);
    const pinned = page ?? read.asOf;
    const rows = { rows: read.value, size };
    return await answerWithPage(call, ListEntriesResponseSchema, rows, async (shown, last) => {
      const cursor = last && [last.position, BigInt(last.entry.index)];
      return {
        entries: shown.map(entryRecordOf),
        nextPageToken: cursor ? await nextPageToken(context, pinned, fingerprint, cursor) : '',
        asOf: await asOf(context, pinned),
      };
    });
  };
}

function filterOf(
  request: ListEntriesRequest,
): Omit<EntryListing, 'partition' | 'through' | 'after' | 'limit'> {
  const { ledgerId, accountId, kind, direction, transactionId, descending } = request;
  const { startRecordedTime, endRecordedTime, startEffectiveTime, endEffectiveTime } = request;
  return {
    ledgerId,
    accountId,
    kinds: kind === TransactionKind.UNSPECIFIED ? [] : [kind],
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
}
