/** The transaction that an event made, read from the event and the command that it carries. */
import { LimitKind } from '../../../gen/quittance/common/v1/account_pb.js';
import { type Event } from '../../../gen/quittance/event/v1/event_pb.js';
import type * as log from '../../../gen/quittance/event/v1/event_pb.js';
import {
  DeclineReason,
  TransactionKind,
  TransactionStatus,
} from '../../../gen/quittance/common/v1/transaction_pb.js';
import { type CommandCase, commandOf } from '../../../lib/log/canonical-body.js';
import { microsOf } from '../../../lib/base/time.js';
import { uuidFromBytes } from '../../../lib/base/uuid.js';
import type { LogRecord } from '../log/chain-walk.js';
import type { EntryFacts, FeeFacts, FeeTotalFacts, PaymentFacts, TransactionFacts } from './facts.js';

/** An event that cannot be read as what it claims to be. Its message says why. */
export class UnreadableEventError extends Error {
  override readonly name = 'UnreadableEventError';
}

/** 16 bytes as a UUID; empty for none. @throws UnreadableEventError */
export function idOf(bytes: Uint8Array): string {
  if (bytes.length === 0) return '';
  if (bytes.length !== 16) throw new UnreadableEventError('an id that is not of 16 bytes');
  return uuidFromBytes(bytes);
}

/** The account that an index of an event means. @throws UnreadableEventError */
export function accountAt(accounts: readonly log.AccountState[], index: number): log.AccountState {
  const account = accounts[index];
  if (account === undefined)
    throw new UnreadableEventError(`no account of index ${String(index)} in the event`);
  return account;
}

/** The transaction as the event made it; undefined if it made none. @throws UnreadableEventError */
export function madeBy(record: LogRecord): TransactionFacts | undefined {
  const { payload } = record.event;
  switch (payload.case) {
    case 'transactionPosted':
      return posted(record, payload.value);
    case 'transactionDeclined':
      return declined(record, payload.value);
    case 'paymentAuthorized':
      return authorized(record, payload.value);
    default:
      return undefined;
  }
}

/**
 * The command that was decoded last: the checks of an event ask for its command one after the other. A map from events would hold
 * one entry per event until the next full garbage collection.
 */
let last: { readonly event: Event; readonly command: CommandCase } | undefined;

/** The command that an event carries. @throws UnreadableEventError if it carries none. */
export function requestOf(event: Event): CommandCase {
  if (last?.event === event) return last.command;
  let command: CommandCase | undefined;
  try {
    command = commandOf(event);
  } catch {
    throw new UnreadableEventError('a canonical body that does not decode');
  }
  if (command === undefined) throw new UnreadableEventError('no canonical body');
  last = { event, command };
  return command;
}

function posted(record: LogRecord, payload: log.TransactionPosted): TransactionFacts {
  const { kind, accounts, amount } = payload;
  const request = requestOf(record.event);
  const currency = accountAt(accounts, payload.entries[0]?.account ?? 0).currency;
  const fees = kind === TransactionKind.REVERSAL ? payload.fees.map(feeOf) : requestedFees(request);
  const made = {
    ...base(record, request),
    kind,
    status: TransactionStatus.POSTED,
    currency,
    amount,
    entries: entriesOf(payload.entries, accounts),
    fees,
    paymentId: idOf(payload.paymentId),
    reverses: idOf(payload.reversesTransactionId),
    forced: payload.forced,
  };
  if (kind !== TransactionKind.PAYMENT) return made;
  const payment = {
    ...begun(request, currency),
    authorized: amount,
    captured: amount,
    fees: charged([], fees),
  };
  return { ...made, paymentId: made.transactionId, payment };
}

function declined(record: LogRecord, payload: log.TransactionDeclined): TransactionFacts {
  const { kind, accounts, amount, currency, declinedAccount } = payload;
  const request = requestOf(record.event);
  const isRoot = kind === TransactionKind.PAYMENT || kind === TransactionKind.AUTHORIZATION;
  const made = base(record, request);
  return {
    ...made,
    kind,
    status: TransactionStatus.DECLINED,
    declineReason: payload.reason,
    declinedAccountId: declinedAccount === 0 ? '' : accountAt(accounts, declinedAccount - 1).accountId,
    exceededLimit: payload.exceededLimit,
    currency,
    amount,
    entries: entriesOf(payload.entries, accounts),
    fees: kind === TransactionKind.REVERSAL ? payload.fees.map(feeOf) : requestedFees(request),
    paymentId: isRoot ? made.transactionId : idOf(payload.paymentId),
    payment: isRoot ? begun(request, currency) : undefined,
    reverses: idOf(payload.reversesTransactionId),
    forced: payload.forced,
  };
}

function authorized(record: LogRecord, payload: log.PaymentAuthorized): TransactionFacts {
  const request = requestOf(record.event);
  if (request.case !== 'authorizePayment')
    throw new UnreadableEventError('an authorization by another command');
  const { currency } = accountAt(payload.accounts, 0);
  const amount = request.value.amount?.minorUnits ?? 0n;
  const made = base(record, request);
  // Whether it was given or defaulted, the event alone has the time.
  const expireTime = payload.transactions[0]?.payment?.expireTimeMicros ?? 0n;
  return {
    ...made,
    kind: TransactionKind.AUTHORIZATION,
    status: TransactionStatus.AUTHORIZED,
    currency,
    amount,
    paymentId: made.transactionId,
    payment: { ...begun(request, currency), authorized: amount, expireTime },
  };
}

function base({ position, event }: LogRecord, { value: request }: CommandCase): TransactionFacts {
  const { batch, recordedTimeMicros: recordedTime } = event;
  const effective = 'effectiveTime' in request ? request.effectiveTime : undefined;
  return {
    transactionId: idOf(event.requestId),
    position,
    changedPosition: position,
    kind: TransactionKind.UNSPECIFIED,
    status: TransactionStatus.UNSPECIFIED,
    declineReason: DeclineReason.UNSPECIFIED,
    declinedAccountId: '',
    exceededLimit: LimitKind.UNSPECIFIED,
    currency: '',
    amount: 0n,
    entries: [],
    fees: [],
    paymentId: '',
    payment: undefined,
    reverses: '',
    reversedBy: '',
    forced: false,
    reference: 'reference' in request ? request.reference : '',
    description: 'description' in request ? request.description : '',
    metadata: 'metadata' in request ? request.metadata : {},
    annotated: false,
    effectiveTime: effective === undefined ? recordedTime : microsOf(effective),
    recordedTime,
    version: 1n,
    batch:
      batch === undefined
        ? undefined
        : { batchId: idOf(batch.batchId), index: batch.index, size: batch.size },
    actor: event.actor === '' ? 'anonymous' : event.actor,
  };
}

function begun({ value: request }: CommandCase, currency: string): PaymentFacts {
  if (!('payerAccountId' in request))
    throw new UnreadableEventError('a payment by a command that names no payer');
  const { payerAccountId, payeeAccountId } = request;
  return {
    payerAccountId,
    payeeAccountId,
    currency,
    authorized: 0n,
    captured: 0n,
    voided: 0n,
    expired: 0n,
    reversed: 0n,
    refunded: 0n,
    expireTime: 0n,
    fees: [],
  };
}

function entriesOf(entries: readonly log.Entry[], accounts: readonly log.AccountState[]): EntryFacts[] {
  return entries.map(({ account, direction, amount, version, postedAfter }) => {
    const { accountId, currency, type } = accountAt(accounts, account);
    return { accountId, currency, type, direction, amount, version, postedAfter };
  });
}

function feeOf({ paidBy, toAccountId, amount }: log.Fee): FeeFacts {
  return { paidBy, toAccountId, amount };
}

function requestedFees({ value: request }: CommandCase): readonly FeeFacts[] {
  if (!('fees' in request)) return [];
  return request.fees.map(({ paidBy, toAccountId, amount }) => ({
    paidBy,
    toAccountId,
    amount: amount?.minorUnits ?? 0n,
  }));
}

/** The totals after fees were charged; `sign` -1n if they were reversed. */
export function charged(
  totals: readonly FeeTotalFacts[],
  fees: readonly FeeFacts[],
  sign: 1n | -1n = 1n,
): readonly FeeTotalFacts[] {
  return withFees(totals, fees, (total, amount) => ({ ...total, charged: total.charged + sign * amount }));
}

/** The totals after fees were returned; `sign` -1n if the refund was reversed. */
export function returned(
  totals: readonly FeeTotalFacts[],
  fees: readonly FeeFacts[],
  sign: 1n | -1n = 1n,
): readonly FeeTotalFacts[] {
  return withFees(totals, fees, (total, amount) => ({ ...total, refunded: total.refunded + sign * amount }));
}

function withFees(
  totals: readonly FeeTotalFacts[],
  fees: readonly FeeFacts[],
  change: (total: FeeTotalFacts, amount: bigint) => FeeTotalFacts,
): readonly FeeTotalFacts[] {
  const after = new Map(totals.map((total) => [`${String(total.paidBy)} ${total.toAccountId}`, total]));
  for (const { paidBy, toAccountId, amount } of fees) {
    const key = `${String(paidBy)} ${toAccountId}`;
    const total = after.get(key) ?? { paidBy, toAccountId, charged: 0n, refunded: 0n };
    after.set(key, change(total, amount));
  }
  return [...after.values()];
}
