/**
 * Where balances as they are now are read: in the balances view. While that view does not exist (its store
 * was lost or never filled, and the projector builds it from the log), they are read in the history view,
 * whose latest row of an account says the same. A read there costs one look-up per account.
 */
import type { Balance } from '../../gen/quittance/common/v1/account_pb.js';
import { balanceOf } from '../../lib/log/account-of.js';
import type { BalancesView } from '../../lib/views/balances/view.js';
import type { HistoryView } from '../../lib/views/history/view.js';
import { type Read, ViewMissingError } from '../../lib/views/view.js';
import type { Generations, ReadableView } from './serving-view.js';

/** Reads of balances as they are now. */
export interface CurrentBalances extends ReadableView {
  /** All as of one position, in the order asked for; undefined where the account does not exist. */
  balances(
    partition: number,
    ledgerId: string,
    accountIds: readonly string[],
  ): Promise<Read<readonly (Balance | undefined)[]>>;
}

/** Look-ups in the history at the same time, per read. */
const PARALLEL = 16;

/** The balances view, or the history view while there is no balances view. */
export function currentBalances(
  balances: Generations<BalancesView>,
  history: Generations<HistoryView>,
): Generations<CurrentBalances> {
  return {
    async current() {
      try {
        return fromBalances(await balances.current());
      } catch (error) {
        if (!(error instanceof ViewMissingError)) throw error;
        // If there is no history either, the caller learns that the balances are missing.
        return fromHistory(await history.current().catch(() => Promise.reject(error)));
      }
    },
  };
}

function fromBalances(view: BalancesView): CurrentBalances {
  return {
    id: view.id,
    generation: view.generation,
    checkpoint: (partition) => view.checkpoint(partition),
    balances: async (partition, ledgerId, accountIds) => {
      const { value, asOf } = await view.balances(partition, ledgerId, accountIds);
      return { value: value.map((row) => row && balanceOf(row.state, row.position)), asOf };
    },
  };
}

function fromHistory(view: HistoryView): CurrentBalances {
  return {
    id: view.id,
    // Below zero: no generation of the balances view has such a number.
    generation: -1 - view.generation,
    checkpoint: (partition) => view.checkpoint(partition),
    balances: async (partition, ledgerId, accountIds) => {
      const asOf = await view.checkpoint(partition);
      const value: (Balance | undefined)[] = [];
      for (let at = 0; at < accountIds.length; at += PARALLEL) {
        const reads = accountIds
          .slice(at, at + PARALLEL)
          .map((accountId) => view.balanceAtPosition(partition, ledgerId, accountId, asOf.position));
        value.push(...(await Promise.all(reads)).map((read) => read.value));
      }
      return { value, asOf };
    },
  };
}
