import {
  type LedgerQueryService,
  ListAssetsRequestSchema,
  ListAssetsResponseSchema,
} from '../../../gen/quittance/query/v1/ledger_query_service_pb.js';
import { AccountStatus, AccountType } from '../../../gen/quittance/common/v1/account_pb.js';
import { unitOf } from '../../../lib/base/currency.js';
import { microsOf } from '../../../lib/base/time.js';
import { assetOf } from '../../../lib/log/asset-of.js';
import { SETTLEMENT_PREFIX } from '../../../lib/log/settlement-account.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import { decodePageToken, queryFingerprint } from '../../../lib/rpc/tokens.js';
import type { OpenedAccount } from '../../../lib/views/history/view.js';
import { asOf } from '../consistency.js';
import { type QueryContext, readView } from '../context.js';
import { answerWithPage, nextPageToken, pageSizeOf, requireLedger } from './answers.js';

/**
 * ListAssets: in order of position, from the settlement accounts in the history view; all pages are as of the first one's
 * position.
 */
export function listAssets(
  context: QueryContext,
): MethodFunction<(typeof LedgerQueryService)['method']['listAssets']> {
  return async (request, call) => {
    const { ledgerId, consistency } = request;
    const partition = context.partitionOf(ledgerId);
    const fingerprint = queryFingerprint(ListAssetsRequestSchema, request);
    const page =
      request.pageToken === '' ? undefined : decodePageToken(request.pageToken, fingerprint, ['bigint']);
    await context.freshness.reach(context.history, partition, { ledgerId, consistency, page }, call);
    const size = pageSizeOf(request.pageSize);
    const read = await readView(context.history, (view) =>
      view.accounts({
        partition,
        ledgerId,
        currency: '',
        type: AccountType.UNSPECIFIED,
        status: AccountStatus.UNSPECIFIED,
        ownerReference: '',
        idPrefix: SETTLEMENT_PREFIX,
        through: page?.position ?? null,
        after: page?.cursor[0] ?? null,
        limit: size + 1,
      }),
    );
    if (read.value.length === 0) await requireLedger(context, ledgerId);
    const pinned = page ?? read.asOf;
    const rows = { rows: read.value, size };
    return await answerWithPage(call, ListAssetsResponseSchema, rows, async (shown, last) => ({
      assets: shown.map(assetIn),
      nextPageToken: last ? await nextPageToken(context, pinned, fingerprint, [last.openedAt]) : '',
      asOf: await asOf(context, pinned),
    }));
  };
}

function assetIn({ account, openedAt: position }: OpenedAccount) {
  const { ledgerId, currency, balance, name, openTime } = account;
  if (balance === undefined || openTime === undefined) throw new Error('the history view knows both');
  const unit = unitOf(currency, balance.exponent);
  return assetOf({ ledgerId, unit, name, createTime: microsOf(openTime), position });
}
