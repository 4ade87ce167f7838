import type { Account } from '../../../gen/quittance/common/v1/account_pb.js';
import type { ReportQueryService } from '../../../gen/quittance/query/v1/report_query_service_pb.js';
import { INT64_MIN } from '../../../lib/base/bigints.js';
import { codeOf, knownExponent } from '../../../lib/base/currency.js';
import { timestampOf } from '../../../lib/base/time.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import type { CashFlowRow } from '../../../lib/views/reports/view.js';
import type { QueryContext } from '../context.js';
import { bucketBounds } from './buckets.js';
import { accountWithoutEntries, basisOf, readReport, reportEnd } from './report-answers.js';

/**
 * GetBalanceHistory, from the reports view: what moved the account before the range and in each bucket, in one read, so that the
 * balances are sums of one snapshot.
 */
export function getBalanceHistory(
  context: QueryContext,
): MethodFunction<(typeof ReportQueryService)['method']['getBalanceHistory']> {
  return async (request, call) => {
    const { accountId } = request;
    const bounds = bucketBounds(request.buckets);
    const basis = basisOf(request.timeBasis);
    const read = await readReport(context, request, call, (view, scope) =>
      view.cashFlow({ ...scope, currency: '', basis, bounds: [INT64_MIN, ...bounds], accountId }),
    );
    const [first] = read.value;
    const unit =
      first === undefined
        ? ofAccount(await accountWithoutEntries(context, request, call))
        : { currency: codeOf(first.currency), exponent: knownExponent(first.currency) };
    return {
      accountId,
      ...unit,
      buckets: balancesIn(bounds, read.value),
      ...(await reportEnd(context, request.ledgerId, read.asOf, basis, bounds.at(-1))),
    };
  };
}

function ofAccount({ currency, balance }: Account) {
  return { currency, exponent: balance?.exponent ?? 0 };
}

/** Bucket 0 of the rows is all before the first bound, so that bucket n of them begins with bound n - 1. */
function balancesIn(bounds: readonly bigint[], rows: readonly CashFlowRow[]) {
  const sums = bounds.map(() => ({ debits: 0n, credits: 0n }));
  for (const { bucket, debits, credits } of rows) {
    const sum = sums[bucket];
    if (sum === undefined) throw new Error('the reports view answered with a bucket that was not asked for');
    sum.debits += debits;
    sum.credits += credits;
  }
  const [before, ...moved] = sums;
  let balance = before === undefined ? 0n : before.credits - before.debits;
  return moved.map(({ debits, credits }, index) => {
    const opening = balance;
    balance += credits - debits;
    return {
      startTime: timestampOf(bounds[index] ?? 0n),
      endTime: timestampOf(bounds[index + 1] ?? 0n),
      opening: String(opening),
      debits: String(debits),
      credits: String(credits),
      closing: String(balance),
    };
  });
}
