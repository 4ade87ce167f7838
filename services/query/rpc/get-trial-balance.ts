import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import {
  type GetTrialBalanceRequest,
  GetTrialBalanceRequestSchema,
  GetTrialBalanceResponseSchema,
  type ReportQueryService,
  TrialBalanceGrouping,
} from '../../../gen/quittance/query/v1/report_query_service_pb.js';
import { codeOf, knownExponent } from '../../../lib/base/currency.js';
import { fail } from '../../../lib/rpc/errors.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import { decodePageToken, queryFingerprint } from '../../../lib/rpc/tokens.js';
import { AccountType } from '../../../gen/quittance/common/v1/account_pb.js';
import type { TrialBalanceGroup, TrialBalanceQuery } from '../../../lib/views/reports/view.js';
import { type QueryContext, readView } from '../context.js';
import { optionalTime } from '../times.js';
import { answerWithPage, nextPageToken, pageSizeOf, pointAt, requireLedgerInLog } from './answers.js';
import { requestedUnit } from './currency-unit.js';
import { basisOf, reportEnd } from './report-answers.js';

/** What a page token of a trial balance holds: currency and key of the last row sent. */
const CURSOR = ['string', 'string'] as const;

/**
 * GetTrialBalance, from the reports view. It is pinned to the position that the caller names, else to what
 * its first page was as of, so that the pages together sum up to the totals on each.
 */
export function getTrialBalance(
  context: QueryContext,
): MethodFunction<(typeof ReportQueryService)['method']['getTrialBalance']> {
  return async (request, call) => {
    const { ledgerId, consistency, pageToken } = request;
    const partition = context.partitionOf(ledgerId);
    const before = optionalTime('end_time', request.endTime);
    const basis = basisOf(request.timeBasis);
    const groupBy = groupingOf(request);
    const fingerprint = queryFingerprint(GetTrialBalanceRequestSchema, request);
    const page = pageToken === '' ? undefined : decodePageToken(pageToken, fingerprint, CURSOR);
    const position = request.position === 0n ? undefined : request.position;
    await context.freshness.reach(
      context.reports,
      partition,
      { ledgerId, consistency, page, position },
      call,
    );
    const currency = await requestedUnit(context, request);
    const pin = page ?? (position === undefined ? undefined : await pointAt(context, position));
    const size = pageSizeOf(request.pageSize);
    const read = await readView(context.reports, (view) =>
      view.trialBalance({
        partition,
        ledgerId,
        currency,
        basis,
        before,
        groupBy,
        through: pin?.position ?? null,
        after: page === undefined ? null : keyOf(page.cursor),
        limit: size + 1,
      }),
    );
    const { rows, totals } = read.value;
    if (totals.length === 0) await requireLedgerInLog(context, ledgerId);
    const pinned = pin ?? read.asOf;
    const end = await reportEnd(context, ledgerId, pinned, basis, before);
    return await answerWithPage(call, GetTrialBalanceResponseSchema, { rows, size }, async (shown, last) => {
      const cursor = last && [last.currency, last.key];
      return {
        rows: shown.map(({ key, type, ...sums }) => ({
          key,
          accountType: type,
          net: String(sums.credits - sums.debits),
          ...sumsOf(sums),
        })),
        totals: totals.map(sumsOf),
        nextPageToken: cursor ? await nextPageToken(context, pinned, fingerprint, cursor) : '',
        ...end,
      };
    });
  };
}

/** @throws CallError INVALID_FIELD for a depth of what has none */
function groupingOf({ groupBy, depth }: GetTrialBalanceRequest): TrialBalanceGroup {
  if (groupBy === TrialBalanceGrouping.ID_PREFIX) return { prefix: depth === 0 ? 1 : depth };
  if (depth !== 0) {
    const description = 'goes with group_by ID_PREFIX alone';
    throw fail(ErrorReason.INVALID_FIELD, `depth: ${description}`, {
      fields: [{ field: 'depth', description }],
    });
  }
  switch (groupBy) {
    case TrialBalanceGrouping.UNSPECIFIED:
    case TrialBalanceGrouping.ACCOUNT_TYPE:
      return 'type';
    case TrialBalanceGrouping.ACCOUNT:
      return 'account';
    default: {
      const never: never = groupBy;
      throw new RangeError(`unknown grouping ${String(never)}`);
    }
  }
}

/** Rows differ in currency and key alone: the type of a group follows from its accounts. */
function keyOf([currency, key]: readonly [string, string]): TrialBalanceQuery['after'] {
  return { currency, key, type: AccountType.UNSPECIFIED };
}

function sumsOf(sums: { readonly currency: string; readonly debits: bigint; readonly credits: bigint }) {
  const { currency, debits, credits } = sums;
  return {
    currency: codeOf(currency),
    exponent: knownExponent(currency),
    debits: String(debits),
    credits: String(credits),
  };
}
