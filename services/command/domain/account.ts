/** Accounts as the domain sees them. All amounts are bigint minor units of the account's one currency. */
import type { AccountLimits } from './account-limits.js';

export type AccountType = 'LIABILITY' | 'ASSET' | 'REVENUE' | 'EXPENSE' | 'EQUITY';
export type AccountStatus = 'OPEN' | 'FROZEN' | 'CLOSED';
/** What a freeze blocks: debits (holds and captures included), or everything. */
export type FreezeScope = 'DEBITS' | 'ALL';

/** What every event that touches an account carries of it: the whole state after the event. */
export interface AccountState {
  readonly accountId: string;
  readonly type: AccountType;
  /** The unit: an ISO 4217 code, or the code and the exponent of an asset, as in `BTC#8`. */
  readonly currency: string;
  readonly status: AccountStatus;
  /** Null unless the status is FROZEN. */
  readonly freezeScope: FreezeScope | null;
  /** How far below zero `available` may be taken; zero or more. */
  readonly overdraftLimit: bigint;
  /** Sum of all credits ever posted. */
  readonly credits: bigint;
  /** Sum of all debits ever posted. */
  readonly debits: bigint;
  /** Sum of what open holds reserve. */
  readonly held: bigint;
  /** Raised by one by each entry, hold change or account event; 1 after AccountOpened. */
  readonly version: bigint;
  /** Null: it has none, as most accounts. */
  readonly limits: AccountLimits | null;
}

/** What travels in account events only. */
export interface AccountProfile {
  readonly name: string;
  readonly ownerReference: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** 1 after AccountOpened, raised by one by each AccountUpdated. */
  readonly profileVersion: bigint;
}

export interface Account {
  readonly state: AccountState;
  readonly profile: AccountProfile;
}

/** posted = credits - debits, for all types. */
export function posted(account: AccountState): bigint {
  return account.credits - account.debits;
}

/** posted - held + overdraft_limit; meaningful for LIABILITY accounts only. */
export function available(account: AccountState): bigint {
  return posted(account) - account.held + account.overdraftLimit;
}

/**
 * How much of an amount can be taken from an account: what is available, if that is less. All of it where there is no floor, and
 * where nothing is available, so that it is declined as asked.
 */
export function availableOf(account: AccountState, amount: bigint): bigint {
  if (account.type !== 'LIABILITY') return amount;
  const most = available(account);
  return most > 0n && most < amount ? most : amount;
}

const BEFORE_EXPONENT = '#';

/** The unit of an asset. */
export function assetUnit(code: string, exponent: number): string {
  return `${code}${BEFORE_EXPONENT}${exponent}`;
}

/** The exponent in the unit of an asset. */
export function assetExponent(unit: string): number {
  return Number(unit.slice(unit.lastIndexOf(BEFORE_EXPONENT) + 1));
}

/** The ASSET account through which Deposit and Withdraw move money unless they name another; of a unit or of its code. */
export function settlementAccountId(currency: string): string {
  const end = currency.lastIndexOf(BEFORE_EXPONENT);
  return `@settlement:${end === -1 ? currency : currency.slice(0, end)}`;
}
