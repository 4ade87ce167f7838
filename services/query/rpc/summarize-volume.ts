import type { ReportQueryService } from '../../../gen/quittance/query/v1/report_query_service_pb.js';
import { codeOf, knownExponent } from '../../../lib/base/currency.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import type { QueryContext } from '../context.js';
import { bucketBounds, intoBuckets } from './buckets.js';
import { requestedUnit } from './currency-unit.js';
import { basisOf, readReport, reportEnd } from './report-answers.js';

/** SummarizeVolume: POSTED transactions by bucket, currency and kind; nothing is netted. */
export function summarizeVolume(
  context: QueryContext,
): MethodFunction<(typeof ReportQueryService)['method']['summarizeVolume']> {
  return async (request, call) => {
    const currency = await requestedUnit(context, request);
    const bounds = bucketBounds(request.buckets);
    const basis = basisOf(request.timeBasis);
    const read = await readReport(context, request, call, (view, scope) =>
      view.volume({ ...scope, currency, basis, bounds }),
    );
    return {
      buckets: intoBuckets(bounds, read.value, (row) => ({
        kind: row.kind,
        currency: codeOf(row.currency),
        exponent: knownExponent(row.currency),
        count: row.count,
        volume: String(row.volume),
      })),
      ...(await reportEnd(context, request.ledgerId, read.asOf, basis, bounds.at(-1))),
    };
  };
}
