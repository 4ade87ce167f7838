import type { LedgerQueryService } from '../../../gen/quittance/query/v1/ledger_query_service_pb.js';
import { ledgerNotFound } from '../../../lib/rpc/ledger-not-found.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import { asOf } from '../consistency.js';
import { type QueryContext, readView } from '../context.js';
import { closedAt } from './closed-period.js';

/** GetLedger, from the history view. */
export function getLedger(
  context: QueryContext,
): MethodFunction<(typeof LedgerQueryService)['method']['getLedger']> {
  return async ({ ledgerId, consistency }, call) => {
    const partition = context.partitionOf(ledgerId);
    await context.freshness.reach(context.history, partition, { ledgerId, consistency }, call);
    const read = await readView(context.history, (view) => view.ledger(partition, ledgerId));
    const { value: ledger } = read;
    if (ledger === undefined) throw ledgerNotFound(ledgerId);
    const [shownAsOf, { closedThrough, closedPeriod }] = await Promise.all([
      asOf(context, read.asOf),
      closedAt(context, ledgerId, read.asOf.position),
    ]);
    return {
      ledger: closedThrough === undefined ? ledger : { ...ledger, closedThrough },
      asOf: shownAsOf,
      closedPeriod,
    };
  };
}
