/** The balances view: each account's latest state, for fast look-ups. */
import type { AccountState } from '../../../gen/quittance/event/v1/event_pb.js';
import type { Read, View } from '../view.js';

/** An account's latest state and the position of the event that left it so. */
export interface BalanceRow {
  readonly state: AccountState;
  readonly position: bigint;
}

export interface BalancesView extends View {
  readonly id: 'balances';
  /** One round trip. In the order asked for; undefined where the account does not exist. */
  balances(
    partition: number,
    ledgerId: string,
    accountIds: readonly string[],
  ): Promise<Read<readonly (BalanceRow | undefined)[]>>;
}
