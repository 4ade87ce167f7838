/** What all lists of the history view have in common; their pages are as of the first one's position. */
import type { DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import type { AsOf, Consistency } from '../../../gen/quittance/common/v1/consistency_pb.js';
import type { Call } from '../../../lib/rpc/call.js';
import {
  type CursorOf,
  type CursorShape,
  decodePageToken,
  queryFingerprint,
} from '../../../lib/rpc/tokens.js';
import { asOf } from '../consistency.js';
import type { QueryContext } from '../context.js';
import { answerWithPage, nextPageToken, pageSizeOf, requireLedger } from './answers.js';
import type { FilteredPage, PageStart } from './filtered-page.js';

/** A request for a page of a list. */
export interface ListRequest {
  readonly ledgerId: string;
  readonly consistency?: Consistency | undefined;
  readonly pageToken: string;
  readonly pageSize: number;
}

/** What ends the answer of each list. */
export interface ListEnd {
  readonly nextPageToken: string;
  readonly asOf: AsOf;
}

/** One list: where its rows come from, and what its page tokens and its answers are made of. */
export interface HistoryList<
  Request extends DescMessage,
  Answer extends DescMessage,
  Shape extends CursorShape,
  Row,
  Key,
> {
  readonly requestSchema: Request;
  readonly answerSchema: Answer;
  /** What a page token holds. */
  readonly cursor: Shape;
  keyIn(cursor: CursorOf<Shape>): Key;
  cursorAt(key: Key): CursorOf<Shape>;
  /** Reads a page; called as soon as the view has what the request asks for. */
  page(partition: number, start: PageStart<Key>): Promise<FilteredPage<Row, Key>>;
  /** Where the list goes on after a row. */
  keyAfter(row: Row): Key;
  answerOf(rows: readonly Row[], end: ListEnd): MessageInitShape<Answer>;
}

/**
 * Answers with a page of a list.
 * @throws CallError INVALID_PAGE_TOKEN, LEDGER_NOT_FOUND, and what Freshness.reach throws
 */
export async function answerWithList<
  Request extends DescMessage,
  Answer extends DescMessage,
  const Shape extends CursorShape,
  Row,
  Key,
>(
  context: QueryContext,
  request: MessageShape<Request> & ListRequest,
  call: Call,
  list: HistoryList<Request, Answer, Shape, Row, Key>,
): Promise<MessageShape<Answer>> {
  const { ledgerId, consistency, pageToken } = request;
  const partition = context.partitionOf(ledgerId);
  const fingerprint = queryFingerprint(list.requestSchema, request);
  const page = pageToken === '' ? undefined : decodePageToken(pageToken, fingerprint, list.cursor);
  await context.freshness.reach(context.history, partition, { ledgerId, consistency, page }, call);
  const size = pageSizeOf(request.pageSize);
  const after = page === undefined ? null : list.keyIn(page.cursor);
  const found = await list.page(partition, { through: page?.position ?? null, after, size });
  if (found.rows.length === 0) await requireLedger(context, ledgerId);
  const pinned = page ?? found.asOf;
  const rows = { rows: found.rows, size };
  return answerWithPage(call, list.answerSchema, rows, async (shown, last) => {
    const key = last === undefined ? found.goesOnAfter : list.keyAfter(last);
    const token =
      key === undefined ? '' : await nextPageToken(context, pinned, fingerprint, list.cursorAt(key));
    return list.answerOf(shown, { nextPageToken: token, asOf: await asOf(context, pinned) });
  });
}
