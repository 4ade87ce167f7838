/** What can be judged of a command from its message alone and stands in no rule of the contract language. */
import type { FieldMask, Timestamp } from '@bufbuild/protobuf/wkt';
import type { Money } from '../../../gen/quittance/common/v1/money_pb.js';
import { FeePayer } from '../../../gen/quittance/common/v1/transaction_pb.js';
import type { Fee as FeeRequest } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { currencyExponent } from '../../../lib/base/currency.js';
import { type CallError, fail } from '../../../lib/rpc/errors.js';
import { microsOf } from '../../../lib/base/time.js';
import type { Amount } from '../domain/command.js';
import type { Fee } from '../domain/transaction.js';

const METADATA_MAX_BYTES = 8192;
/** 9999-12-31T23:59:59Z, the last second that a google.protobuf.Timestamp may name. */
const LAST_SECOND = 253_402_300_799n;

export function invalidField(field: string, description: string): CallError {
  return fail(ErrorReason.INVALID_FIELD, `${field}: ${description}`, { fields: [{ field, description }] });
}

/** @throws CallError UNKNOWN_CURRENCY */
export function currencyOf(currency: string, field: string): string {
  if (currencyExponent(currency) === undefined) {
    const description = 'not a currency of ISO 4217';
    throw fail(ErrorReason.UNKNOWN_CURRENCY, `${field}: ${description}`, {
      fields: [{ field, description }],
    });
  }
  return currency;
}

/** @throws CallError UNKNOWN_CURRENCY, or INVALID_FIELD where the exponent given is not the currency's. */
export function amountOf(money: Money | undefined, field: string): Amount {
  if (money === undefined) throw invalidField(field, 'is required');
  const currency = currencyOf(money.currency, `${field}.currency`);
  if (money.exponent !== undefined && money.exponent !== currencyExponent(currency)) {
    throw invalidField(
      `${field}.exponent`,
      `is ${String(currencyExponent(currency))} for ${currency}; leave it out`,
    );
  }
  return { currency, minorUnits: money.minorUnits };
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
 * The fees of a command on `amount`.
 * @throws CallError INVALID_FIELD, UNKNOWN_CURRENCY, CURRENCY_MISMATCH, FEE_EXCEEDS_AMOUNT
 */
export function feesOf(fees: readonly FeeRequest[], amount: Amount): Fee[] {
  let fromPayee = 0n;
  const found = fees.map((fee, index): Fee => {
    const field = `fees[${String(index)}]`;
    const { currency, minorUnits } = amountOf(fee.amount, `${field}.amount`);
    if (currency !== amount.currency) {
      throw invalidField(`${field}.amount.currency`, "must be the amount's currency");
    }
    const isPayee = fee.paidBy === FeePayer.PAYEE;
    if (isPayee) fromPayee += minorUnits;
    return { paidBy: isPayee ? 'PAYEE' : 'PAYER', toAccountId: fee.toAccountId, amount: minorUnits };
  });
  if (fromPayee > amount.minorUnits) {
    const description = 'fees paid by the payee are more than the amount';
    throw fail(ErrorReason.FEE_EXCEEDS_AMOUNT, `fees: ${description}`, {
      fields: [{ field: 'fees', description }],
    });
  }
  return found;
}

/** The fee accounts of a payment whose parties the message names. @throws CallError INVALID_FIELD */
export function distinctFeeAccounts(fees: readonly Fee[], payer: string, payee: string): void {
  fees.forEach(({ toAccountId }, index) => {
    if (toAccountId === payer || toAccountId === payee) {
      throw invalidField(`fees[${String(index)}].to_account_id`, 'must be neither payer nor payee');
    }
  });
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
