/**
 * What the read methods share: errors of what was not found, page sizes and tokens, and rows as the API shows
 * them.
 */
import { create, type DescMessage, type MessageInitShape, type MessageShape } from '@bufbuild/protobuf';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import {
  type EntryRecord,
  EntryRecordSchema,
} from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { type LogPoint, pointOf } from '../../../lib/log/recorded-event.js';
import type { Call } from '../../../lib/rpc/call.js';
import { type CallError, fail } from '../../../lib/rpc/errors.js';
import { ledgerNotFound } from '../../../lib/rpc/ledger-not-found.js';
import { timestampOf } from '../../../lib/base/time.js';
import { type CursorPart, encodePageToken, type PageToken } from '../../../lib/rpc/tokens.js';
import type { EntryRow } from '../../../lib/views/history/view.js';
import { type QueryContext, readView } from '../context.js';

const DEFAULT_PAGE_SIZE = 50;
/** A transaction has at most so many entries, fees included. */
export const ENTRIES_MAX = 1_000n;

/** How many rows a page holds: 0 means 50. The contracts bound it. */
export function pageSizeOf(requested: number): number {
  return requested === 0 ? DEFAULT_PAGE_SIZE : requested;
}

/** The ledger has no such account, or had none then. */
export function accountNotFound(accountId: string, when = ''): CallError {
  return fail(ErrorReason.ACCOUNT_NOT_FOUND, `account ${accountId} does not exist in the ledger${when}`, {
    resource: { type: 'account', name: accountId },
  });
}

/** The ledger has no such transaction. */
export function transactionNotFound(transactionId: string): CallError {
  return fail(
    ErrorReason.TRANSACTION_NOT_FOUND,
    `transaction ${transactionId} does not exist in the ledger`,
    {
      resource: { type: 'transaction', name: transactionId },
    },
  );
}

/**
 * @throws CallError LEDGER_NOT_FOUND if the history view knows no such ledger. Asked only where nothing was
 * found in it.
 */
export async function requireLedger(context: QueryContext, ledgerId: string): Promise<void> {
  const partition = context.partitionOf(ledgerId);
  const { value } = await readView(context.history, (view) => view.ledger(partition, ledgerId));
  if (value === undefined) throw ledgerNotFound(ledgerId);
}

/**
 * The same for reads that do not go to the history view: a ledger begins with the first of its events in the
 * log.
 * @throws CallError LEDGER_NOT_FOUND
 */
export async function requireLedgerInLog(
  context: Pick<QueryContext, 'log'>,
  ledgerId: string,
): Promise<void> {
  const events = await context.log.page({ after: -1n, through: null, limit: 1, ledgerId, streamId: null });
  if (events.length === 0) throw ledgerNotFound(ledgerId);
}

/** The point of the log at a position that a view has reached. */
export async function pointAt({ log }: Pick<QueryContext, 'log'>, position: bigint): Promise<LogPoint> {
  const found = await log.at(position);
  if (found === undefined) throw new Error('a position that a view has reached is in the log');
  return pointOf(found);
}

/**
 * The answer with a page of the rows: `size` of them, or fewer if the caller's door could not send them in one message.
 * `answerOf` makes the answer of the rows shown; `last` is the last of them if others follow. `rows` holds one more than the
 * page if there are more. One row fits into every answer.
 */
export async function answerWithPage<T, D extends DescMessage>(
  call: Pick<Call, 'fits'>,
  schema: D,
  { rows, size }: { readonly rows: readonly T[]; readonly size: number },
  answerOf: (shown: readonly T[], last: T | undefined) => Promise<MessageInitShape<D>>,
): Promise<MessageShape<D>> {
  for (let count = Math.min(size, rows.length); ; count = Math.ceil(count / 2)) {
    const shown = rows.slice(0, count);
    const answer = create(schema, await answerOf(shown, rows.length > count ? shown.at(-1) : undefined));
    if (count <= 1 || call.fits(answer)) return answer;
  }
}

/** The token of the next page: bound to the query, pinned to what the first page was as of. */
export async function nextPageToken(
  context: QueryContext,
  pinned: LogPoint | PageToken,
  fingerprint: Uint8Array,
  cursor: readonly CursorPart[],
): Promise<string> {
  const { epoch, position, hash, recordedTime } = pinned;
  return encodePageToken({
    logId: await context.freshness.logId(),
    shard: context.log.shard,
    epoch,
    position,
    hash,
    recordedTime,
    fingerprint,
    cursor,
  });
}

/**
 * The index of an entry in a cursor.
 * @throws CallError INVALID_PAGE_TOKEN for a forged one that no entry has.
 */
export function entryIndexOf(part: bigint): number {
  if (part >= 0n && part < ENTRIES_MAX) return Number(part);
  throw fail(ErrorReason.INVALID_PAGE_TOKEN, 'page_token: not a token of this server', {
    fields: [{ field: 'page_token', description: 'not a token of this server' }],
  });
}

/** An entry as lists and statements show it. */
export function entryRecordOf(row: EntryRow): EntryRecord {
  const { entry, transactionId, kind, position } = row;
  return create(EntryRecordSchema, {
    entry,
    transactionId,
    kind,
    position,
    effectiveTime: timestampOf(row.effectiveTime),
    recordedTime: timestampOf(row.recordedTime),
  });
}
