import {
  type AccountQueryService,
  type ListAccountsRequest,
  ListAccountsRequestSchema,
  ListAccountsResponseSchema,
} from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import { decodePageToken, queryFingerprint } from '../../../lib/rpc/tokens.js';
import type { OpenedAccount } from '../../../lib/views/history/view.js';
import { asOf } from '../consistency.js';
import { type QueryContext, readView } from '../context.js';
import { requestedUnit } from './currency-unit.js';
import { answerWithPage, nextPageToken, pageSizeOf, requireLedger } from './answers.js';
import { filteredPage, type RowSource } from './filtered-page.js';
import { hasMetadata, isInRange, unitRange } from './row-filters.js';

/** ListAccounts: in order of opening, from the history view; all pages are as of the first one's position. */
export function listAccounts(
  context: QueryContext,
): MethodFunction<(typeof AccountQueryService)['method']['listAccounts']> {
  return async (request, call) => {
    const { ledgerId, consistency, accountIdPrefix, type, status, ownerReference } = request;
    const partition = context.partitionOf(ledgerId);
    const isShown = filterOf(request);
    const fingerprint = queryFingerprint(ListAccountsRequestSchema, request);
    const page =
      request.pageToken === '' ? undefined : decodePageToken(request.pageToken, fingerprint, ['bigint']);
    await context.freshness.reach(context.history, partition, { ledgerId, consistency, page }, call);
    const currency = await requestedUnit(context, request);
    const size = pageSizeOf(request.pageSize);
    const listing = { partition, ledgerId, currency, type, status, ownerReference };
    const source: RowSource<OpenedAccount, OpenedAccount, bigint> = {
      read: (at) =>
        readView(context.history, (view) => view.accounts({ ...listing, idPrefix: accountIdPrefix, ...at })),
      keyAfter: ({ openedAt }) => openedAt,
      shown: (opened) => (isShown === undefined || isShown(opened) ? [opened] : []),
      isFiltered: isShown !== undefined,
    };
    const start = { through: page?.position ?? null, after: page?.cursor[0] ?? null, size };
    const found = await filteredPage(source, start);
    if (found.rows.length === 0) await requireLedger(context, ledgerId);
    const pinned = page ?? found.asOf;
    const rows = { rows: found.rows, size };
    return await answerWithPage(call, ListAccountsResponseSchema, rows, async (shown, last) => {
      const after = last?.openedAt ?? found.goesOnAfter;
      return {
        accounts: shown.map(({ account }) => account),
        nextPageToken: after === undefined ? '' : await nextPageToken(context, pinned, fingerprint, [after]),
        asOf: await asOf(context, pinned),
      };
    });
  };
}

/** What no index answers; undefined: nothing of the kind is asked for. */
function filterOf({
  minPosted,
  maxPosted,
  metadata,
}: ListAccountsRequest): ((opened: OpenedAccount) => boolean) | undefined {
  const range = unitRange('max_posted', 'min_posted', { min: minPosted, max: maxPosted });
  if (minPosted === undefined && maxPosted === undefined && metadata.length === 0) return undefined;
  return ({ account }) =>
    isInRange(account.balance?.posted ?? 0n, range) && hasMetadata(account.metadata, metadata);
}
