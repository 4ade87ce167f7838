/** What an event says of accounts. */
import { type Account, AccountType, type Balance } from '../../gen/quittance/common/v1/account_pb.js';
import type * as log from '../../gen/quittance/event/v1/event_pb.js';
import { codeOf, knownExponent } from '../base/currency.js';
import { limitsOf, limitUsesOf } from './limits-of.js';

/**
 * The accounts that an event changed, each as it is after the event. Of a declined transaction none: nothing
 * changed.
 */
export function accountsChangedBy(event: log.Event): readonly log.AccountState[] {
  const payload = event.payload;
  switch (payload.case) {
    case 'assetRegistered':
    case 'accountOpened':
    case 'accountUpdated':
    case 'accountFrozen':
    case 'accountUnfrozen':
    case 'accountClosed':
      return payload.value.account === undefined ? [] : [payload.value.account];
    case 'transactionPosted':
    case 'paymentAuthorized':
    case 'paymentAdjusted':
    case 'paymentVoided':
    case 'paymentExpired':
      return payload.value.accounts;
    default:
      return [];
  }
}

/** The profile that an event left an account with; undefined if it says nothing of one. */
export function profileOf(event: log.Event): log.AccountProfile | undefined {
  const payload = event.payload;
  switch (payload.case) {
    case 'assetRegistered':
    case 'accountOpened':
    case 'accountUpdated':
      return payload.value.profile;
    default:
      return undefined;
  }
}

/** The balance of an account as the API shows it. */
export function balanceOf(state: log.AccountState, position: bigint): Balance {
  const posted = state.credits - state.debits;
  const balance: Balance = {
    $typeName: 'quittance.common.v1.Balance',
    accountId: state.accountId,
    currency: codeOf(state.currency),
    exponent: knownExponent(state.currency),
    posted,
    held: state.held,
    credits: state.credits,
    debits: state.debits,
    version: state.version,
    position,
    limitUses: state.limits === undefined ? [] : limitUsesOf(state.limits),
  };
  // The others are unbounded and have no `available`.
  if (state.type === AccountType.LIABILITY) balance.available = posted - state.held + state.overdraftLimit;
  return balance;
}

/** An account as the API shows it; without a profile unless given. */
export function accountOf(
  ledgerId: string,
  state: log.AccountState,
  position: bigint,
  profile: log.AccountProfile | undefined,
): Account {
  const account: Account = {
    $typeName: 'quittance.common.v1.Account',
    ledgerId,
    accountId: state.accountId,
    type: state.type,
    currency: codeOf(state.currency),
    status: state.status,
    freezeScope: state.freezeScope,
    overdraftLimit: state.overdraftLimit,
    balance: balanceOf(state, position),
    name: '',
    ownerReference: '',
    metadata: {},
    profileVersion: 0n,
  };
  if (state.limits !== undefined) account.limits = limitsOf(state.limits);
  if (profile !== undefined) {
    account.name = profile.name;
    account.ownerReference = profile.ownerReference;
    account.metadata = profile.metadata;
    account.profileVersion = profile.profileVersion;
  }
  return account;
}
