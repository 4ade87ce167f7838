import {
  type AccountQueryService,
  type ListAccountsRequest,
  ListAccountsRequestSchema,
  ListAccountsResponseSchema,
} from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import type { OpenedAccount } from '../../../lib/views/history/view.js';
import { type QueryContext, readView } from '../context.js';
import { requestedUnit } from './currency-unit.js';
import { filteredPage, type RowSource } from './filtered-page.js';
import { answerWithList } from './history-list.js';
import { hasMetadata, isInRange, unitRange } from './row-filters.js';

/** ListAccounts: in order of opening, from the history view; all pages are as of the first one's position. */
export function listAccounts(
  context: QueryContext,
): MethodFunction<(typeof AccountQueryService)['method']['listAccounts']> {
  return async (request, call) => {
    const { ledgerId, accountIdPrefix: idPrefix, type, status, ownerReference } = request;
    const isShown = filterOf(request);
    return await answerWithList(context, request, call, {
      requestSchema: ListAccountsRequestSchema,
      answerSchema: ListAccountsResponseSchema,
      cursor: ['bigint'],
      keyIn: ([openedAt]) => openedAt,
      cursorAt: (openedAt) => [openedAt],
      page: async (partition, start) => {
        const currency = await requestedUnit(context, request);
        const listing = { partition, ledgerId, currency, type, status, ownerReference, idPrefix };
        const source: RowSource<OpenedAccount, OpenedAccount, bigint> = {
          read: (at) => readView(context.history, (view) => view.accounts({ ...listing, ...at })),
          keyAfter: ({ openedAt }) => openedAt,
          shown: (opened) => (isShown === undefined || isShown(opened) ? [opened] : []),
          isFiltered: isShown !== undefined,
        };
        return filteredPage(source, start);
      },
      keyAfter: ({ openedAt }) => openedAt,
      answerOf: (rows, end) => ({ accounts: rows.map(({ account }) => account), ...end }),
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
