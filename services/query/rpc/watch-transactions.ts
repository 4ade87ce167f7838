import type { MessageInitShape } from '@bufbuild/protobuf';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import type { Transaction } from '../../../gen/quittance/common/v1/transaction_pb.js';
import {
  type TransactionQueryService,
  type WatchTransactionsRequest,
  WatchTransactionsRequestSchema,
  type WatchTransactionsResponseSchema,
} from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { accountsNamedBy, transactionChangesOf, transactionOf } from '../../../lib/log/transaction-of.js';
import type { LogPoint, RecordedEvent } from '../../../lib/log/recorded-event.js';
import { fail } from '../../../lib/rpc/errors.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import { ALL_SENT, decodeResumeToken, encodeResumeToken, queryFingerprint } from '../../../lib/rpc/tokens.js';
import { wholeUpTo } from '../../../lib/views/parked/parked.js';
import type { Checkpoint } from '../../../lib/views/view.js';
import { asOf } from '../consistency.js';
import { type QueryContext, readView } from '../context.js';
import { requireLedgerInLog } from './answers.js';
import { viewMoved } from './view-moves.js';
import { requireWatchedHistory } from './watched-history.js';

/** When a watch is ended because its reader is too slow. */
export interface SlowReader {
  /** It left one message lying for longer than this … */
  readonly stall_ms: number;
  /** … while the view went on by more than so many positions. */
  readonly behind: bigint;
}

const SLOW_READER: SlowReader = { stall_ms: 30_000, behind: 1_000n };

/** How many events are held in memory at a time. */
const PAGE_EVENTS = 64;

/** Where a watch is: everything before `point` was sent, and `sent` messages of the event there. */
interface Cursor {
  readonly point: Pick<LogPoint, 'epoch' | 'position' | 'hash'>;
  readonly sent: number;
}

interface Watch {
  readonly context: QueryContext;
  readonly request: WatchTransactionsRequest;
  readonly partition: number;
  readonly fingerprint: Uint8Array;
}

type Message = MessageInitShape<typeof WatchTransactionsResponseSchema>;

/**
 * WatchTransactions: reads the log for events of the ledger, only up to what the history view has applied,
 * and pulls the next page only when its reader has taken the one before: nothing piles up, nothing is
 * skipped. A watch that starts at now begins after the view's as_of, not after the log's head, and sends a
 * heartbeat at once: a caller who lists after that heartbeat misses nothing between the list and the watch.
 */
export function watchTransactions(
  context: QueryContext,
  slow: SlowReader = SLOW_READER,
): MethodFunction<(typeof TransactionQueryService)['method']['watchTransactions']> {
  return async function* (request, call) {
    const partition = context.partitionOf(request.ledgerId);
    const fingerprint = queryFingerprint(WatchTransactionsRequestSchema, request);
    const place = { partition, ledgerId: request.ledgerId };
    const watch: Watch = { context, request, partition, fingerprint };
    await requireLedgerInLog(context, request.ledgerId);
    let checkpoint = await checkpointOf(watch);
    let cursor = await startOf(watch, checkpoint);
    let nextHeartbeat_ms = request.resumeToken === '' ? 0 : performance.now() + context.heartbeat_ms;
    for (;;) {
      cursor = await inEpochOf(checkpoint, watch, cursor);
      for await (const [message, next] of newsOf(watch, cursor, checkpoint)) {
        call.signal.throwIfAborted();
        cursor = next;
        if (message === undefined) continue;
        const sentAt_ms = performance.now();
        yield message;
        nextHeartbeat_ms = performance.now() + context.heartbeat_ms;
        await refuseSlowReader(watch, cursor, performance.now() - sentAt_ms, slow);
      }
      call.signal.throwIfAborted();
      if (performance.now() >= nextHeartbeat_ms) {
        yield await messageOf(watch, cursor, checkpoint, undefined);
        nextHeartbeat_ms = performance.now() + context.heartbeat_ms;
      }
      const wait_ms = Math.max(0, nextHeartbeat_ms - performance.now());
      await viewMoved(context, context.history, place, checkpoint.position, wait_ms, call.signal);
      checkpoint = await checkpointOf(watch);
    }
  };
}

async function checkpointOf({ context, request, partition }: Watch): Promise<Checkpoint> {
  const checkpoint = await readView(context.history, (view) => view.checkpoint(partition));
  return wholeUpTo(checkpoint, request.ledgerId);
}

async function startOf({ context, request, fingerprint }: Watch, checkpoint: Checkpoint): Promise<Cursor> {
  if (request.resumeToken === '') return { point: checkpoint, sent: ALL_SENT };
  const token = decodeResumeToken(request.resumeToken, 'transactions', fingerprint);
  await context.freshness.verify(token, ErrorReason.INVALID_RESUME_TOKEN);
  return { point: token, sent: token.sent };
}

/** The cursor in the epoch of the view. @throws CallError HISTORY_LOST */
async function inEpochOf(checkpoint: Checkpoint, { context }: Watch, cursor: Cursor): Promise<Cursor> {
  const { point, sent } = cursor;
  if (point.position < 0n || checkpoint.epoch <= point.epoch) return cursor;
  await requireWatchedHistory(context, point);
  return { point: { ...point, epoch: checkpoint.epoch }, sent };
}

/**
 * The messages after a cursor, each with the cursor after it, up to a checkpoint; at its end without a
 * message.
 */
async function* newsOf(
  watch: Watch,
  start: Cursor,
  checkpoint: Checkpoint,
): AsyncGenerator<readonly [Message | undefined, Cursor]> {
  const { context, request } = watch;
  let { position } = start.point;
  // Of an event that was sent in part, the rest is still to come.
  let skip = 0;
  if (start.sent !== ALL_SENT) {
    position -= 1n;
    skip = start.sent;
  }
  while (position < checkpoint.position) {
    const events = await context.log.page({
      after: position,
      through: checkpoint.position,
      limit: PAGE_EVENTS,
      ledgerId: request.ledgerId,
      streamId: null,
    });
    for (const { record, transactions } of await touchedBy(watch, events)) {
      const point = { epoch: record.event.epoch, position: record.position, hash: record.hash };
      for (const [index, transaction] of transactions.entries()) {
        if (index < skip) continue;
        const sent = index + 1 === transactions.length ? ALL_SENT : index + 1;
        const cursor = { point, sent };
        yield [await messageOf(watch, cursor, checkpoint, transaction), cursor];
      }
      skip = 0;
      ({ position } = record);
    }
    if (events.length < PAGE_EVENTS) ({ position } = checkpoint);
  }
  if (checkpoint.position > start.point.position || start.sent !== ALL_SENT) {
    if (checkpoint.position >= start.point.position) yield [undefined, { point: checkpoint, sent: ALL_SENT }];
  }
}

interface Touched {
  readonly record: RecordedEvent;
  /** In one order for ever: resume tokens count them. */
  readonly transactions: readonly Transaction[];
}

/**
 * The transactions that each event made or changed, less those that the filter leaves out: its own as the
 * event made it, the others as the history view has them, which is the event's state or a later one.
 */
async function touchedBy(
  { context, request, partition }: Watch,
  events: readonly RecordedEvent[],
): Promise<Touched[]> {
  const { ledgerId, accountId } = request;
  const changedIds = events.map(({ event }) =>
    transactionChangesOf(event).map(({ transactionId }) => transactionId),
  );
  const found = new Map<string, Transaction>();
  await Promise.all(
    [...new Set(changedIds.flat())].map(async (id) => {
      const { value } = await readView(context.history, (view) => view.transaction(partition, ledgerId, id));
      if (value === undefined) throw new Error('the history view lacks a transaction that it has applied');
      found.set(id, value);
    }),
  );
  return events.map((record, index) => {
    const own = transactionOf(record.event);
    const changed = (changedIds[index] ?? []).flatMap((id) => found.get(id) ?? []);
    const all = own === undefined ? changed : [own, ...changed];
    const transactions = all.filter(
      (transaction) => accountId === '' || accountsNamedBy(transaction).includes(accountId),
    );
    return { record, transactions };
  });
}

async function messageOf(
  { context, fingerprint }: Watch,
  { point, sent }: Cursor,
  checkpoint: Checkpoint,
  transaction: Transaction | undefined,
): Promise<Message> {
  const logId = await context.freshness.logId();
  const resumeToken = encodeResumeToken({
    ...point,
    logId,
    shard: context.log.shard,
    watch: 'transactions',
    sent,
    fingerprint,
  });
  const message = { resumeToken, asOf: await asOf(context, checkpoint) };
  return transaction === undefined ? message : { ...message, transaction, position: point.position };
}

/**
 * A stream that is not pulled costs next to nothing, so a reader may be slow for a while; one that left a
 * message lying for long and has fallen far behind is ended.
 * @throws CallError READER_TOO_SLOW
 */
async function refuseSlowReader(
  watch: Watch,
  { point }: Cursor,
  stalled_ms: number,
  { stall_ms, behind }: SlowReader,
): Promise<void> {
  if (stalled_ms <= stall_ms) return;
  const { position } = await checkpointOf(watch);
  if (position - point.position <= behind) return;
  throw fail(ErrorReason.READER_TOO_SLOW, 'the reader did not keep up; go on from the last resume token');
}
