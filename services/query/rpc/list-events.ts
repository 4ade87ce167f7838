/** EventQueryService/ListEvents: the events of a ledger, from the log itself. */
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import {
  type EventQueryService,
  type ListEventsRequest,
  ListEventsRequestSchema,
  ListEventsResponseSchema,
} from '../../../gen/quittance/query/v1/event_query_service_pb.js';
import type { LogPage } from '../../../lib/log/reader.js';
import type { LogPoint } from '../../../lib/log/recorded-event.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import {
  decodeConsistencyToken,
  decodePageToken,
  type PageToken,
  queryFingerprint,
} from '../../../lib/rpc/tokens.js';
import { asOf } from '../consistency.js';
import type { QueryContext } from '../context.js';
import { answerWithPage, nextPageToken, pageSizeOf, requireLedgerInLog } from './answers.js';
import { eventRecord } from './event-record.js';

/**
 * The method; it reads the log's own end, so every answer is fully consistent, also where the request asks for less.
 */
export function listEvents(
  context: QueryContext,
): MethodFunction<(typeof EventQueryService)['method']['listEvents']> {
  return async (request, call) => {
    const fingerprint = queryFingerprint(ListEventsRequestSchema, request);
    const page =
      request.pageToken === ''
        ? undefined
        : decodePageToken(request.pageToken, fingerprint, ['bigint'] as const);
    await verifyTokens(context, request, page);
    const end: LogPoint = page ?? (await context.freshness.head());
    const size = pageSizeOf(request.pageSize);
    const range = rangeOf(request, page?.cursor[0], end.position, size + 1);
    const found = range === undefined ? [] : await context.log.page(range);
    if (found.length === 0 && page === undefined) await requireLedgerInLog(context, request.ledgerId);
    return await answerWithPage(
      call,
      ListEventsResponseSchema,
      { rows: found, size },
      async (shown, last) => ({
        events: shown.map(eventRecord),
        nextPageToken: last ? await nextPageToken(context, end, fingerprint, [last.position]) : '',
        asOf: await asOf(context, end),
      }),
    );
  };
}

async function verifyTokens(
  context: QueryContext,
  request: ListEventsRequest,
  page: PageToken | undefined,
): Promise<void> {
  if (page !== undefined) await context.freshness.verify(page, ErrorReason.INVALID_PAGE_TOKEN);
  const requirement = request.consistency?.requirement;
  if (requirement?.case === 'atLeastAsFresh') {
    const token = decodeConsistencyToken(requirement.value);
    await context.freshness.verify(token, ErrorReason.INVALID_CONSISTENCY_TOKEN);
  }
}

/** What to read; undefined if nothing can lie in it. */
function rangeOf(
  request: ListEventsRequest,
  cursor: bigint | undefined,
  end: bigint,
  limit: number,
): LogPage | undefined {
  const { ledgerId, startPosition, endPosition, streamId } = request;
  // No id holds NUL, and PostgreSQL takes no text that does.
  if (streamId.includes('\0')) return undefined;
  const start = startPosition - 1n;
  const after = cursor !== undefined && cursor > start ? cursor : start;
  const through = endPosition > 0n && endPosition - 1n < end ? endPosition - 1n : end;
  if (after >= through) return undefined;
  return { after, through, limit, ledgerId, streamId: streamId === '' ? null : streamId };
}
