import type { TransactionQueryService } from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import { asOf } from '../consistency.js';
import { type QueryContext, readView } from '../context.js';
import { requireLedger, transactionNotFound } from './answers.js';

/** GetTransaction, from the history view. */
export function getTransaction(
  context: QueryContext,
): MethodFunction<(typeof TransactionQueryService)['method']['getTransaction']> {
  return async ({ ledgerId, transactionId, consistency }, call) => {
    const partition = context.partitionOf(ledgerId);
    await context.freshness.reach(context.history, partition, { ledgerId, consistency }, call);
    const read = await readView(context.history, (view) =>
      view.transaction(partition, ledgerId, transactionId),
    );
    if (read.value === undefined) {
      await requireLedger(context, ledgerId);
      throw transactionNotFound(transactionId);
    }
    return { transaction: read.value, asOf: await asOf(context, read.asOf) };
  };
}
