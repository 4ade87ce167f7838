/**
 * Folds entries, hold changes and account events into accounts, and checks what each event carries of them.
 */
import { AccountStatus, AccountType, FreezeScope } from '../../../gen/quittance/common/v1/account_pb.js';
import { Direction, TransactionKind } from '../../../gen/quittance/common/v1/transaction_pb.js';
import type {
  AccountProfile,
  AccountState,
  Entry,
  Event,
  HoldChange,
} from '../../../gen/quittance/event/v1/event_pb.js';
import type { LogRecord } from '../log/chain-walk.js';
import { type AccountFacts, sortedPairs } from './facts.js';
import { type HashRange, isIn } from './hash-range.js';
import { type LimitsFacts, limitsSet, limitsText, limitsUsed } from './limits-fold.js';
import { accountAt, requestOf, UnreadableEventError } from './made-by.js';
import type { Complain, Effect } from './transaction-fold.js';
import { holdDelta } from './open-hold.js';

/** Called before an account changes, with what it is until then, and after. */
export interface AccountObserver {
  before(account: AccountFacts, position: bigint): void;
  after(account: AccountFacts, position: bigint): void;
}

/** The accounts of a ledger whose ids hash into a range: one range at a time is in memory. */
export class AccountFold {
  readonly accounts = new Map<string, AccountFacts>();
  /** The units of the ledger's assets by code, of all ranges. */
  readonly #assets = new Map<string, string>();
  readonly #range: HashRange;
  readonly #observer: AccountObserver;

  constructor(range: HashRange, observer: AccountObserver) {
    this.#range = range;
    this.#observer = observer;
  }

  /** @throws UnreadableEventError */
  apply(record: LogRecord, effects: readonly Effect[], complain: Complain): void {
    this.#reserve(effects);
    const { payload } = record.event;
    switch (payload.case) {
      case 'assetRegistered':
      case 'accountOpened':
        this.#opened(record, needed(payload.value.account), payload.value.profile, complain);
        break;
      case 'accountUpdated':
      case 'accountFrozen':
      case 'accountUnfrozen':
      case 'accountClosed':
        this.#changed(record, needed(payload.value.account), complain);
        break;
      case 'transactionPosted':
        this.#moved(
          record,
          payload.value.accounts,
          payload.value.holdChanges,
          payload.value.entries,
          complain,
        );
        break;
      case 'paymentAuthorized':
      case 'paymentAdjusted':
      case 'paymentVoided':
      case 'paymentExpired':
        this.#moved(record, payload.value.accounts, payload.value.holdChanges, [], complain);
        break;
      case 'transactionDeclined':
        for (const state of payload.value.accounts) {
          const account = this.#account(state.accountId, complain);
          if (account !== undefined) compare(account, state, complain);
        }
        break;
      default:
    }
  }

  /**
   * What open holds reserve follows from the payments alone; the accounts' `held` from the hold changes
   * alone.
   */
  #reserve(effects: readonly Effect[]): void {
    for (const effect of effects) {
      const { accountId, delta } = holdDelta(effect);
      const account = delta === 0n ? undefined : this.accounts.get(accountId);
      if (account !== undefined) account.reserved += delta;
    }
  }

  #opened(
    { position, event }: LogRecord,
    state: AccountState,
    profile: AccountProfile | undefined,
    complain: Complain,
  ): void {
    const { accountId } = state;
    const asset = assetOf(event);
    if (asset !== undefined) {
      const { code, unit } = asset;
      if (this.#assets.has(code)) complain(accountId, 'an asset that is registered once', 'registered again');
      this.#assets.set(code, unit);
      if (accountId !== `@settlement:${code}`)
        complain(accountId, `the settlement account of ${code}`, accountId);
    }
    if (!isIn(this.#range, accountId)) return;
    if (this.accounts.has(accountId)) complain(accountId, 'an account that is opened once', 'opened again');
    const account = opening(event, position, accountId, this.#assets);
    compare(account, state, complain);
    compareProfile(account, profile, complain);
    this.accounts.set(accountId, account);
    this.#observer.after(account, position);
  }

  #changed({ position, event }: LogRecord, state: AccountState, complain: Complain): void {
    const account = this.#account(state.accountId, complain);
    if (account === undefined) return;
    this.#observer.before(account, position);
    changeBy(event, account, state, complain);
    account.version++;
    account.position = position;
    account.ownPosition = position;
    compare(account, state, complain);
    const { payload } = event;
    if (payload.case === 'accountUpdated') compareProfile(account, payload.value.profile, complain);
    this.#observer.after(account, position);
  }

  #moved(
    { position, event }: LogRecord,
    states: readonly AccountState[],
    holdChanges: readonly HoldChange[],
    entries: readonly Entry[],
    complain: Complain,
  ): void {
    const touched = states.map(({ accountId }) => this.#account(accountId, complain));
    for (const account of touched) if (account !== undefined) this.#observer.before(account, position);
    const free = touched.map((account) => (account?.limits === undefined ? 0n : freeOf(account)));
    for (const change of holdChanges) {
      accountAt(states, change.account);
      const account = touched[change.account];
      if (account !== undefined) changeHold(account, change, complain);
    }
    for (const entry of entries) {
      accountAt(states, entry.account);
      const account = touched[entry.account];
      if (account !== undefined) post(account, entry, complain);
    }
    for (const [index, account] of touched.entries()) {
      if (account === undefined) continue;
      account.position = position;
      const state = accountAt(states, index);
      if (account.limits !== undefined && isCounted(event)) {
        const { accountId } = account;
        const amount = (free[index] ?? 0n) - freeOf(account);
        const debit = { accountId, amount, time: event.recordedTimeMicros, carried: state.limits };
        if (amount > 0n) account.limits = limitsUsed(account.limits, debit, complain);
      }
      compare(account, state, complain);
      if (account.held !== account.reserved) {
        complain(account.accountId, `open holds sum to held: ${account.reserved}`, `held ${account.held}`);
        account.reserved = account.held;
      }
      this.#observer.after(account, position);
    }
  }

  /** An account of the range; undefined, and a finding, if it was never opened. */
  #account(accountId: string, complain: Complain): AccountFacts | undefined {
    const account = this.accounts.get(accountId);
    if (account === undefined && isIn(this.#range, accountId)) {
      complain(accountId, 'an account that was opened before', 'no AccountOpened');
    }
    return account;
  }
}

/** Its available, without the overdraft. */
function freeOf({ credits, debits, held }: AccountFacts): bigint {
  return credits - debits - held;
}

/** Whether limits count what an event takes from accounts. */
function isCounted({ payload }: Event): boolean {
  if (payload.case !== 'transactionPosted') return true;
  const { kind } = payload.value;
  return kind !== TransactionKind.REFUND && kind !== TransactionKind.REVERSAL;
}

function needed(state: AccountState | undefined): AccountState {
  if (state === undefined) throw new UnreadableEventError('an account event without the account');
  return state;
}

/** The asset that an event registers, as its command asks for it. */
function assetOf(event: Event): { readonly code: string; readonly unit: string } | undefined {
  if (event.payload.case !== 'assetRegistered') return undefined;
  const command = requestOf(event);
  if (command.case !== 'registerAsset') throw new UnreadableEventError('an asset of another command');
  const { code, exponent } = command.value;
  return { code, unit: `${code}#${exponent}` };
}

/**
 * The account that an OpenAccount asks for, or the settlement account that comes with it or with a RegisterAsset. `assets` has
 * the units of those that were registered.
 */
function opening(
  event: Event,
  position: bigint,
  accountId: string,
  assets: ReadonlyMap<string, string>,
): AccountFacts {
  const account: AccountFacts = {
    accountId,
    type: AccountType.ASSET,
    currency: accountId.slice(accountId.indexOf(':') + 1),
    openedPosition: position,
    openedTime: event.recordedTimeMicros,
    status: AccountStatus.OPEN,
    freezeScope: FreezeScope.UNSPECIFIED,
    overdraftLimit: 0n,
    credits: 0n,
    debits: 0n,
    held: 0n,
    version: 1n,
    name: `Settlement ${accountId.slice(accountId.indexOf(':') + 1)}`,
    ownerReference: '',
    metadata: {},
    profileVersion: 1n,
    position,
    ownPosition: position,
    reserved: 0n,
    limits: undefined,
  };
  if (event.ordinal > 0) return account;
  const command = requestOf(event);
  if (command.case === 'registerAsset') {
    const { code, name } = command.value;
    return { ...account, currency: assets.get(code) ?? code, name };
  }
  if (command.case !== 'openAccount') throw new UnreadableEventError('an account opened by another command');
  const { type, currency, overdraftLimit, name, ownerReference, metadata, limits } = command.value;
  return {
    ...account,
    type: type === AccountType.UNSPECIFIED ? AccountType.LIABILITY : type,
    currency: assets.get(currency) ?? currency,
    overdraftLimit,
    name,
    ownerReference,
    metadata,
    limits: limitsSet(limits, undefined),
  };
}

function changeBy(event: Event, account: AccountFacts, state: AccountState, complain: Complain): void {
  switch (event.payload.case) {
    case 'accountUpdated':
      update(event, account);
      return;
    case 'accountFrozen': {
      const { freezeScope } = state;
      if (freezeScope === FreezeScope.UNSPECIFIED)
        complain(account.accountId, 'a freeze of something', 'of nothing');
      account.status = AccountStatus.FROZEN;
      account.freezeScope = freezeScope;
      return;
    }
    case 'accountUnfrozen':
      account.status = AccountStatus.OPEN;
      account.freezeScope = FreezeScope.UNSPECIFIED;
      return;
    default: {
      const { accountId, credits, debits, held } = account;
      if (credits !== debits || held !== 0n) {
        complain(accountId, 'closed with nothing posted or held', `${credits - debits} posted, ${held} held`);
      }
      account.status = AccountStatus.CLOSED;
      account.freezeScope = FreezeScope.UNSPECIFIED;
    }
  }
}

function update(event: Event, account: AccountFacts): void {
  const command = requestOf(event);
  if (command.case !== 'updateAccount')
    throw new UnreadableEventError('an account updated by another command');
  const { updateMask, overdraftLimit, name, ownerReference, metadata, limits } = command.value;
  for (const path of updateMask?.paths ?? []) {
    if (path === 'overdraft_limit') account.overdraftLimit = overdraftLimit;
    else if (path === 'name') account.name = name;
    else if (path === 'owner_reference') account.ownerReference = ownerReference;
    else if (path === 'metadata') account.metadata = metadata;
    else if (path === 'limits') account.limits = limitsSet(limits, account.limits);
  }
  account.profileVersion++;
}

function changeHold(account: AccountFacts, change: HoldChange, complain: Complain): void {
  account.held += change.delta;
  account.version++;
  const { accountId, held, version } = account;
  if (held < 0n) complain(accountId, 'held of zero or more', String(held));
  if (change.heldAfter !== held) complain(accountId, `held_after ${held}`, `held_after ${change.heldAfter}`);
  if (change.version !== version) complain(accountId, `version ${version}`, `version ${change.version}`);
}

function post(account: AccountFacts, entry: Entry, complain: Complain): void {
  if (entry.direction === Direction.CREDIT) account.credits += entry.amount;
  else account.debits += entry.amount;
  account.version++;
  const { accountId, version, status } = account;
  const posted = account.credits - account.debits;
  if (status === AccountStatus.CLOSED)
    complain(accountId, 'no entry on a closed account', `an entry of ${entry.amount}`);
  if (entry.postedAfter !== posted) {
    complain(accountId, `posted_after ${posted}`, `posted_after ${entry.postedAfter}`);
  }
  if (entry.version !== version) complain(accountId, `version ${version}`, `version ${entry.version}`);
}

/**
 * Compares what an event carries with the fold, and goes on with what it carries: one difference, one
 * finding.
 */
function compare(account: AccountFacts, state: AccountState, complain: Complain): void {
  if (
    account.version === state.version &&
    account.credits === state.credits &&
    account.debits === state.debits &&
    account.held === state.held &&
    account.overdraftLimit === state.overdraftLimit &&
    account.status === state.status &&
    account.freezeScope === state.freezeScope &&
    account.type === state.type &&
    account.currency === state.currency &&
    limitsText(account.limits) === limitsText(state.limits)
  ) {
    return;
  }
  complain(account.accountId, stateText(account), stateText(state));
  const { version, credits, debits, held, overdraftLimit, status, freezeScope, limits } = state;
  Object.assign(account, { version, credits, debits, held, overdraftLimit, status, freezeScope, limits });
}

type StateFields = Pick<
  AccountFacts,
  | 'type'
  | 'currency'
  | 'status'
  | 'freezeScope'
  | 'overdraftLimit'
  | 'credits'
  | 'debits'
  | 'held'
  | 'version'
> & { readonly limits?: LimitsFacts | undefined };

function stateText(state: StateFields): string {
  const { credits, debits, held, overdraftLimit, version } = state;
  const words = [
    AccountType[state.type],
    state.currency,
    AccountStatus[state.status],
    FreezeScope[state.freezeScope],
  ];
  const limits = state.limits === undefined ? '' : ` limits ${String(limitsText(state.limits))}`;
  return `${words.join(' ')} overdraft_limit ${overdraftLimit} credits ${credits} debits ${debits} held ${held} version ${version}${limits}`;
}

function compareProfile(
  account: AccountFacts,
  profile: AccountProfile | undefined,
  complain: Complain,
): void {
  const { accountId } = account;
  if (profile === undefined) {
    complain(accountId, profileText(account), 'no profile in the event');
    return;
  }
  const [expected, actual] = [profileText(account), profileText(profile)];
  if (expected === actual) return;
  complain(accountId, expected, actual);
  const { name, ownerReference, metadata, profileVersion } = profile;
  Object.assign(account, { name, ownerReference, metadata, profileVersion });
}

type ProfileFields = Pick<AccountFacts, 'name' | 'ownerReference' | 'metadata' | 'profileVersion'>;

function profileText({ name, ownerReference, metadata, profileVersion }: ProfileFields): string {
  return JSON.stringify([name, ownerReference, sortedPairs(metadata), String(profileVersion)]);
}
