import { create } from '@bufbuild/protobuf';
import { Direction } from '../../../gen/quittance/common/v1/transaction_pb.js';
import {
  type GetStatementRequest,
  GetStatementRequestSchema,
  GetStatementResponseSchema,
  type StatementLine,
  StatementLineSchema,
  TimeBasis,
  type TransactionQueryService,
} from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { money } from '../../../lib/log/transaction-of.js';
import type { LogPoint } from '../../../lib/log/recorded-event.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import { decodePageToken, queryFingerprint } from '../../../lib/rpc/tokens.js';
import type { EntryRow, StatementKey, StatementQuery } from '../../../lib/views/history/view.js';
import { asOf } from '../consistency.js';
import { type QueryContext, readView } from '../context.js';
import { requestedRange } from '../times.js';
import {
  accountNotFound,
  answerWithPage,
  entryIndexOf,
  entryRecordOf,
  nextPageToken,
  pageSizeOf,
  pointAt,
  requireLedger,
} from './answers.js';
import { closedAt } from './closed-period.js';

/** What a page token of a statement holds: time, position and index of the last line sent. */
const CURSOR = ['bigint', 'bigint', 'bigint'] as const;

/**
 * GetStatement: opening balance, lines with a running balance and closing balance, from the history view. It
 * is pinned to the position that the caller names, else to what its first page was as of.
 */
export function getStatement(
  context: QueryContext,
): MethodFunction<(typeof TransactionQueryService)['method']['getStatement']> {
  return async (request, call) => {
    const { ledgerId, accountId, consistency, pageToken } = request;
    const partition = context.partitionOf(ledgerId);
    const asked = { partition, ledgerId, accountId, ...spanOf(request) };
    const fingerprint = queryFingerprint(GetStatementRequestSchema, request);
    const page = pageToken === '' ? undefined : decodePageToken(pageToken, fingerprint, CURSOR);
    const position = request.position === 0n ? undefined : request.position;
    await context.freshness.reach(
      context.history,
      partition,
      { ledgerId, consistency, page, position },
      call,
    );
    const pin = page ?? (position === undefined ? undefined : await pointAt(context, position));
    const size = pageSizeOf(request.pageSize);
    const after = page && keyOf(page.cursor);
    const read = await readView(context.history, (view) =>
      view.statement({
        ...asked,
        through: pin?.position ?? null,
        after: after ?? null,
        limit: size + 1,
      }),
    );
    if (read.value === undefined) {
      await requireLedger(context, ledgerId);
      throw accountNotFound(accountId, position === undefined ? '' : ' at that position');
    }
    const { opening, closing, broughtForward, lines, currency } = read.value;
    const pinned = pin ?? read.asOf;
    const rows = { rows: lines, size };
    const { closedThrough } = await closedAt(context, ledgerId, pinned.position);
    return await answerWithPage(call, GetStatementResponseSchema, rows, async (shown, last) => {
      const cursor = last && [timeOf(asked, last), last.position, BigInt(last.entry.index)];
      return {
        accountId,
        openingBalance: money(currency, opening),
        closingBalance: money(currency, closing),
        lines: withBalance(broughtForward, shown),
        nextPageToken: cursor ? await nextPageToken(context, pinned, fingerprint, cursor) : '',
        asOf: await asOf(context, pinned, { final: isFinal(asked, pinned) }),
        closedThrough,
      };
    });
  };
}

type Span = Pick<StatementQuery, 'basis' | 'range'>;

function spanOf({ timeBasis, startTime, endTime }: GetStatementRequest): Span {
  return {
    basis: timeBasis === TimeBasis.RECORDED_TIME ? 'recorded' : 'effective',
    range: requestedRange('start_time', startTime, 'end_time', endTime),
  };
}

/**
 * Later events are recorded after as_of.time, so a range of recorded times that ends before it never changes.
 */
function isFinal({ basis, range }: Span, pinned: Pick<LogPoint, 'recordedTime'>): boolean {
  return basis === 'recorded' && range.to !== null && range.to < pinned.recordedTime;
}

function timeOf({ basis }: Span, row: EntryRow): bigint {
  return basis === 'recorded' ? row.recordedTime : row.effectiveTime;
}

function keyOf([time, position, index]: readonly [bigint, bigint, bigint]): StatementKey {
  return { time, position, index: entryIndexOf(index) };
}

function withBalance(broughtForward: bigint, rows: readonly EntryRow[]): StatementLine[] {
  let balance = broughtForward;
  return rows.map((row) => {
    const amount = row.entry.amount?.minorUnits ?? 0n;
    balance += row.entry.direction === Direction.CREDIT ? amount : -amount;
    return create(StatementLineSchema, { entry: entryRecordOf(row), balance });
  });
}
