import type { ReportQueryService } from '../../../gen/quittance/query/v1/report_query_service_pb.js';
import { codeOf, knownExponent } from '../../../lib/base/currency.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import type { QueryContext } from '../context.js';
import { bucketBounds, intoBuckets } from './buckets.js';
import { requestedUnit } from './currency-unit.js';
import { readReport, reportEnd } from './report-answers.js';

/** SummarizeDeclines: DECLINED transactions by bucket of recorded time, currency and reason. */
export function summarizeDeclines(
  context: QueryContext,
): MethodFunction<(typeof ReportQueryService)['method']['summarizeDeclines']> {
  return async (request, call) => {
    const currency = await requestedUnit(context, request);
    const bounds = bucketBounds(request.buckets);
    const read = await readReport(context, request, call, (view, scope) =>
      view.declines({ ...scope, currency, basis: 'recorded', bounds }),
    );
    return {
      buckets: intoBuckets(bounds, read.value, (row) => ({
        reason: row.reason,
        currency: codeOf(row.currency),
        exponent: knownExponent(row.currency),
        count: row.count,
        volume: String(row.volume),
      })),
      ...(await reportEnd(context, request.ledgerId, read.asOf, 'recorded', bounds.at(-1))),
    };
  };
}
