/** What an event says of transactions, with what its canonical body says filled in again. */
import { create } from '@bufbuild/protobuf';
import { LimitKind } from '../../gen/quittance/common/v1/account_pb.js';
import type { Money } from '../../gen/quittance/common/v1/money_pb.js';
import {
  type Entry,
  type Fee,
  type FeePayer,
  type FeeTotal,
  type Payment,
  PaymentSchema,
  BatchInfoSchema,
  DeclineReason,
  type Transaction,
  TransactionKind,
  TransactionStatus,
} from '../../gen/quittance/common/v1/transaction_pb.js';
import type * as api from '../../gen/quittance/command/v1/transaction_command_service_pb.js';
import type * as log from '../../gen/quittance/event/v1/event_pb.js';
import { codeOf, knownExponent } from '../base/currency.js';
import { timestampOf } from '../base/time.js';
import { uuidFromBytes } from '../base/uuid.js';
import { type CommandCase, commandOf } from './canonical-body.js';

/** The requests that make a transaction. */
type Descriptive =
  | api.DepositRequest
  | api.WithdrawRequest
  | api.SubmitPaymentRequest
  | api.AuthorizePaymentRequest
  | api.CapturePaymentRequest
  | api.RefundPaymentRequest
  | api.PostTransactionRequest
  | api.ReverseTransactionRequest;

/** What a request says of the transaction that it makes. */
type Described = Pick<Descriptive, 'reference' | 'description' | 'metadata' | 'effectiveTime'>;

/** A later change of a transaction: all that can change of it, whole, after the event. */
export interface TransactionChange {
  readonly transactionId: string;
  readonly version: bigint;
  readonly status: TransactionStatus;
  /** Empty if not reversed. */
  readonly reversedBy: string;
  /** On the root of a payment only. */
  readonly payment: Payment | undefined;
  /** Undefined: description and metadata are still those of its own event. */
  readonly annotation: log.Annotation | undefined;
}

/** An amount of a unit. */
export function money(unit: string, minorUnits: bigint): Money {
  return {
    $typeName: 'quittance.common.v1.Money',
    currency: codeOf(unit),
    minorUnits,
    exponent: knownExponent(unit),
  };
}

/**
 * The transaction that an event made, as it was right after; undefined if it made none. `command` is the command that the
 * event carries as its canonical body: a caller that still holds it saves the decoding.
 */
export function transactionOf(event: log.Event, command?: CommandCase | null): Transaction | undefined {
  switch (event.payload.case) {
    case 'transactionPosted': {
      const posted = event.payload.value;
      const currency = posted.accounts[posted.entries[0]?.account ?? 0]?.currency ?? '';
      return made(event, command, posted.kind, TransactionStatus.POSTED, money(currency, posted.amount), {
        entries: entriesOf(posted.entries, posted.accounts),
        own: posted.transactions[0],
        paymentId: posted.paymentId,
        reverses: posted.reversesTransactionId,
        forced: posted.forced,
        fees: posted.fees,
      });
    }
    case 'transactionDeclined': {
      const declined = event.payload.value;
      const transaction = made(
        event,
        command,
        declined.kind,
        TransactionStatus.DECLINED,
        money(declined.currency, declined.amount),
        {
          entries: entriesOf(declined.entries, declined.accounts),
          own: undefined,
          paymentId: declined.paymentId,
          reverses: declined.reversesTransactionId,
          forced: declined.forced,
          fees: declined.fees,
        },
      );
      transaction.declineReason = declined.reason;
      transaction.declinedAccountId = declined.accounts[declined.declinedAccount - 1]?.accountId ?? '';
      transaction.exceededLimit = declined.exceededLimit;
      return transaction;
    }
    case 'paymentAuthorized': {
      const authorized = event.payload.value;
      const currency = authorized.accounts[0]?.currency ?? '';
      const own = authorized.transactions[0];
      const amount = money(currency, own?.payment?.authorized ?? 0n);
      return made(event, command, TransactionKind.AUTHORIZATION, TransactionStatus.AUTHORIZED, amount, {
        entries: [],
        own,
        paymentId: new Uint8Array(0),
        reverses: new Uint8Array(0),
        forced: false,
        fees: [],
      });
    }
    default:
      return undefined;
  }
}

/** The transactions that an event changed after they were made, each whole. Its own, newly made one is not among them. */
export function transactionChangesOf(event: log.Event): TransactionChange[] {
  return transactionStatesIn(event)
    .filter((state) => state.transactionId.length > 0)
    .map((state) => transactionChangeOf(uuidFromBytes(state.transactionId), state));
}

/** What an event says of transactions that can change: the changed ones, and its own where it has a payment. */
export function transactionStatesIn(event: log.Event): readonly log.TransactionState[] {
  const payload = event.payload.value;
  return payload !== undefined && 'transactions' in payload ? payload.transactions : [];
}

/** A state as the change that it is. */
export function transactionChangeOf(transactionId: string, state: log.TransactionState): TransactionChange {
  return {
    transactionId,
    version: state.version,
    status: state.status,
    reversedBy: optionalUuid(state.reversedByTransactionId),
    payment:
      state.payment === undefined
        ? undefined
        : paymentOf(transactionId, state.payment, state.version, undefined),
    annotation: state.annotation,
  };
}

/** Brings a transaction to what a change says, unless it is there already or beyond. Returns whether it changed. */
export function applyTransactionChange(transaction: Transaction, change: TransactionChange): boolean {
  if (transaction.version >= change.version) return false;
  transaction.version = change.version;
  transaction.status = change.status;
  transaction.reversedByTransactionId = change.reversedBy;
  if (change.payment !== undefined) transaction.payment = change.payment;
  if (change.annotation !== undefined) {
    transaction.description = change.annotation.description;
    transaction.metadata = change.annotation.metadata;
  }
  return true;
}

/** The accounts that a transaction names: of its entries, and payer and payee of an authorization. In order, once each. */
export function accountsNamedBy(transaction: Transaction): string[] {
  const names = new Set(transaction.entries.map((entry) => entry.accountId));
  if (transaction.payment !== undefined) {
    names.add(transaction.payment.payerAccountId);
    names.add(transaction.payment.payeeAccountId);
  }
  return [...names];
}

interface Parts {
  readonly entries: Entry[];
  readonly own: log.TransactionState | undefined;
  readonly paymentId: Uint8Array;
  readonly reverses: Uint8Array;
  readonly forced: boolean;
  readonly fees: readonly log.Fee[];
}

function made(
  event: log.Event,
  command: CommandCase | null | undefined,
  kind: TransactionKind,
  status: TransactionStatus,
  amount: Money,
  parts: Parts,
): Transaction {
  const request = descriptive(command ?? commandOf(event));
  const transactionId = uuidFromBytes(event.requestId);
  // The root of a payment is where the payment began, declined or not.
  const isRoot = kind === TransactionKind.PAYMENT || kind === TransactionKind.AUTHORIZATION;
  const own = parts.own?.transactionId.length === 0 ? parts.own : undefined;
  const recordedTime = timestampOf(event.recordedTimeMicros);
  const transaction: Transaction = {
    $typeName: 'quittance.common.v1.Transaction',
    ledgerId: event.ledgerId,
    transactionId,
    kind,
    status,
    declineReason: DeclineReason.UNSPECIFIED,
    declinedAccountId: '',
    exceededLimit: LimitKind.UNSPECIFIED,
    amount,
    entries: parts.entries,
    fees: feesOf(parts.fees, request),
    paymentId: isRoot ? transactionId : optionalUuid(parts.paymentId),
    reversesTransactionId: optionalUuid(parts.reverses),
    reversedByTransactionId: '',
    forced: parts.forced,
    reference: request.reference,
    description: request.description,
    metadata: request.metadata,
    effectiveTime: request.effectiveTime ?? recordedTime,
    recordedTime,
    position: event.position,
    version: own?.version ?? 1n,
    actor: event.actor === '' ? 'anonymous' : event.actor,
  };
  if (isRoot) transaction.payment = rootPayment(transactionId, own, status, request, amount);
  if (event.batch !== undefined) {
    const { batchId, index, size } = event.batch;
    transaction.batch = create(BatchInfoSchema, { batchId: uuidFromBytes(batchId), index, size });
  }
  return transaction;
}

function descriptive(command: CommandCase | undefined): Descriptive | Described {
  // Requests on a hold make a transaction only where they are declined, and say nothing of it.
  if (command?.case === 'adjustAuthorization' || command?.case === 'voidPayment')
    return { reference: '', description: '', metadata: {} };
  if (command === undefined || !('effectiveTime' in command.value || 'reference' in command.value)) {
    throw new Error('an event that makes a transaction carries the command that asked for it');
  }
  return command.value;
}

/** Of a declined payment all totals are zero: nothing was authorized. */
function rootPayment(
  paymentId: string,
  own: log.TransactionState | undefined,
  status: TransactionStatus,
  request: Descriptive | Described,
  amount: Money,
): Payment {
  if (own?.payment !== undefined) return paymentOf(paymentId, own.payment, own.version, { request, amount });
  if (status !== TransactionStatus.DECLINED) throw new Error('the root of a payment carries its totals');
  if (!('payerAccountId' in request)) throw new Error('the root of a payment names its parties');
  return create(PaymentSchema, {
    paymentId,
    payerAccountId: request.payerAccountId,
    payeeAccountId: request.payeeAccountId,
    currency: amount.currency,
    exponent: amount.exponent ?? 0,
    version: 1n,
  });
}

function paymentOf(
  paymentId: string,
  state: log.PaymentState,
  version: bigint,
  made: { readonly request: Descriptive | Described; readonly amount: Money } | undefined,
): Payment {
  const parties = made !== undefined && 'payerAccountId' in made.request ? made.request : undefined;
  const payment: Payment = {
    $typeName: 'quittance.common.v1.Payment',
    paymentId,
    payerAccountId: state.payerAccountId !== '' ? state.payerAccountId : (parties?.payerAccountId ?? ''),
    payeeAccountId: state.payeeAccountId !== '' ? state.payeeAccountId : (parties?.payeeAccountId ?? ''),
    // Where the event made the payment, its amount says the currency.
    currency: made?.amount.currency ?? codeOf(state.currency),
    exponent: made?.amount.exponent ?? knownExponent(state.currency),
    authorized: state.authorized,
    captured: state.captured,
    voided: state.voided,
    expired: state.expired,
    reversed: state.reversed,
    refunded: state.refunded,
    fees: state.fees.map(feeTotalOf),
    version,
  };
  if (state.expireTimeMicros !== 0n) payment.expireTime = timestampOf(state.expireTimeMicros);
  return payment;
}

function entriesOf(entries: readonly log.Entry[], accounts: readonly log.AccountState[]): Entry[] {
  return entries.map((entry, index) => {
    const account = accounts[entry.account];
    if (account === undefined) throw new Error('an entry names an account that its event does not carry');
    return {
      $typeName: 'quittance.common.v1.Entry',
      index,
      accountId: account.accountId,
      direction: entry.direction,
      amount: money(account.currency, entry.amount),
      accountVersion: entry.version,
      postedAfter: entry.postedAfter,
    };
  });
}

function feesOf(mirrored: readonly log.Fee[], request: Descriptive | Described): Fee[] {
  if (mirrored.length > 0) {
    return mirrored.map(({ paidBy, toAccountId, amount }) => feeOf(paidBy, toAccountId, amount));
  }
  if (!('fees' in request)) return [];
  return request.fees.map(({ paidBy, toAccountId, amount }) =>
    feeOf(paidBy, toAccountId, amount?.minorUnits ?? 0n),
  );
}

function feeOf(paidBy: FeePayer, toAccountId: string, minorUnits: bigint): Fee {
  return { $typeName: 'quittance.common.v1.Fee', paidBy, toAccountId, minorUnits };
}

function feeTotalOf({ paidBy, toAccountId, charged, refunded }: log.FeeTotal): FeeTotal {
  return { $typeName: 'quittance.common.v1.FeeTotal', paidBy, toAccountId, charged, refunded };
}

function optionalUuid(bytes: Uint8Array): string {
  return bytes.length === 0 ? '' : uuidFromBytes(bytes);
}
