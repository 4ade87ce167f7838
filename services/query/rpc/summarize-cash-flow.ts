import type { ReportQueryService } from '../../../gen/quittance/query/v1/report_query_service_pb.js';
import { codeOf, knownExponent } from '../../../lib/base/currency.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import type { QueryContext } from '../context.js';
import { bucketBounds, intoBuckets } from './buckets.js';
import { requestedUnit } from './currency-unit.js';
import { accountWithoutEntries, basisOf, readReport, reportEnd } from './report-answers.js';

/**
 * SummarizeCashFlow: in and out of the ASSET accounts by bucket, currency and kind. These are debit-normal: a
 * debit is money that came in. With account_id it is seen from the holder's side: a credit is money that came
 * in.
 */
export function summarizeCashFlow(
  context: QueryContext,
): MethodFunction<(typeof ReportQueryService)['method']['summarizeCashFlow']> {
  return async (request, call) => {
    const currency = await requestedUnit(context, request);
    const bounds = bucketBounds(request.buckets);
    const basis = basisOf(request.timeBasis);
    const accountId = request.accountId === '' ? null : request.accountId;
    const read = await readReport(context, request, call, (view, scope) =>
      view.cashFlow({ ...scope, currency, basis, bounds, accountId }),
    );
    if (accountId !== null && read.value.length === 0) await accountWithoutEntries(context, request, call);
    return {
      buckets: intoBuckets(bounds, read.value, ({ kind, currency, debits, credits }) => ({
        kind,
        currency: codeOf(currency),
        exponent: knownExponent(currency),
        inflow: String(accountId === null ? debits : credits),
        outflow: String(accountId === null ? credits : debits),
      })),
      ...(await reportEnd(context, request.ledgerId, read.asOf, basis, bounds.at(-1))),
    };
  };
}
