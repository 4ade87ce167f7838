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
import type { OpenedAccount } from '../../../lib/views/history/view.js';
import { type QueryContext, readView } from '../context.js';
import { filteredPage, type RowSource } from './filtered-page.js';
import { answerWithList } from './history-list.js';

/**
 * ListAssets: in order of position, from the settlement accounts in the history view; all pages are as of the first one's
 * position.
 */
export function listAssets(
  context: QueryContext,
): MethodFunction<(typeof LedgerQueryService)['method']['listAssets']> {
  return (request, call) =>
    answerWithList(context, request, call, {
      requestSchema: ListAssetsRequestSchema,
      answerSchema: ListAssetsResponseSchema,
      cursor: ['bigint'],
      keyIn: ([openedAt]) => openedAt,
      cursorAt: (openedAt) => [openedAt],
      page: (partition, start) => filteredPage(sourceOf(context, partition, request.ledgerId), start),
      keyAfter: ({ openedAt }) => openedAt,
      answerOf: (rows, end) => ({ assets: rows.map(assetIn), ...end }),
    });
}

function sourceOf(
  context: QueryContext,
  partition: number,
  ledgerId: string,
): RowSource<OpenedAccount, OpenedAccount, bigint> {
  const listing = {
    partition,
    ledgerId,
    currency: '',
    type: AccountType.UNSPECIFIED,
    status: AccountStatus.UNSPECIFIED,
    ownerReference: '',
    idPrefix: SETTLEMENT_PREFIX,
  };
  return {
    read: (at) => readView(context.history, (view) => view.accounts({ ...listing, ...at })),
    keyAfter: ({ openedAt }) => openedAt,
    shown: (opened) => [opened],
    isFiltered: false,
  };
}

function assetIn({ account, openedAt: position }: OpenedAccount) {
  const { ledgerId, currency, balance, name, openTime } = account;
  if (balance === undefined || openTime === undefined) throw new Error('the history view knows both');
  const unit = unitOf(currency, balance.exponent);
  return assetOf({ ledgerId, unit, name, createTime: microsOf(openTime), position });
}
