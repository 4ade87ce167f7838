/** Compact commands for tests: what a test does not care about has a default. Amounts are bigint minor units of EUR. */
import type { AccountType } from '../account.js';
import type { RequestedLimits } from '../account-limits.js';
import type {
  AdjustAuthorization,
  Amount,
  AuthorizePayment,
  CapturePayment,
  CloseAccount,
  ClosePeriod,
  CreateLedger,
  Deposit,
  ExpirePayment,
  FreezeAccount,
  OpenAccount,
  PostTransaction,
  RefundPayment,
  RegisterAsset,
  ReopenPeriod,
  ReverseTransaction,
  SubmitPayment,
  UnfreezeAccount,
  UpdateAccount,
  UpdateTransaction,
  VoidPayment,
  Withdraw,
} from '../command.js';
import type { Direction, Fee, FeePayer } from '../transaction.js';

type Given<T> = Partial<Omit<T, 'type'>>;

/** The ledger of all tests. */
export const LEDGER = 'books';
/** 10^18 - 1, the largest amount of a command. */
export const MOST = 10n ** 18n - 1n;
/** A day in microseconds. */
export const DAY_US = 86_400_000_000n;

let lastId = 0;
function common(): { ledgerId: string; requestId: string } {
  lastId += 1;
  return { ledgerId: LEDGER, requestId: `r${lastId}` };
}
const descriptive = { reference: '', description: '', metadata: {}, effectiveTime: null };

export function money(minorUnits: bigint, currency = 'EUR') {
  return { currency, minorUnits };
}

/** An amount of an asset, as a request gives it: its unit is the ledger's to say. */
export function assetMoney(minorUnits: bigint, code = 'BTC', exponent: number | null = null): Amount {
  return { currency: code, minorUnits, asset: { exponent } };
}

/** Registers BTC with 8 decimal digits. */
export function registerAsset(more: Given<RegisterAsset> = {}): RegisterAsset {
  return { type: 'RegisterAsset', ...common(), code: 'BTC', exponent: 8, name: 'Bitcoin', ...more };
}

/** Opens an account in an asset. */
export function openInAsset(
  accountId: string,
  accountType: AccountType = 'LIABILITY',
  code = 'BTC',
): OpenAccount {
  return open(accountId, accountType, { currency: code, asset: { exponent: null } });
}

/** Closes what is dated at or before a time. */
export function closePeriod(closedThrough: bigint, more: Given<ClosePeriod> = {}): ClosePeriod {
  return { type: 'ClosePeriod', ...common(), closedThrough, description: '', ...more };
}

/** Reopens what is closed after a time; null: all of it. */
export function reopenPeriod(
  keepClosedThrough: bigint | null = null,
  more: Given<ReopenPeriod> = {},
): ReopenPeriod {
  return { type: 'ReopenPeriod', ...common(), keepClosedThrough, reason: 'a late invoice', ...more };
}

export function createLedger(more: Given<CreateLedger> = {}): CreateLedger {
  return { type: 'CreateLedger', ...common(), description: '', metadata: {}, ...more };
}

export function open(
  accountId: string,
  accountType: AccountType = 'LIABILITY',
  more: Given<OpenAccount> = {},
): OpenAccount {
  const profile = { name: '', ownerReference: '', metadata: {} };
  const rest = { currency: 'EUR', overdraftLimit: 0n, limits: limits(), ...profile };
  return { type: 'OpenAccount', ...common(), accountId, accountType, ...rest, ...more };
}

export function update(accountId: string, more: Given<UpdateAccount>): UpdateAccount {
  const mask = { name: null, ownerReference: null, overdraftLimit: null, metadata: null, limits: null };
  return { type: 'UpdateAccount', ...common(), accountId, ...mask, expectedVersion: null, ...more };
}

/** Limits in UTC; 0n is none. */
export function limits(more: Partial<RequestedLimits> = {}): RequestedLimits {
  return { debit: 0n, balance: 0n, timeZone: '', windows: [], ...more };
}

export function freeze(accountId: string, more: Given<FreezeAccount> = {}): FreezeAccount {
  return { type: 'FreezeAccount', ...common(), accountId, scope: 'DEBITS', expectedVersion: null, ...more };
}

export function unfreeze(accountId: string, more: Given<UnfreezeAccount> = {}): UnfreezeAccount {
  return { type: 'UnfreezeAccount', ...common(), accountId, expectedVersion: null, ...more };
}

export function close(accountId: string, more: Given<CloseAccount> = {}): CloseAccount {
  return { type: 'CloseAccount', ...common(), accountId, expectedVersion: null, ...more };
}

export function deposit(accountId: string, amount: bigint, more: Given<Deposit> = {}): Deposit {
  const rest = { settlementAccountId: null, expectedVersion: null, ...descriptive };
  return { type: 'Deposit', ...common(), accountId, amount: money(amount), ...rest, ...more };
}

export function withdraw(accountId: string, amount: bigint, more: Given<Withdraw> = {}): Withdraw {
  const rest = { settlementAccountId: null, expectedVersion: null, upTo: false, ...descriptive };
  return { type: 'Withdraw', ...common(), accountId, amount: money(amount), ...rest, ...more };
}

export function pay(
  payerAccountId: string,
  payeeAccountId: string,
  amount: bigint,
  more: Given<SubmitPayment> = {},
): SubmitPayment {
  const parties = { payerAccountId, payeeAccountId, amount: money(amount) };
  const rest = { fees: [], upTo: false, ...descriptive };
  return { type: 'SubmitPayment', ...common(), ...parties, ...rest, ...more };
}

export function authorize(
  payerAccountId: string,
  payeeAccountId: string,
  amount: bigint,
  more: Given<AuthorizePayment> = {},
): AuthorizePayment {
  const parties = { payerAccountId, payeeAccountId, amount: money(amount) };
  return { type: 'AuthorizePayment', ...common(), ...parties, expireTime: null, ...descriptive, ...more };
}

export function capture(paymentId: string, amount: bigint, more: Given<CapturePayment> = {}): CapturePayment {
  const rest = { amount: money(amount), fees: [], final: false, ...descriptive };
  return { type: 'CapturePayment', ...common(), paymentId, ...rest, ...more };
}

/** Captures all that remains of the hold. */
export function captureAll(paymentId: string, more: Given<CapturePayment> = {}): CapturePayment {
  return capture(paymentId, 0n, { amount: null, ...more });
}

/** Refunds all that is left to refund. */
export function refundAll(paymentId: string, more: Given<RefundPayment> = {}): RefundPayment {
  return refund(paymentId, 0n, { amount: null, ...more });
}

/** Authorizes so much in all; null: the amount stays as it is. */
export function adjust(
  paymentId: string,
  amount: bigint | null,
  more: Given<AdjustAuthorization> = {},
): AdjustAuthorization {
  const rest = { amount: amount === null ? null : money(amount), expireTime: null };
  return { type: 'AdjustAuthorization', ...common(), paymentId, ...rest, ...more };
}

export function voidPayment(paymentId: string, more: Given<VoidPayment> = {}): VoidPayment {
  return { type: 'VoidPayment', ...common(), paymentId, ...more };
}

export function expire(paymentId: string): ExpirePayment {
  return { type: 'ExpirePayment', ledgerId: LEDGER, requestId: '', paymentId };
}

export function refund(paymentId: string, amount: bigint, more: Given<RefundPayment> = {}): RefundPayment {
  const rest = { amount: money(amount), fees: [], force: false, ...descriptive };
  const standIns = { fromAccountId: null, toAccountId: null };
  return { type: 'RefundPayment', ...common(), paymentId, ...rest, ...standIns, ...more };
}

export function journal(
  entries: PostTransaction['entries'],
  more: Given<PostTransaction> = {},
): PostTransaction {
  const rest = { force: false, upTo: false, ...descriptive };
  return { type: 'PostTransaction', ...common(), entries, ...rest, ...more };
}

export function reverse(transactionId: string, more: Given<ReverseTransaction> = {}): ReverseTransaction {
  return { type: 'ReverseTransaction', ...common(), transactionId, force: false, ...descriptive, ...more };
}

export function annotate(transactionId: string, more: Given<UpdateTransaction> = {}): UpdateTransaction {
  const mask = { description: null, metadata: null };
  return { type: 'UpdateTransaction', ...common(), transactionId, ...mask, ...more };
}

function entryInput(direction: Direction) {
  return (accountId: string, amount: bigint, currency = 'EUR') => ({
    accountId,
    direction,
    amount: money(amount, currency),
  });
}
export const debit = entryInput('DEBIT');
export const credit = entryInput('CREDIT');

export function fee(paidBy: FeePayer, toAccountId: string, amount: bigint): Fee {
  return { paidBy, toAccountId, amount };
}
