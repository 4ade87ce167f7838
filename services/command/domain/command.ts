/**
 * Commands as the domain takes them: shapes were checked at the door. Ids are strings, UUIDs 36 lower-case characters,
 * amounts bigint minor units, times bigint UTC microseconds. `null` is "not given".
 */
import type { AccountType, FreezeScope } from './account.js';
import type { RequestedLimits } from './account-limits.js';
import type { Direction, Fee } from './transaction.js';

interface Common {
  readonly ledgerId: string;
  /** Also the id of the transaction that the command makes. Empty for internal commands. */
  readonly requestId: string;
}

/** What all commands that make a transaction share. */
interface Descriptive {
  readonly reference: string;
  readonly description: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Null: the recorded time. */
  readonly effectiveTime: bigint | null;
}

/** What a request says of a code that ISO 4217 does not list: the ledger must have registered it. */
export interface StatedAsset {
  /** The exponent that the caller gave; null: none. */
  readonly exponent: number | null;
}

export interface Amount {
  /** A unit, as in AccountState; while `asset` is set the code of an asset, whose unit is yet to be found. */
  readonly currency: string;
  readonly minorUnits: bigint;
  readonly asset?: StatedAsset;
}

export interface CreateLedger extends Common {
  readonly type: 'CreateLedger';
  readonly description: string;
  readonly metadata: Readonly<Record<string, string>>;
}
export interface RegisterAsset extends Common {
  readonly type: 'RegisterAsset';
  readonly code: string;
  /** 0 to 18. */
  readonly exponent: number;
  readonly name: string;
}
export interface ClosePeriod extends Common {
  readonly type: 'ClosePeriod';
  /** What is dated at or before it is closed, UTC microseconds. */
  readonly closedThrough: bigint;
  readonly description: string;
}
export interface ReopenPeriod extends Common {
  readonly type: 'ReopenPeriod';
  /** What is dated at or before it stays closed, UTC microseconds; null: nothing does. */
  readonly keepClosedThrough: bigint | null;
  readonly reason: string;
}
export interface OpenAccount extends Common {
  readonly type: 'OpenAccount';
  readonly accountId: string;
  readonly accountType: AccountType;
  /** As in Amount. */
  readonly currency: string;
  readonly asset?: StatedAsset;
  readonly overdraftLimit: bigint;
  readonly name: string;
  readonly ownerReference: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly limits: RequestedLimits;
}
export interface UpdateAccount extends Common {
  readonly type: 'UpdateAccount';
  readonly accountId: string;
  /** Null: not in the field mask. */
  readonly name: string | null;
  readonly ownerReference: string | null;
  readonly overdraftLimit: bigint | null;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly limits: RequestedLimits | null;
  readonly expectedVersion: bigint | null;
}
export interface FreezeAccount extends Common {
  readonly type: 'FreezeAccount';
  readonly accountId: string;
  readonly scope: FreezeScope;
  readonly expectedVersion: bigint | null;
}
export interface UnfreezeAccount extends Common {
  readonly type: 'UnfreezeAccount';
  readonly accountId: string;
  readonly expectedVersion: bigint | null;
}
export interface CloseAccount extends Common {
  readonly type: 'CloseAccount';
  readonly accountId: string;
  readonly expectedVersion: bigint | null;
}
export interface Deposit extends Common, Descriptive {
  readonly type: 'Deposit';
  readonly accountId: string;
  readonly amount: Amount;
  /** The ASSET account to debit; null: @settlement:CUR. */
  readonly settlementAccountId: string | null;
  readonly expectedVersion: bigint | null;
}
export interface Withdraw extends Common, Descriptive {
  readonly type: 'Withdraw';
  readonly accountId: string;
  readonly amount: Amount;
  /** The ASSET account to credit; null: @settlement:CUR. */
  readonly settlementAccountId: string | null;
  readonly expectedVersion: bigint | null;
  /** Whether the amount is the most to take, as far as funds allow. */
  readonly upTo: boolean;
}
export interface SubmitPayment extends Common, Descriptive {
  readonly type: 'SubmitPayment';
  readonly payerAccountId: string;
  readonly payeeAccountId: string;
  readonly amount: Amount;
  readonly fees: readonly Fee[];
  /** Whether the amount is the most to take, as far as funds allow. */
  readonly upTo: boolean;
}
export interface AuthorizePayment extends Common, Descriptive {
  readonly type: 'AuthorizePayment';
  readonly payerAccountId: string;
  readonly payeeAccountId: string;
  readonly amount: Amount;
  /** Null: 7 days after the recorded time. */
  readonly expireTime: bigint | null;
}
export interface CapturePayment extends Common, Descriptive {
  readonly type: 'CapturePayment';
  readonly paymentId: string;
  /** Null: all that is left when it is decided. */
  readonly amount: Amount | null;
  readonly fees: readonly Fee[];
  /** Release what remains of the hold. */
  readonly final: boolean;
}
export interface AdjustAuthorization extends Common {
  readonly type: 'AdjustAuthorization';
  readonly paymentId: string;
  /** What is authorized in all from now on; null: as it was. */
  readonly amount: Amount | null;
  /** Null: as it was. */
  readonly expireTime: bigint | null;
}
export interface VoidPayment extends Common {
  readonly type: 'VoidPayment';
  readonly paymentId: string;
}
/** Internal: the expirer's command; requestId is empty. */
export interface ExpirePayment extends Common {
  readonly type: 'ExpirePayment';
  readonly paymentId: string;
}
export interface RefundPayment extends Common, Descriptive {
  readonly type: 'RefundPayment';
  readonly paymentId: string;
  /** Null: all that is left when it is decided. */
  readonly amount: Amount | null;
  /** Fees to return. */
  readonly fees: readonly Fee[];
  /** Gives the money in place of the payee; null: the payee. */
  readonly fromAccountId: string | null;
  /** Takes the money in place of the payer; null: the payer. */
  readonly toAccountId: string | null;
  readonly force: boolean;
}
export interface PostTransaction extends Common, Descriptive {
  readonly type: 'PostTransaction';
  readonly entries: readonly {
    readonly accountId: string;
    readonly direction: Direction;
    readonly amount: Amount;
  }[];
  readonly force: boolean;
  /** Whether the amounts are the most to move, as far as the funds of the debited account allow; of two entries only. */
  readonly upTo: boolean;
}
export interface ReverseTransaction extends Common, Descriptive {
  readonly type: 'ReverseTransaction';
  readonly transactionId: string;
  readonly force: boolean;
}
export interface UpdateTransaction extends Common {
  readonly type: 'UpdateTransaction';
  readonly transactionId: string;
  /** Null: not in the field mask. */
  readonly description: string | null;
  readonly metadata: Readonly<Record<string, string>> | null;
}

/** The commands that an atomic batch takes: they move or hold money. */
export type MovementCommand =
  | Deposit
  | Withdraw
  | SubmitPayment
  | AuthorizePayment
  | AdjustAuthorization
  | CapturePayment
  | VoidPayment
  | RefundPayment
  | PostTransaction
  | ReverseTransaction;

export type Command =
  | MovementCommand
  | CreateLedger
  | RegisterAsset
  | ClosePeriod
  | ReopenPeriod
  | OpenAccount
  | UpdateAccount
  | FreezeAccount
  | UnfreezeAccount
  | CloseAccount
  | ExpirePayment
  | UpdateTransaction;
