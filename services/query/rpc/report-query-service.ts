/** quittance.query.v1.ReportQueryService, for the doors to mount. */
import { ReportQueryService } from '../../../gen/quittance/query/v1/report_query_service_pb.js';
import { implement, type Service } from '../../../lib/rpc/service.js';
import type { QueryContext } from '../context.js';
import { getBalanceHistory } from './get-balance-history.js';
import { getTrialBalance } from './get-trial-balance.js';
import { rankAccounts } from './rank-accounts.js';
import { summarizeCashFlow } from './summarize-cash-flow.js';
import { summarizeDeclines } from './summarize-declines.js';
import { summarizeVolume } from './summarize-volume.js';

/** The service over the reports view; the log and the history view say what is not there. */
export function reportQueryService(context: QueryContext): Service {
  return implement(ReportQueryService, {
    getTrialBalance: getTrialBalance(context),
    summarizeVolume: summarizeVolume(context),
    summarizeDeclines: summarizeDeclines(context),
    rankAccounts: rankAccounts(context),
    summarizeCashFlow: summarizeCashFlow(context),
    getBalanceHistory: getBalanceHistory(context),
  });
}
