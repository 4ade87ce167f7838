/** The state of an account from the texts that a store gives. */
import type { AccountStatus, AccountType, FreezeScope } from '../../../gen/quittance/common/v1/account_pb.js';
import type { AccountState } from '../../../gen/quittance/event/v1/event_pb.js';
import { accountStateOf } from '../../log/account-state.js';

/** Enums, amounts in minor units and the version, in decimal digits; the currency as it is. */
export interface AccountFigures {
  readonly type: string;
  readonly currency: string;
  readonly status: string;
  readonly freezeScope: string;
  readonly overdraftLimit: string;
  readonly credits: string;
  readonly debits: string;
  readonly held: string;
  readonly version: string;
  /** Bytes of event.v1.AccountLimits. */
  readonly limits: Uint8Array | null;
}

export function accountState(accountId: string, figures: AccountFigures): AccountState {
  return accountStateOf({
    account_id: accountId,
    type: numberOf(figures.type) as AccountType,
    currency: figures.currency,
    status: numberOf(figures.status) as AccountStatus,
    freeze_scope: numberOf(figures.freezeScope) as FreezeScope,
    overdraft_limit: BigInt(figures.overdraftLimit),
    credits: BigInt(figures.credits),
    debits: BigInt(figures.debits),
    held: BigInt(figures.held),
    version: BigInt(figures.version),
    limits: figures.limits,
  });
}

/** The number of an enum value. The writer of the view lets only known values pass. */
function numberOf(text: string): unknown {
  return Number(text);
}
