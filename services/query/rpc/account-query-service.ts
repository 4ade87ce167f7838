/** quittance.query.v1.AccountQueryService, for the doors to mount. */
import { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import { implement, type Service } from '../../../lib/rpc/service.js';
import type { QueryContext } from '../context.js';
import { batchGetBalances } from './batch-get-balances.js';
import { getAccount } from './get-account.js';
import { getBalance } from './get-balance.js';
import { listAccounts } from './list-accounts.js';
import { watchBalances } from './watch-balances.js';

/** The service over the balances and history views. */
export function accountQueryService(context: QueryContext): Service {
  return implement(AccountQueryService, {
    getAccount: getAccount(context),
    listAccounts: listAccounts(context),
    getBalance: getBalance(context),
    batchGetBalances: batchGetBalances(context),
    watchBalances: watchBalances(context),
  });
}
