/** Accounts: opening, updating, freezing, closing. Ids that begin with `@` are ours and never come here. */
import type { Account, AccountState } from './account.js';
import { posted, settlementAccountId } from './account.js';
import { limitsAfter } from './account-limits.js';
import { checkVersion } from './checks.js';
import type { CloseAccount, FreezeAccount, OpenAccount, UnfreezeAccount, UpdateAccount } from './command.js';
import { type Decision, happened, type LedgerReader, type Refusal, refusal, refuse } from './decision.js';
import { existingAccount } from './existence.js';
import { invariant } from './invariant.js';
import { findOverflow } from './movement.js';

/** Opens an account; the first of its currency also opens the settlement account, in an event of its own. */
export function decideOpenAccount(command: OpenAccount, ledger: LedgerReader): Decision {
  const { accountId, accountType: type, currency, overdraftLimit, name, ownerReference, metadata } = command;
  assertCallersOwn(accountId);
  if (ledger.account(accountId) !== undefined) {
    const at = { field: 'account_id', resourceId: accountId };
    return refuse(refusal('ACCOUNT_ALREADY_EXISTS', `Account ${accountId} exists already.`, at));
  }
  const limits = limitsAfter(command.limits, null);
  const state = openState({ accountId, type, currency, overdraftLimit, limits });
  const problem = checkOverdraft(state) ?? checkLimits(state) ?? findOverflow(state);
  if (problem !== null) return refuse(problem);
  const profile = { name, ownerReference, metadata, profileVersion: 1n };
  const opened = { type: 'AccountOpened', account: { state, profile } } as const;
  const settlementId = settlementAccountId(currency);
  if (ledger.account(settlementId) !== undefined) return happened(opened);
  return happened(opened, { type: 'AccountOpened', account: settlementAccount(settlementId, currency) });
}

/** Changes the profile, the overdraft limit and the limits; lowering one always succeeds. */
export function decideUpdateAccount(command: UpdateAccount, ledger: LedgerReader): Decision {
  const { state, profile } = ownAccount(command.accountId, ledger);
  const after = {
    ...state,
    overdraftLimit: command.overdraftLimit ?? state.overdraftLimit,
    limits: command.limits === null ? state.limits : limitsAfter(command.limits, state.limits),
    version: state.version + 1n,
  };
  const problem =
    checkVersion(state, command.expectedVersion) ??
    checkNotClosed(state) ??
    checkOverdraft(after) ??
    checkLimits(after) ??
    findOverflow(after);
  if (problem !== null) return refuse(problem);
  const updated = {
    name: command.name ?? profile.name,
    ownerReference: command.ownerReference ?? profile.ownerReference,
    metadata: command.metadata ?? profile.metadata,
    profileVersion: profile.profileVersion + 1n,
  };
  return happened({ type: 'AccountUpdated', account: { state: after, profile: updated } });
}

/** Freezes an account, or changes what its freeze blocks. */
export function decideFreezeAccount(command: FreezeAccount, ledger: LedgerReader): Decision {
  const { state, profile } = ownAccount(command.accountId, ledger);
  const problem = checkVersion(state, command.expectedVersion) ?? checkNotClosed(state);
  if (problem !== null) return refuse(problem);
  const after = withStatus(state, { status: 'FROZEN', freezeScope: command.scope });
  return happened({ type: 'AccountFrozen', account: { state: after, profile } });
}

/** Opens a frozen account again. */
export function decideUnfreezeAccount(command: UnfreezeAccount, ledger: LedgerReader): Decision {
  const { state, profile } = ownAccount(command.accountId, ledger);
  const problem = checkVersion(state, command.expectedVersion) ?? checkNotClosed(state) ?? checkFrozen(state);
  if (problem !== null) return refuse(problem);
  const after = withStatus(state, { status: 'OPEN', freezeScope: null });
  return happened({ type: 'AccountUnfrozen', account: { state: after, profile } });
}

/** Closes an empty account for good; frozen or not. */
export function decideCloseAccount(command: CloseAccount, ledger: LedgerReader): Decision {
  const { state, profile } = ownAccount(command.accountId, ledger);
  const problem = checkVersion(state, command.expectedVersion) ?? checkNotClosed(state) ?? checkEmpty(state);
  if (problem !== null) return refuse(problem);
  const after = withStatus(state, { status: 'CLOSED', freezeScope: null });
  return happened({ type: 'AccountClosed', account: { state: after, profile } });
}

/** A new account with nothing on it. */
export function openState(
  fields: Pick<AccountState, 'accountId' | 'type' | 'currency' | 'overdraftLimit' | 'limits'>,
): AccountState {
  const { accountId, type, currency, overdraftLimit, limits } = fields;
  const nothing = { credits: 0n, debits: 0n, held: 0n, version: 1n };
  return { accountId, type, currency, status: 'OPEN', freezeScope: null, overdraftLimit, ...nothing, limits };
}

function settlementAccount(accountId: string, currency: string): Account {
  return {
    state: openState({ accountId, type: 'ASSET', currency, overdraftLimit: 0n, limits: null }),
    profile: { name: `Settlement ${currency}`, ownerReference: '', metadata: {}, profileVersion: 1n },
  };
}

function ownAccount(accountId: string, ledger: LedgerReader): Account {
  assertCallersOwn(accountId);
  return existingAccount(ledger, accountId);
}

function assertCallersOwn(accountId: string): void {
  invariant(!accountId.startsWith('@'), `account ${accountId} is the caller's to change`);
}

function withStatus(state: AccountState, change: Pick<AccountState, 'status' | 'freezeScope'>): AccountState {
  return { ...state, ...change, version: state.version + 1n };
}

function checkNotClosed({ accountId, status }: AccountState): Refusal | null {
  if (status !== 'CLOSED') return null;
  return refusal('ACCOUNT_IS_CLOSED', `Account ${accountId} is closed.`, { resourceId: accountId });
}

function checkFrozen({ accountId, status }: AccountState): Refusal | null {
  if (status === 'FROZEN') return null;
  return refusal('ACCOUNT_NOT_FROZEN', `Account ${accountId} is not frozen.`, { resourceId: accountId });
}

function checkEmpty(state: AccountState): Refusal | null {
  const { accountId, held } = state;
  if (posted(state) === 0n && held === 0n) return null;
  const message = `Account ${accountId} has ${posted(state)} posted and ${held} held; both must be zero.`;
  return refusal('ACCOUNT_NOT_EMPTY', message, { resourceId: accountId });
}

/** Only LIABILITY accounts have a floor for a limit to lower. */
function checkOverdraft({ accountId, type, overdraftLimit }: AccountState): Refusal | null {
  if (overdraftLimit === 0n || type === 'LIABILITY') return null;
  const message = `Account ${accountId} is of type ${type}; only LIABILITY accounts have an overdraft limit.`;
  return refusal('ACCOUNT_TYPE', message, { field: 'overdraft_limit', resourceId: accountId });
}

/** Limits are of what is owed to customers and merchants: a debit of it is money that they spend. */
function checkLimits({ accountId, type, limits }: AccountState): Refusal | null {
  if (limits === null || type === 'LIABILITY') return null;
  const message = `Account ${accountId} is of type ${type}; only LIABILITY accounts have limits.`;
  return refusal('ACCOUNT_TYPE', message, { field: 'limits', resourceId: accountId });
}
