/** Refusals of the domain as errors of the API. */
import { toJson } from '@bufbuild/protobuf';
import { TimestampSchema } from '@bufbuild/protobuf/wkt';
import { Code } from '@connectrpc/connect';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { timestampOf } from '../../../lib/base/time.js';
import { type CallError, fail, type FailOptions } from '../../../lib/rpc/errors.js';
import type { Refusal } from '../domain/decision.js';

const RESOURCES: Partial<Record<Refusal['reason'], string>> = {
  LEDGER_NOT_FOUND: 'ledger',
  LEDGER_ALREADY_EXISTS: 'ledger',
  ACCOUNT_NOT_FOUND: 'account',
  ACCOUNT_ALREADY_EXISTS: 'account',
  TRANSACTION_NOT_FOUND: 'transaction',
  PAYMENT_NOT_FOUND: 'payment',
  ASSET_ALREADY_EXISTS: 'asset',
  ASSET_DIFFERS: 'asset',
};
/** The caller's input, though only the clock or the ledger can tell. */
const INPUT: ReadonlySet<Refusal['reason']> = new Set([
  'TIME_OUT_OF_RANGE',
  'UNKNOWN_CURRENCY',
  'INVALID_FIELD',
  'PERIOD_IN_FUTURE',
]);

/** An error with the reason of the refusal and what it is about. `index` is the item's place in an atomic batch. */
export function refusalError(refusal: Refusal, index?: number): CallError {
  const reason = ErrorReason[refusal.reason];
  const metadata = index === undefined ? {} : { index: String(index) };
  const text = textOf(refusal);
  const message = index === undefined ? text : `commands[${String(index)}]: ${text}`;
  return fail(reason, message, { ...aboutOf(refusal, index), metadata });
}

/** The domain says times in microseconds; people read dates. */
function textOf({ message, closedThrough }: Refusal): string {
  if (closedThrough === undefined) return message;
  return `${message} It is closed up to ${toJson(TimestampSchema, timestampOf(closedThrough))}.`;
}

function aboutOf({ reason, message, field, resourceId }: Refusal, index?: number): FailOptions {
  const type = RESOURCES[reason];
  if (type !== undefined) return { resource: { type, name: resourceId ?? '' } };
  if (INPUT.has(reason)) {
    const path = index === undefined ? '' : `commands[${String(index)}].`;
    const fields = field === undefined ? [] : [{ field: `${path}${field}`, description: message }];
    return { fields, code: Code.InvalidArgument };
  }
  return { precondition: [{ type: reason, subject: resourceId ?? field ?? '', description: message }] };
}
