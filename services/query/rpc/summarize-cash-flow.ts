import type { ReportQueryService } from '../../../gen/quittance/query/v1/report_query_service_pb.js';
import type { SummarizeCashFlowRequest } from '../../../gen/quittance/query/v1/report_query_service_pb.js';
import type { Call } from '../../../lib/rpc/call.js';
import { codeOf, knownExponent } from '../../../lib/base/currency.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import { type QueryContext, readView } from '../context.js';
import { accountNotFound } from './answers.js';
import { bucketBounds, intoBuckets } from './buckets.js';
import { requestedUnit } from './currency-unit.js';
import { basisOf, readReport, reportAsOf } from './report-answers.js';

/**
 * SummarizeCashFlow: in and out of the ASSET accounts by bucket, currency and kind. These are debit-normal: a
 * debit is money that came in. With account_id it is seen from the holder's side: a credit is money that came
 * in.
 */
export function summarizeCashFlow(
  context: QueryContext,
): MethodFunction<(typeof ReportQueryService)['method']['summarizeCashFlow']> {
  return async (request, call) => {
    const { ledgerId } = request;
    const currency = await requestedUnit(context, request);
    const bounds = bucketBounds(request.buckets);
    const basis = basisOf(request.timeBasis);
    const accountId = request.accountId === '' ? null : request.accountId;
    const read = await readReport(context, request, call, (view, partition) =>
      view.cashFlow({ partition, ledgerId, currency, basis, bounds, accountId, through: null }),
    );
    if (accountId !== null && read.value.length === 0) await requireAccount(context, request, call);
    return {
      buckets: intoBuckets(bounds, read.value, ({ kind, currency, debits, credits }) => ({
        kind,
        currency: codeOf(currency),
        exponent: knownExponent(currency),
        inflow: String(accountId === null ? debits : credits),
        outflow: String(accountId === null ? credits : debits),
      })),
      asOf: await reportAsOf(context, read.asOf, basis, bounds.at(-1)),
    };
  };
}

/**
 * An account without entries is in no report: the history view knows it, once it is as fresh as the caller
 * asks.
 */
async function requireAccount(
  context: QueryContext,
  { ledgerId, accountId, consistency }: SummarizeCashFlowRequest,
  call: Call,
): Promise<void> {
  const partition = context.partitionOf(ledgerId);
  await context.freshness.reach(context.history, partition, { ledgerId, consistency }, call);
  const { value } = await readView(context.history, (view) => view.account(partition, ledgerId, accountId));
  if (value === undefined) throw accountNotFound(accountId);
}
