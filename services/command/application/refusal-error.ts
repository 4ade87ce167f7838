/** Refusals of the domain as errors of the API. */
import { Code } from '@connectrpc/connect';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
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
]);

/** An error with the reason of the refusal and what it is about. `index` is the item's place in an atomic batch. */
export function refusalError(refusal: Refusal, index?: number): CallError {
  const reason = ErrorReason[refusal.reason];
  const metadata = index === undefined ? {} : { index: String(index) };
  const message = index === undefined ? refusal.message : `commands[${String(index)}]: ${refusal.message}`;
  return fail(reason, message, { ...aboutOf(refusal, index), metadata });
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
