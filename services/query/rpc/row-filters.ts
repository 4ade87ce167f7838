/** Filters of lists that no index of a store answers: by amount, currency, caller and metadata. */
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import type { Money } from '../../../gen/quittance/common/v1/money_pb.js';
import type { Transaction } from '../../../gen/quittance/common/v1/transaction_pb.js';
import type { MetadataFilter } from '../../../gen/quittance/query/v1/filter_pb.js';
import { fail } from '../../../lib/rpc/errors.js';

/** A range of minor units, both ends included; undefined: open. */
export interface UnitRange {
  readonly min: bigint | undefined;
  readonly max: bigint | undefined;
}

/**
 * The range of a request.
 * @throws CallError INVALID_FIELD naming the field of the end if it lies below the start
 */
export function unitRange(maxField: string, minField: string, { min, max }: UnitRange): UnitRange {
  if (min === undefined || max === undefined || max >= min) return { min, max };
  const description = `is below ${minField}`;
  throw fail(ErrorReason.INVALID_FIELD, `${maxField} ${description}`, {
    fields: [{ field: maxField, description }],
  });
}

/** Whether a number of minor units is in a range. */
export function isInRange(minorUnits: bigint, { min, max }: UnitRange): boolean {
  return (min === undefined || minorUnits >= min) && (max === undefined || minorUnits <= max);
}

/** What a request says of amounts. */
export interface AmountRequest {
  readonly currency: string;
  /** 0: open. */
  readonly minAmount: bigint;
  /** 0: open. */
  readonly maxAmount: bigint;
}

/**
 * The filter of amounts that a request asks for; undefined: none.
 * @throws CallError INVALID_FIELD
 */
export function amountFilter({
  currency,
  minAmount,
  maxAmount,
}: AmountRequest): ((amount: Money | undefined) => boolean) | undefined {
  if (currency === '' && minAmount === 0n && maxAmount === 0n) return undefined;
  const range = unitRange('max_amount', 'min_amount', {
    min: minAmount,
    max: maxAmount === 0n ? undefined : maxAmount,
  });
  return (amount) =>
    amount !== undefined && ['', amount.currency].includes(currency) && isInRange(amount.minorUnits, range);
}

/** What a request says of transactions themselves. */
export interface TransactionRequest {
  readonly actor: string;
  readonly forced: boolean;
  readonly metadata: readonly MetadataFilter[];
}

/** The filter of transactions that a request asks for; undefined: none. */
export function transactionFilter({
  actor,
  forced,
  metadata,
}: TransactionRequest): ((transaction: Transaction) => boolean) | undefined {
  if (actor === '' && !forced && metadata.length === 0) return undefined;
  return (transaction) =>
    ['', transaction.actor].includes(actor) &&
    (!forced || transaction.forced) &&
    hasMetadata(transaction.metadata, metadata);
}

/** Whether pairs hold all that is asked for. */
export function hasMetadata(
  pairs: Readonly<Record<string, string>>,
  asked: readonly MetadataFilter[],
): boolean {
  return asked.every(
    ({ key, value }) => Object.hasOwn(pairs, key) && (value === undefined || pairs[key] === value),
  );
}
