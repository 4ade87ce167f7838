import type { Balance } from '../../../gen/quittance/common/v1/account_pb.js';
import type { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import { asOf } from '../consistency.js';
import { type QueryContext, readView } from '../context.js';
import { requireLedgerInLog } from './answers.js';

/**
 * BatchGetBalances: balances now, from the balances view, all as of one position. Unknown accounts are named.
 */
export function batchGetBalances(
  context: QueryContext,
): MethodFunction<(typeof AccountQueryService)['method']['batchGetBalances']> {
  return async ({ ledgerId, accountIds, consistency }, call) => {
    const partition = context.partitionOf(ledgerId);
    await context.freshness.reach(context.balances, partition, { ledgerId, consistency }, call);
    const read = await readView(context.balances, (view) => view.balances(partition, ledgerId, accountIds));
    const balances: Balance[] = [];
    const unknownAccountIds: string[] = [];
    for (const [index, accountId] of accountIds.entries()) {
      const balance = read.value[index];
      if (balance === undefined) unknownAccountIds.push(accountId);
      else balances.push(balance);
    }
    if (balances.length === 0) await requireLedgerInLog(context, ledgerId);
    return { balances, unknownAccountIds, asOf: await asOf(context, read.asOf) };
  };
}
