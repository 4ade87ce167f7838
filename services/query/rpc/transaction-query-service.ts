/** quittance.query.v1.TransactionQueryService, for the doors to mount. */
import { TransactionQueryService } from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { implement, type Service } from '../../../lib/rpc/service.js';
import type { QueryContext } from '../context.js';
import { getStatement } from './get-statement.js';
import { getTransaction } from './get-transaction.js';
import { listEntries } from './list-entries.js';
import { listPayments } from './list-payments.js';
import { listTransactions } from './list-transactions.js';
import { watchTransactions } from './watch-transactions.js';

/** The service over the history view and the log. */
export function transactionQueryService(context: QueryContext): Service {
  return implement(TransactionQueryService, {
    getTransaction: getTransaction(context),
    listTransactions: listTransactions(context),
    listPayments: listPayments(context),
    listEntries: listEntries(context),
    watchTransactions: watchTransactions(context),
    getStatement: getStatement(context),
  });
}
