/** EventQueryService/WatchEvents: the events of a ledger as they are committed, in order and without gaps. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import {
  type EventQueryService,
  type WatchEventsRequest,
  WatchEventsRequestSchema,
  type WatchEventsResponseSchema,
} from '../../../gen/quittance/query/v1/event_query_service_pb.js';
import type { LogReader } from '../../../lib/log/reader.js';
import { type LogPoint, type RecordedEvent, pointOf } from '../../../lib/log/recorded-event.js';
import { fail } from '../../../lib/rpc/errors.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import { ALL_SENT, decodeResumeToken, encodeResumeToken, queryFingerprint } from '../../../lib/rpc/tokens.js';
import { pause, withTimeLimit } from '../../../lib/base/pause.js';
import { asOf } from '../consistency.js';
import type { QueryContext } from '../context.js';
import { UNKNOWN_HASH } from '../hashes.js';
import { requireLedgerInLog } from './answers.js';
import { requireWatchedHistory } from './watched-history.js';
import { eventRecord } from '../../../lib/log/event-record.js';

/** Bounds what one watch holds in memory. */
const PAGE_EVENTS = 100;
/** A reader that leaves one message lying for so long is ended; it goes on from its last resume token. */
const SLOW_READER_MS = 30_000;
/** In a busy shard a watch of a quiet ledger looks ever more rarely, down to this. */
const LONGEST_PAUSE_MS = 40;

type Message = MessageInitShape<typeof WatchEventsResponseSchema>;

/** A point of the log up to which a watch has sent everything. */
type Seen = Pick<LogPoint, 'epoch' | 'position' | 'hash'>;

/**
 * The method. Each watch reads the log by itself, page by page as its reader takes them: no queue can
 * overflow.
 */
export function watchEvents(
  context: QueryContext,
  slowReader_ms = SLOW_READER_MS,
): MethodFunction<(typeof EventQueryService)['method']['watchEvents']> {
  return async function* (request, call) {
    const fingerprint = queryFingerprint(WatchEventsRequestSchema, request);
    await requireLedgerInLog(context, request.ledgerId);
    let seen = await startOf(context, request, fingerprint);
    let nextHeartbeat_ms = 0;
    let pause_ms = 1;
    const send = async function* (point: LogPoint, record: RecordedEvent | undefined) {
      const sentAt_ms = performance.now();
      yield await messageOf(context, fingerprint, point, record);
      if (performance.now() - sentAt_ms > slowReader_ms) {
        throw fail(ErrorReason.READER_TOO_SLOW, 'the reader did not keep up; go on from the last token');
      }
    };
    while (!call.signal.aborted) {
      const head = await context.freshness.head();
      seen = await inPresentEpoch(context, seen, head);
      const page = await context.log.page({
        after: seen.position,
        through: head.position,
        limit: PAGE_EVENTS,
        ledgerId: request.ledgerId,
        streamId: null,
      });
      for (const record of page) {
        call.signal.throwIfAborted();
        const point = pointOf(record);
        yield* send(point, record);
        seen = point;
      }
      if (page.length === PAGE_EVENTS) continue;
      seen = head;
      if (performance.now() >= nextHeartbeat_ms) {
        yield* send(head, undefined);
        nextHeartbeat_ms = performance.now() + context.heartbeat_ms;
      }
      pause_ms = page.length > 0 ? 1 : Math.min(pause_ms * 2, LONGEST_PAUSE_MS);
      await logGrew(context.log, head.position, nextHeartbeat_ms, pause_ms, call.signal);
    }
    call.signal.throwIfAborted();
  };
}

async function startOf(
  context: QueryContext,
  request: WatchEventsRequest,
  fingerprint: Uint8Array,
): Promise<Seen> {
  const { start } = request;
  if (start.case === 'resumeToken') {
    const token = decodeResumeToken(start.value, 'events', fingerprint);
    await context.freshness.verify(token, ErrorReason.INVALID_RESUME_TOKEN);
    return token;
  }
  const head = await context.freshness.head();
  if (start.case !== 'startPosition') return head;
  if (start.value > head.position + 1n) {
    throw fail(ErrorReason.POSITION_OUT_OF_RANGE, 'the position is beyond the end of the log', {
      metadata: { position: String(head.position), required: String(start.value) },
      fields: [{ field: 'start_position', description: 'beyond the end of the log' }],
    });
  }
  return { epoch: head.epoch, position: start.value - 1n, hash: UNKNOWN_HASH };
}

/** Where the watch stands, in the log's present epoch. @throws CallError HISTORY_LOST */
async function inPresentEpoch(context: QueryContext, seen: Seen, head: LogPoint): Promise<Seen> {
  if (head.epoch === seen.epoch && head.position >= seen.position) return seen;
  await requireWatchedHistory(context, seen);
  return { ...seen, epoch: head.epoch };
}

async function messageOf(
  context: QueryContext,
  fingerprint: Uint8Array,
  point: LogPoint,
  record: RecordedEvent | undefined,
): Promise<Message> {
  const logId = await context.freshness.logId();
  const resumeToken = encodeResumeToken({
    ...point,
    logId,
    shard: context.log.shard,
    watch: 'events',
    sent: ALL_SENT,
    fingerprint,
  });
  const message = { resumeToken, asOf: await asOf(context, point) };
  return record === undefined ? message : { ...message, event: eventRecord(record) };
}

/**
 * Resolves when the log has grown, but not within the pause; or when a heartbeat is due, or when the call
 * ends.
 */
function logGrew(
  log: LogReader,
  position: bigint,
  nextHeartbeat_ms: number,
  pause_ms: number,
  signal: AbortSignal,
): Promise<void> {
  const wait_ms = Math.max(0, nextHeartbeat_ms - performance.now());
  return withTimeLimit(wait_ms, signal, async (limited) => {
    const paused = pause(pause_ms, limited);
    await log.changed(position, limited);
    await paused;
  });
}
