import {
  type AccountQueryService,
  ListAccountsRequestSchema,
  ListAccountsResponseSchema,
} from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import { decodePageToken, queryFingerprint } from '../../../lib/rpc/tokens.js';
import { asOf } from '../consistency.js';
import { type QueryContext, readView } from '../context.js';
import { requestedUnit } from './currency-unit.js';
import { answerWithPage, nextPageToken, pageSizeOf, requireLedger } from './answers.js';

/** ListAccounts: in order of opening, from the history view; all pages are as of the first one's position. */
export function listAccounts(
  context: QueryContext,
): MethodFunction<(typeof AccountQueryService)['method']['listAccounts']> {
  return async (request, call) => {
    const { ledgerId, consistency, accountIdPrefix, type, status, ownerReference } = request;
    const partition = context.partitionOf(ledgerId);
    const fingerprint = queryFingerprint(ListAccountsRequestSchema, request);
    const page =
      request.pageToken === '' ? undefined : decodePageToken(request.pageToken, fingerprint, ['bigint']);
    await context.freshness.reach(context.history, partition, { ledgerId, consistency, page }, call);
    const currency = await requestedUnit(context, request);
    const size = pageSizeOf(request.pageSize);
    const read = await readView(context.history, (view) =>
      view.accounts({
        partition,
        ledgerId,
        currency,
        type,
        status,
        ownerReference,
        idPrefix: accountIdPrefix,
        through: page?.position ?? null,
        after: page?.cursor[0] ?? null,
        limit: size + 1,
      }),
    );
    if (read.value.length === 0) await requireLedger(context, ledgerId);
    const pinned = page ?? read.asOf;
    const rows = { rows: read.value, size };
    return await answerWithPage(call, ListAccountsResponseSchema, rows, async (shown, last) => ({
      accounts: shown.map(({ account }) => account),
      nextPageToken: last ? await nextPageToken(context, pinned, fingerprint, [last.openedAt]) : '',
      asOf: await asOf(context, pinned),
    }));
  };
}
