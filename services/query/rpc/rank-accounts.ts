import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { RankBy, type ReportQueryService } from '../../../gen/quittance/query/v1/report_query_service_pb.js';
import { codeOf, knownExponent } from '../../../lib/base/currency.js';
import { fail } from '../../../lib/rpc/errors.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import type { RankQuery } from '../../../lib/views/reports/view.js';
import type { QueryContext } from '../context.js';
import { requestedRange } from '../times.js';
import { requestedUnit } from './currency-unit.js';
import { basisOf, readReport, reportEnd } from './report-answers.js';

const DEFAULT_LIMIT = 10;

/** RankAccounts: the LIABILITY accounts of a currency with the largest figures first, equal ones by id. */
export function rankAccounts(
  context: QueryContext,
): MethodFunction<(typeof ReportQueryService)['method']['rankAccounts']> {
  return async (request, call) => {
    const currency = await requestedUnit(context, request);
    const range = requestedRange('start_time', request.startTime, 'end_time', request.endTime);
    const basis = basisOf(request.timeBasis);
    const by = figureOf(request.rankBy);
    const limit = request.limit === 0 ? DEFAULT_LIMIT : request.limit;
    const read = await readReport(context, request, call, (view, scope) =>
      view.rank({ ...scope, currency, basis, ...range, by, limit }),
    );
    return {
      currency: codeOf(currency),
      exponent: knownExponent(currency),
      accounts: read.value.map(({ accountId, debits, credits, count }, index) => ({
        rank: index + 1,
        accountId,
        count,
        debits: String(debits),
        credits: String(credits),
        posted: String(credits - debits),
      })),
      ...(await reportEnd(context, request.ledgerId, read.asOf, basis, range.to)),
    };
  };
}

function figureOf(rankBy: RankBy): RankQuery['by'] {
  switch (rankBy) {
    case RankBy.DEBITS:
      return 'debits';
    case RankBy.CREDITS:
      return 'credits';
    case RankBy.COUNT:
      return 'count';
    case RankBy.POSTED:
      return 'posted';
    default:
      throw invalid(ErrorReason.INVALID_FIELD, 'rank_by', 'says what to rank by');
  }
}

function invalid(reason: ErrorReason, field: string, description: string) {
  return fail(reason, `${field} ${description}`, { fields: [{ field, description }] });
}
