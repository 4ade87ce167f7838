/** EventQueryService/ListEvents: the events of a ledger, from the log itself. */
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import {
  type EventQueryService,
  type ListEventsRequest,
  ListEventsRequestSchema,
  ListEventsResponseSchema,
} from '../../../gen/quittance/query/v1/event_query_service_pb.js';
import type { LogPage } from '../../../lib/log/reader.js';
import type { LogPoint, RecordedEvent } from '../../../lib/log/recorded-event.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import {
  decodeConsistencyToken,
  decodePageToken,
  type PageToken,
  queryFingerprint,
} from '../../../lib/rpc/tokens.js';
import { asOf } from '../consistency.js';
import type { QueryContext } from '../context.js';
import { requestedRange } from '../times.js';
import { answerWithPage, nextPageToken, pageSizeOf, requireLedgerInLog } from './answers.js';
import { eventFilter, type PositionRange, recordedWithin } from './event-filter.js';
import { eventRecord } from '../../../lib/log/event-record.js';

/** So many events are looked at for one page, where a filter passes over some; the contract says so. */
const LOOKED_AT_MAX = 2_000;
/** Of these, so many in one read of the log. */
const LOOKED_AT_AT_ONCE = 500;

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
    const range = await rangeOf(context, request, page?.cursor[0], end.position);
    const { rows, goesOnAfter } = await eventsOf(context, request, range, size);
    if (rows.length === 0 && page === undefined) await requireLedgerInLog(context, request.ledgerId);
    return await answerWithPage(call, ListEventsResponseSchema, { rows, size }, async (shown, last) => {
      const after = last?.position ?? goesOnAfter;
      return {
        events: shown.map(eventRecord),
        nextPageToken: after === undefined ? '' : await nextPageToken(context, end, fingerprint, [after]),
        asOf: await asOf(context, end),
      };
    });
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

/** The positions that the request and the page before leave. */
async function rangeOf(
  { log }: QueryContext,
  request: ListEventsRequest,
  cursor: bigint | undefined,
  end: bigint,
): Promise<PositionRange> {
  const { startPosition, endPosition, startRecordedTime, endRecordedTime } = request;
  const times = requestedRange(
    'start_recorded_time',
    startRecordedTime,
    'end_recorded_time',
    endRecordedTime,
  );
  const asked: PositionRange = {
    after: startPosition - 1n,
    through: endPosition > 0n && endPosition - 1n < end ? endPosition - 1n : end,
  };
  return beyond(await recordedWithin(log, asked, times), cursor, request.descending);
}

/** What is left of a range after a position, in the order in which it is read. */
function beyond(
  { after, through }: PositionRange,
  position: bigint | undefined,
  isDescending: boolean,
): PositionRange {
  if (position === undefined) return { after, through };
  if (isDescending) return { after, through: position - 1n < through ? position - 1n : through };
  return { after: position > after ? position : after, through };
}

interface Found {
  /** One more than the page holds if there are more. */
  readonly rows: readonly RecordedEvent[];
  /** The last event that was looked at, where the looking ended before the range did. */
  readonly goesOnAfter?: bigint;
}

/** The first events of the range that the request asks for. */
async function eventsOf(
  { log }: QueryContext,
  request: ListEventsRequest,
  range: PositionRange,
  size: number,
): Promise<Found> {
  const { ledgerId, streamId, descending: isDescending } = request;
  const rows: RecordedEvent[] = [];
  // No id holds NUL, and PostgreSQL takes no text that does.
  if (streamId.includes('\0')) return { rows };
  const filter = eventFilter(request);
  const limit = filter === undefined ? size + 1 : LOOKED_AT_AT_ONCE;
  let left = range;
  for (let lookedAt = 0; left.after < left.through;) {
    const page: LogPage = {
      ...left,
      limit,
      ledgerId,
      streamId: streamId === '' ? null : streamId,
      isDescending,
    };
    const found = await log.page(page);
    rows.push(...(filter === undefined ? found : found.filter(filter)));
    const last = found.at(-1);
    if (last === undefined || found.length < limit || rows.length > size) break;
    lookedAt += found.length;
    if (lookedAt >= LOOKED_AT_MAX) return { rows, goesOnAfter: last.position };
    left = beyond(left, last.position, isDescending);
  }
  return { rows: rows.slice(0, size + 1) };
}
