import type { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import { asOf } from '../consistency.js';
import { type QueryContext, readView } from '../context.js';
import { accountNotFound, requireLedger } from './answers.js';

/** GetAccount: the account with profile and balance, from the history view. */
export function getAccount(
  context: QueryContext,
): MethodFunction<(typeof AccountQueryService)['method']['getAccount']> {
  return async ({ ledgerId, accountId, consistency }, call) => {
    const partition = context.partitionOf(ledgerId);
    await context.freshness.reach(context.history, partition, { ledgerId, consistency }, call);
    const read = await readView(context.history, (view) => view.account(partition, ledgerId, accountId));
    if (read.value === undefined) {
      await requireLedger(context, ledgerId);
      throw accountNotFound(accountId);
    }
    return { account: read.value, asOf: await asOf(context, read.asOf) };
  };
}
