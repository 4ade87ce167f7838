/** Parts of requests as the domain takes them, with the rules that the message alone shows and no contract rule says. */
import type { FieldMask, Timestamp } from '@bufbuild/protobuf/wkt';
import type { Money } from '../../../gen/quittance/common/v1/money_pb.js';
import { Direction, FeePayer } from '../../../gen/quittance/common/v1/transaction_pb.js';
import type {
  CapturePaymentRequest,
  DepositRequest,
  EntryInput,
  Fee as FeeRequest,
  RefundPaymentRequest,
  WithdrawRequest,
} from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { currencyExponent, isOpenable } from '../../../lib/base/currency.js';
import { type CallError, fail } from '../../../lib/rpc/errors.js';
import { microsOf } from '../../../lib/base/time.js';
import { settlementAccountId } from '../domain/account.js';
import type { Amount, StatedAsset } from '../domain/command.js';
import type { Fee } from '../domain/transaction.js';

const METADATA_MAX_BYTES = 8192;
/** 9999-12-31T23:59:59Z, the last second that a google.protobuf.Timestamp may name. */
const LAST_SECOND = 253_402_300_799n;

export function invalidField(field: string, description: string): CallError {
  return fail(ErrorReason.INVALID_FIELD, `${field}: ${description}`, { fields: [{ field, description }] });
}

/** What all commands have. */
export function commonOf({ ledgerId, requestId }: { readonly ledgerId: string; readonly requestId: string }) {
  return { ledgerId, requestId };
}

/** What all commands on one account have. */
export function ownAccountOf(request: {
  readonly ledgerId: string;
  readonly requestId: string;
  readonly accountId: string;
  readonly expectedVersion?: bigint | undefined;
}) {
  return {
    ...commonOf(request),
    accountId: request.accountId,
    expectedVersion: request.expectedVersion ?? null,
  };
}

/** What Deposit and Withdraw have. */
export function cashOf(request: DepositRequest | WithdrawRequest) {
  const amount = amountOf(request.amount, 'amount');
  const named = request.settlementAccountId === '' ? null : request.settlementAccountId;
  if ((named ?? settlementAccountId(amount.currency)) === request.accountId) {
    throw invalidField('account_id', 'must differ from the settlement account');
  }
  return { ...ownAccountOf(request), ...descriptiveOf(request), amount, settlementAccountId: named };
}

/**
 * The currency of an account to open: of ISO 4217, or an asset if the ledger knows it.
 * @throws CallError UNKNOWN_CURRENCY for one that was withdrawn
 */
export function openableCurrencyOf(
  currency: string,
  field: string,
): { readonly currency: string; readonly asset?: StatedAsset } {
  if (isOpenable(currency)) return { currency };
  if (currencyExponent(currency) === undefined) return { currency, asset: { exponent: null } };
  const description = `${currency} was withdrawn from ISO 4217: no account can be opened in it`;
  throw fail(ErrorReason.UNKNOWN_CURRENCY, `${field}: ${description}`, { fields: [{ field, description }] });
}

/**
 * An amount. Of a code that ISO 4217 does not list the ledger says whether it is an asset, and of which exponent.
 * @throws CallError INVALID_FIELD where the exponent given is not the currency's
 */
export function amountOf(money: Money | undefined, field: string): Amount {
  if (money === undefined) throw invalidField(field, 'is required');
  const { currency, minorUnits, exponent: stated } = money;
  const exponent = currencyExponent(currency);
  if (exponent === undefined) return { currency, minorUnits, asset: { exponent: stated ?? null } };
  if (stated !== undefined && stated !== exponent) {
    throw invalidField(`${field}.exponent`, `is ${String(exponent)} for ${currency}; leave it out`);
  }
  return { currency, minorUnits };
}

/**
 * The amount of a capture or refund; null for all that is left, which has no fees beside it.
 * @throws CallError as `amountOf`, and INVALID_FIELD
 */
export function amountOrAll(request: CapturePaymentRequest | RefundPaymentRequest): Amount | null {
  if (!request.all) return amountOf(request.amount, 'amount');
  if (request.amount !== undefined) throw invalidField('all', 'is in place of the amount');
  if (request.fees.length > 0) throw invalidField('fees', 'are for an amount that is named');
  return null;
}

/** UTC microseconds, null if not given. @throws CallError INVALID_FIELD for what is finer or no time at all. */
export function timeOf(timestamp: Timestamp | undefined, field: string): bigint | null {
  if (timestamp === undefined) return null;
  const { seconds, nanos } = timestamp;
  if (seconds > LAST_SECOND || nanos < 0 || nanos > 999_999_999) {
    throw invalidField(field, 'is not a time up to 9999-12-31T23:59:59.999999Z');
  }
  if (nanos % 1000 !== 0) throw invalidField(field, 'is finer than a microsecond');
  return microsOf(timestamp);
}

/** The same of a time that the contract requires. @throws CallError INVALID_FIELD */
export function neededTimeOf(timestamp: Timestamp | undefined, field: string): bigint {
  const time = timeOf(timestamp, field);
  if (time === null) throw invalidField(field, 'is required');
  return time;
}

/** Text that every store can hold. @throws CallError INVALID_FIELD for NUL and for halves of surrogate pairs. */
export function textOf(text: string, field: string): string {
  if (text.includes('\0')) throw invalidField(field, 'must not hold NUL');
  if (!text.isWellFormed()) throw invalidField(field, 'is not well-formed Unicode');
  return text;
}

/** @throws CallError INVALID_FIELD beyond 8 KiB in all. */
export function metadataOf(metadata: Record<string, string>, field = 'metadata'): Record<string, string> {
  let size_bytes = 0;
  for (const [key, value] of Object.entries(metadata)) {
    textOf(value, `${field}["${key}"]`);
    size_bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (size_bytes > METADATA_MAX_BYTES) throw invalidField(field, 'is more than 8 KiB in all');
  return metadata;
}

interface Described {
  readonly reference: string;
  readonly description: string;
  readonly metadata: Record<string, string>;
  readonly effectiveTime?: Timestamp | undefined;
}

/** What all commands that make a transaction share. */
export function descriptiveOf(request: Described) {
  return {
    reference: textOf(request.reference, 'reference'),
    description: textOf(request.description, 'description'),
    metadata: metadataOf(request.metadata),
    effectiveTime: timeOf(request.effectiveTime, 'effective_time'),
  };
}

/**
 * The fees that a command on `amount` charges.
 * @throws CallError INVALID_FIELD, UNKNOWN_CURRENCY, FEE_EXCEEDS_AMOUNT
 */
export function feesOf(requested: readonly FeeRequest[], amount: Amount): Fee[] {
  const fees = returnedFeesOf(requested, amount);
  const paidByPayee = fees.filter(({ paidBy }) => paidBy === 'PAYEE');
  if (paidByPayee.reduce((sum, fee) => sum + fee.amount, 0n) > amount.minorUnits) {
    const description = 'fees paid by the payee are more than the amount';
    throw fail(ErrorReason.FEE_EXCEEDS_AMOUNT, `fees: ${description}`, {
      fields: [{ field: 'fees', description }],
    });
  }
  return fees;
}

/** The fees that a refund returns: bounded by what was charged, not by the amount. @throws CallError as `feesOf` */
export function returnedFeesOf(
  fees: readonly FeeRequest[],
  { currency: expected, asset: stated }: Amount,
): Fee[] {
  return fees.map((fee, index): Fee => {
    const field = `fees[${String(index)}]`;
    const { currency, minorUnits, asset } = amountOf(fee.amount, `${field}.amount`);
    if (currency !== expected) {
      throw invalidField(`${field}.amount.currency`, "must be the amount's currency");
    }
    if (asset !== undefined && asset.exponent !== null && asset.exponent !== stated?.exponent) {
      throw invalidField(`${field}.amount.exponent`, "must be the amount's, which is to be given too");
    }
    const paidBy = fee.paidBy === FeePayer.PAYEE ? 'PAYEE' : 'PAYER';
    return { paidBy, toAccountId: fee.toAccountId, amount: minorUnits };
  });
}

/** Fee accounts are third accounts. @throws CallError INVALID_FIELD */
export function checkFeeAccounts(
  fees: readonly Fee[],
  parties: readonly (string | null)[],
  rule: string,
): void {
  for (const [index, { toAccountId }] of fees.entries()) {
    if (parties.includes(toAccountId)) throw invalidField(`fees[${String(index)}].to_account_id`, rule);
  }
}

/** The entries of a journal. @throws CallError INVALID_FIELD, UNKNOWN_CURRENCY, UNBALANCED_ENTRIES */
export function entriesOf(requested: readonly EntryInput[]) {
  const balances = new Map<string, bigint>();
  const entries = requested.map(({ accountId, direction: side, amount: money }, index) => {
    const amount = amountOf(money, `entries[${String(index)}].amount`);
    const direction = side === Direction.DEBIT ? 'DEBIT' : 'CREDIT';
    const signed = direction === 'DEBIT' ? -amount.minorUnits : amount.minorUnits;
    balances.set(amount.currency, (balances.get(amount.currency) ?? 0n) + signed);
    return { accountId, direction, amount } as const;
  });
  for (const [currency, balance] of balances) {
    if (balance === 0n) continue;
    const description = `debits and credits in ${currency} differ`;
    throw fail(ErrorReason.UNBALANCED_ENTRIES, `entries: ${description}`, {
      fields: [{ field: 'entries', description }],
    });
  }
  return entries;
}

/**
 * The fields that a mask names.
 * @throws CallError INVALID_FIELD for a path below a field: the rule of the contract lets `name.first` pass as part of `name`.
 */
export function maskOf(mask: FieldMask | undefined, fields: readonly string[]): ReadonlySet<string> {
  const paths = mask?.paths ?? [];
  if (!paths.every((path) => fields.includes(path))) {
    throw invalidField('update_mask', `may name ${fields.join(', ')}`);
  }
  return new Set(paths);
}

/** A field that a mask does not name must be empty, lest a caller believes it was set. @throws CallError INVALID_FIELD */
export function unmasked(isEmpty: boolean, field: string): null {
  if (!isEmpty) throw invalidField(field, 'is given, but update_mask does not name it');
  return null;
}
