/** Where money moves: entries and holds against accounts, with what overflows, what declines, and what comes out. */
import type { AccountState } from './account.js';
import { available, posted } from './account.js';
import { afterDebit, exceededByDebit, type LimitKind } from './account-limits.js';
import { type LedgerReader, type Refusal, refusal } from './decision.js';
import { existingAccount } from './existence.js';
import { invariant } from './invariant.js';
import { INT64_MAX, INT64_MIN } from './limits.js';
import type { DeclineReason, Direction, Entry, HoldChange, PostedEntry } from './transaction.js';

/** A change of what one account holds: above zero reserves, below zero releases. */
export interface Hold {
  readonly accountId: string;
  readonly delta: bigint;
}

/** What a command wants to move. */
export interface Intent {
  readonly entries: readonly Entry[];
  readonly hold: Hold | null;
  /** Their accounts must not be closed or frozen: the entries, or for an authorization those of its later capture. */
  readonly checked: readonly Entry[];
  /** Skip funds, freezes and limits; never closed. */
  readonly forced: boolean;
  /** Whether the limits of accounts judge and count it. */
  readonly limited: boolean;
  /** The recorded time, UTC microseconds. */
  readonly now: bigint;
}

/** What it comes to. */
export type Movement =
  | {
      readonly outcome: 'moved';
      readonly accounts: readonly AccountState[];
      readonly holdChanges: readonly HoldChange[];
      readonly entries: readonly PostedEntry[];
    }
  | {
      readonly outcome: 'declined';
      readonly reason: DeclineReason;
      readonly accountId: string;
      /** Which limit of the account; null unless the reason is LIMIT_EXCEEDED. */
      readonly exceededLimit: LimitKind | null;
      /** Each account it would have touched, and the declining one, as they are. */
      readonly accounts: readonly AccountState[];
    }
  | { readonly outcome: 'refused'; readonly refusal: Refusal };

interface Touched {
  readonly before: AccountState;
  after: AccountState;
}

/** In order of first touch. */
type TouchedAccounts = Map<string, Touched>;

/** No sum of two numbers below it comes near the ends of int64. */
const FAR = 2n ** 61n;
const NO_HOLD_CHANGES: readonly HoldChange[] = [];
const DEBITED_FIRST: readonly Direction[] = ['DEBIT', 'CREDIT'];

/**
 * Moves what is intended, hold first, then entries in order; or says why not: an overflow is an error and comes before
 * declines. Every account named exists.
 * @throws Error if the entries do not balance or more is released than held.
 */
export function move(intent: Intent, ledger: LedgerReader): Movement {
  assertBalanced(intent.entries);
  const touched: TouchedAccounts = new Map();
  const holdChanges = intent.hold === null ? NO_HOLD_CHANGES : [changeHold(intent.hold, touched, ledger)];
  if (intent.hold !== null) {
    const overflow = findOverflow(touch(intent.hold.accountId, touched, ledger).after);
    if (overflow !== null) return { outcome: 'refused', refusal: overflow };
  }
  const entries: PostedEntry[] = [];
  for (const entry of intent.entries) {
    const account = touch(entry.accountId, touched, ledger);
    entries.push(post(entry, account));
    const overflow = findOverflow(account.after); // each version is shown, so none may overflow
    if (overflow !== null) return { outcome: 'refused', refusal: overflow };
  }
  if (intent.limited) countDebits(touched, intent.now, ledger);
  const decline = findDecline(intent, touched, ledger);
  if (decline !== null) return decline;
  return { outcome: 'moved', accounts: statesAfter(touched), holdChanges, entries };
}

/** Releases what a hold still reserves, in any status of the account. */
export function release(
  accountId: string,
  amount: bigint,
  ledger: LedgerReader,
): { readonly accounts: readonly AccountState[]; readonly holdChanges: readonly HoldChange[] } {
  const touched: TouchedAccounts = new Map();
  const holdChanges = [changeHold({ accountId, delta: -amount }, touched, ledger)];
  return { accounts: statesAfter(touched), holdChanges };
}

/**
 * Whether a total of the account is outside int64. Of `available` both ends are bounded that it can come to by itself,
 * so that releasing a hold and lowering an overdraft limit always succeed.
 */
export function findOverflow(account: AccountState): Refusal | null {
  const { accountId, credits, debits, held, overdraftLimit } = account;
  if (credits < FAR && debits < FAR && held < FAR && overdraftLimit < FAR) return null;
  const floored = account.type === 'LIABILITY';
  const beyond =
    credits > INT64_MAX ||
    debits > INT64_MAX ||
    held > INT64_MAX ||
    (floored && posted(account) + overdraftLimit > INT64_MAX) ||
    (floored && posted(account) - held < INT64_MIN);
  if (!beyond) return null;
  const message = `A total of account ${accountId} would exceed 64 bits.`;
  return refusal('BALANCE_OVERFLOW', message, { resourceId: accountId });
}

function touch(accountId: string, touched: TouchedAccounts, ledger: LedgerReader): Touched {
  const known = touched.get(accountId);
  if (known !== undefined) return known;
  const { state } = existingAccount(ledger, accountId);
  const fresh = { before: state, after: state };
  touched.set(accountId, fresh);
  return fresh;
}

function changeHold({ accountId, delta }: Hold, touched: TouchedAccounts, ledger: LedgerReader): HoldChange {
  const account = touch(accountId, touched, ledger);
  const heldAfter = account.after.held + delta;
  invariant(delta !== 0n && heldAfter >= 0n, `a hold change of ${delta} leaves ${heldAfter} held`);
  const { credits, debits } = account.after;
  account.after = changed(account.after, credits, debits, heldAfter);
  return { accountId, delta, heldAfter, version: account.after.version };
}

function post(entry: Entry, account: Touched): PostedEntry {
  const { accountId, direction, amount, currency } = entry;
  invariant(account.after.currency === currency, `account ${accountId} is in ${currency}`);
  const { credits, debits, held } = account.after;
  account.after =
    direction === 'CREDIT'
      ? changed(account.after, credits + amount, debits, held)
      : changed(account.after, credits, debits + amount, held);
  const { version } = account.after;
  return { accountId, direction, amount, currency, version, postedAfter: posted(account.after) };
}

/** The next version of an account, with other totals. Each field is named: a spread costs as much as all the sums. */
function changed(state: AccountState, credits: bigint, debits: bigint, held: bigint): AccountState {
  return {
    accountId: state.accountId,
    type: state.type,
    currency: state.currency,
    status: state.status,
    freezeScope: state.freezeScope,
    overdraftLimit: state.overdraftLimit,
    credits,
    debits,
    held,
    version: state.version + 1n,
    limits: state.limits,
  };
}

/** The first decline in the order of the contract: closed, frozen, funds, limits; debited before credited; entry order. */
function findDecline(intent: Intent, touched: TouchedAccounts, ledger: LedgerReader): Movement | null {
  const { checked, forced, limited } = intent;
  const asIs = (id: string): AccountState => touched.get(id)?.before ?? existingAccount(ledger, id).state;
  const cause =
    find(checked, 'ACCOUNT_CLOSED', ({ accountId }) => asIs(accountId).status === 'CLOSED') ??
    (forced
      ? null
      : (find(checked, 'ACCOUNT_FROZEN', ({ accountId, direction }) => blocks(asIs(accountId), direction)) ??
        find(checked, 'INSUFFICIENT_FUNDS', ({ accountId }) => lacksFunds(touched.get(accountId))) ??
        (limited
          ? find(checked, 'LIMIT_EXCEEDED', (entry) => exceededLimit(entry, intent, touched, asIs) !== null)
          : null)));
  if (cause === null) return null;
  const { entry, reason } = cause;
  const { accountId } = entry;
  const accounts = [...touched.values()].map(({ before }) => before);
  if (!touched.has(accountId)) accounts.push(asIs(accountId));
  const limit = reason === 'LIMIT_EXCEEDED' ? exceededLimit(entry, intent, touched, asIs) : null;
  return { outcome: 'declined', reason, accountId, exceededLimit: limit, accounts };
}

function find(
  entries: readonly Entry[],
  reason: DeclineReason,
  applies: (entry: Entry) => boolean,
): { readonly entry: Entry; readonly reason: DeclineReason } | null {
  for (const direction of DEBITED_FIRST) {
    for (const entry of entries) {
      if (entry.direction === direction && applies(entry)) return { entry, reason };
    }
  }
  return null;
}

function blocks(account: AccountState, direction: Direction): boolean {
  if (account.status !== 'FROZEN') return false;
  return direction === 'DEBIT' || account.freezeScope === 'ALL';
}

/** Judged once per account, after all its entries, and only if it has less available than before. */
function lacksFunds(account: Touched | undefined): boolean {
  if (account === undefined || account.after.type !== 'LIABILITY') return false;
  const after = available(account.after);
  return after < 0n && after < available(account.before);
}

/** What a debit is to limits: by how much the account has less available than before. Below zero if it has more. */
function debitOf({ before, after }: Touched): bigint {
  return available(before) - available(after);
}

/** Counts the debit of each account that has limits. Accounts without limits stay as they are. */
function countDebits(touched: TouchedAccounts, now: bigint, { calendar }: LedgerReader): void {
  for (const account of touched.values()) {
    const { limits } = account.before;
    if (limits === null) continue;
    const debit = debitOf(account);
    if (debit <= 0n) continue;
    account.after = { ...account.after, limits: afterDebit(limits, debit, now, calendar) };
  }
}

/** The limit that an entry's account would exceed; null if it exceeds none. */
function exceededLimit(
  { accountId, direction, amount }: Entry,
  { hold }: Intent,
  touched: TouchedAccounts,
  asIs: (accountId: string) => AccountState,
): LimitKind | null {
  const before = asIs(accountId);
  if (before.limits === null) return null;
  const account = touched.get(accountId);
  if (direction === 'DEBIT') {
    const limits = account?.after.limits ?? null;
    return account === undefined || limits === null || debitOf(account) <= 0n
      ? null
      : exceededByDebit(limits, debitOf(account));
  }
  // A capture was judged for its payee when it was authorized; until then the payee's account is not touched.
  if (hold !== null && hold.delta < 0n) return null;
  const after = account === undefined ? posted(before) + amount : posted(account.after);
  const { balance } = before.limits;
  return balance !== 0n && after > balance && after > posted(before) ? 'BALANCE' : null;
}

function statesAfter(touched: TouchedAccounts): readonly AccountState[] {
  return Array.from(touched.values(), ({ after }) => after);
}

function assertBalanced(entries: readonly Entry[]): void {
  const first = entries[0]?.currency;
  let sum = 0n; // of the first currency; nearly always there is no other
  let otherSums: Map<string, bigint> | null = null;
  for (const { amount, currency, direction } of entries) {
    invariant(amount > 0n, 'an entry moves more than nothing');
    const signed = direction === 'CREDIT' ? amount : -amount;
    if (currency === first) {
      sum += signed;
    } else {
      otherSums ??= new Map();
      otherSums.set(currency, (otherSums.get(currency) ?? 0n) + signed);
    }
  }
  invariant(sum === 0n, 'the entries of a currency sum to zero');
  if (otherSums === null) return;
  for (const other of otherSums.values()) invariant(other === 0n, 'the entries of a currency sum to zero');
}
