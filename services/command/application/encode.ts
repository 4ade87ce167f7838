/**
 * Domain events to event.v1: the whole state of what was touched, and nothing that the canonical body says already. The
 * messages of a payment are literals: the library's create takes longer than to decide it.
 */
import {
  AccountStatus,
  AccountType,
  FreezeScope,
  LimitKind,
  LimitPeriod,
} from '../../../gen/quittance/common/v1/account_pb.js';
import {
  DeclineReason,
  Direction,
  FeePayer,
  TransactionKind,
  TransactionStatus,
} from '../../../gen/quittance/common/v1/transaction_pb.js';
import * as log from '../../../gen/quittance/event/v1/event_pb.js';
import { uuidToBytes } from '../../../lib/base/uuid.js';
import type { AccountProfile, AccountState } from '../domain/account.js';
import type { AccountLimits } from '../domain/account-limits.js';
import type {
  AccountEvent,
  DomainEvent,
  LedgerCreated,
  LedgerEvent,
  TransactionDeclined,
  TransactionPosted,
} from '../domain/event.js';
import { streamOf } from '../domain/stream.js';
import { periodClosed, periodReopened } from './encode-period.js';
import type {
  Entry,
  Fee,
  FeeTotal,
  HoldChange,
  Payment,
  PostedEntry,
  TransactionState,
} from '../domain/transaction.js';

/** What the envelope of an event needs beside what happened. */
export interface Envelope {
  readonly shard: number;
  readonly epoch: number;
  readonly position: bigint;
  readonly ledgerId: string;
  /** UTC microseconds. */
  readonly recordedTime: bigint;
  /** 36 characters; empty for internal events. */
  readonly requestId: string;
  readonly ordinal: number;
  /** At ordinal 0 of a command of a caller. */
  readonly command: { readonly type: log.CommandType; readonly body: Uint8Array } | null;
  readonly actor: string;
  /** 32 hexadecimal characters, or empty. */
  readonly traceId: string;
  /** Whether the trace is recorded. */
  readonly isTraceSampled: boolean;
  readonly previousHash: Uint8Array;
  readonly batch: { readonly batchId: string; readonly index: number; readonly size: number } | null;
}

const NO_BYTES = new Uint8Array(0);

/** The event as the log has it. The caller encodes it once and hashes the bytes. */
export function encodeEvent(event: DomainEvent, envelope: Envelope): log.Event {
  const isAboutTransactions = 'transactions' in event;
  const stream = streamOf(event);
  const { batch } = envelope;
  const requestId = optionalUuid(envelope.requestId);
  const encoded: log.Event = {
    $typeName: 'quittance.event.v1.Event',
    shard: envelope.shard,
    epoch: envelope.epoch,
    position: envelope.position,
    ledgerId: envelope.ledgerId,
    stream: isAboutTransactions
      ? {
          case: 'transactionStreamId',
          value: stream === envelope.requestId ? requestId : uuidToBytes(stream),
        }
      : { case: 'entityStreamId', value: stream },
    recordedTimeMicros: envelope.recordedTime,
    requestId,
    ordinal: envelope.ordinal,
    commandType: envelope.command?.type ?? log.CommandType.UNSPECIFIED,
    canonicalBody: envelope.command?.body ?? NO_BYTES,
    actor: envelope.actor === 'anonymous' ? '' : envelope.actor,
    traceId: envelope.traceId === '' ? NO_BYTES : Buffer.from(envelope.traceId, 'hex'),
    traceSampled: envelope.isTraceSampled,
    previousHash: envelope.previousHash,
    ignorable: false,
    payload: payloadOf(event, envelope.requestId),
  };
  if (batch !== null) {
    const { batchId, index, size } = batch;
    encoded.batch = { $typeName: 'quittance.event.v1.Batch', batchId: uuidToBytes(batchId), index, size };
  }
  return encoded;
}

function ledgerCreated({ description, metadata }: LedgerCreated) {
  return {
    $typeName: 'quittance.event.v2.LedgerCreated' as const,
    description,
    metadata: { ...metadata },
  };
}

function ledgerPayload(event: LedgerEvent): log.Event['payload'] {
  switch (event.type) {
    case 'LedgerCreated':
      return { case: 'ledgerCreatedV2', value: ledgerCreated(event) };
    case 'PeriodClosed':
      return { case: 'periodClosed', value: periodClosed(event) };
    case 'PeriodReopened':
      return { case: 'periodReopened', value: periodReopened(event) };
  }
}

function payloadOf(event: DomainEvent, requestId: string): log.Event['payload'] {
  switch (event.type) {
    case 'LedgerCreated':
    case 'PeriodClosed':
    case 'PeriodReopened':
      return ledgerPayload(event);
    case 'AssetRegistered':
    case 'AccountOpened':
    case 'AccountUpdated':
    case 'AccountFrozen':
    case 'AccountUnfrozen':
    case 'AccountClosed':
      return accountPayload(event);
    case 'TransactionPosted':
      return { case: 'transactionPosted', value: posted(event, requestId) };
    case 'TransactionDeclined':
      return { case: 'transactionDeclined', value: declined(event, requestId) };
    case 'TransactionUpdated': {
      const transactions = states(event.transactions, requestId);
      return {
        case: 'transactionUpdated',
        value: { $typeName: 'quittance.event.v1.TransactionUpdated', transactions },
      };
    }
    case 'PaymentAuthorized':
      return {
        case: 'paymentAuthorized',
        value: { $typeName: 'quittance.event.v1.PaymentAuthorized', ...held(event, requestId) },
      };
    case 'PaymentAdjusted':
      return {
        case: 'paymentAdjusted',
        value: { $typeName: 'quittance.event.v1.PaymentAdjusted', ...held(event, requestId) },
      };
    case 'PaymentVoided':
      return {
        case: 'paymentVoided',
        value: { $typeName: 'quittance.event.v1.PaymentVoided', ...held(event, requestId) },
      };
    case 'PaymentExpired':
      return {
        case: 'paymentExpired',
        value: { $typeName: 'quittance.event.v1.PaymentExpired', ...held(event, requestId) },
      };
  }
}

function accountPayload(event: AccountEvent): log.Event['payload'] {
  const account = accountState(event.account.state);
  switch (event.type) {
    case 'AssetRegistered': {
      const profile = accountProfile(event.account.profile);
      return {
        case: 'assetRegistered',
        value: { $typeName: 'quittance.event.v1.AssetRegistered', account, profile },
      };
    }
    case 'AccountOpened': {
      const profile = accountProfile(event.account.profile);
      return {
        case: 'accountOpened',
        value: { $typeName: 'quittance.event.v1.AccountOpened', account, profile },
      };
    }
    case 'AccountUpdated': {
      const profile = accountProfile(event.account.profile);
      return {
        case: 'accountUpdated',
        value: { $typeName: 'quittance.event.v1.AccountUpdated', account, profile },
      };
    }
    case 'AccountFrozen':
      return { case: 'accountFrozen', value: { $typeName: 'quittance.event.v1.AccountFrozen', account } };
    case 'AccountUnfrozen':
      return { case: 'accountUnfrozen', value: { $typeName: 'quittance.event.v1.AccountUnfrozen', account } };
    case 'AccountClosed':
      return { case: 'accountClosed', value: { $typeName: 'quittance.event.v1.AccountClosed', account } };
  }
}

function posted(event: TransactionPosted, requestId: string): log.TransactionPosted {
  const own = ownTransaction(event);
  const index = indexOf(event.accounts);
  return {
    $typeName: 'quittance.event.v1.TransactionPosted',
    kind: TransactionKind[event.kind],
    accounts: event.accounts.map(accountState),
    holdChanges: event.holdChanges.map((change) => holdChange(change, index)),
    entries: event.entries.map((entry) => postedEntry(entry, index)),
    transactions: states(event.transactions, requestId),
    paymentId: paymentOf(own),
    reversesTransactionId: optionalUuid(own.reverses ?? ''),
    forced: event.forced,
    amount: own.amount,
    fees: own.kind === 'REVERSAL' ? own.fees.map(fee) : [],
  };
}

function declined(event: TransactionDeclined, requestId: string): log.TransactionDeclined {
  const own = ownTransaction(event);
  const index = indexOf(event.accounts);
  const cause = event.declinedAccountId === null ? undefined : index(event.declinedAccountId);
  return {
    $typeName: 'quittance.event.v1.TransactionDeclined',
    kind: TransactionKind[event.kind],
    reason: DeclineReason[event.reason],
    accounts: event.accounts.map(accountState),
    entries: own.entries.map((entry) => intendedEntry(entry, index)),
    declinedAccount: cause === undefined ? 0 : cause + 1,
    paymentId: own.paymentId === requestId ? NO_BYTES : paymentOf(own),
    reversesTransactionId: optionalUuid(own.reverses ?? ''),
    forced: event.forced,
    amount: own.amount,
    currency: own.currency,
    exceededLimit: event.exceededLimit === null ? LimitKind.UNSPECIFIED : LimitKind[event.exceededLimit],
    fees: own.kind === 'REVERSAL' ? own.fees.map(fee) : [],
  };
}

interface Held {
  readonly accounts: readonly AccountState[];
  readonly holdChanges: readonly HoldChange[];
  readonly transactions: readonly TransactionState[];
}

function held(event: Held, requestId: string) {
  const index = indexOf(event.accounts);
  return {
    accounts: event.accounts.map(accountState),
    holdChanges: event.holdChanges.map((change) => holdChange(change, index)),
    transactions: states(event.transactions, requestId),
  };
}

function ownTransaction(event: { readonly transactions: readonly TransactionState[] }): TransactionState {
  const own = event.transactions[0];
  if (own === undefined) throw new Error('an event of a transaction carries it');
  return own;
}

/** Empty where the payment is the transaction's own. */
function paymentOf(own: TransactionState): Uint8Array {
  return own.paymentId === null || own.paymentId === own.transactionId
    ? NO_BYTES
    : uuidToBytes(own.paymentId);
}

/** The event's own new transaction is left out unless it is the root of a payment: the event says all of it. */
function states(transactions: readonly TransactionState[], requestId: string): log.TransactionState[] {
  return transactions
    .filter((state) => state.transactionId !== requestId || state.payment !== null)
    .map((state) => transactionState(state, state.transactionId === requestId));
}

function transactionState(state: TransactionState, isOwn: boolean): log.TransactionState {
  const encoded: log.TransactionState = {
    $typeName: 'quittance.event.v1.TransactionState',
    transactionId: isOwn ? NO_BYTES : uuidToBytes(state.transactionId),
    version: state.version,
    status: TransactionStatus[state.status],
    reversedByTransactionId: optionalUuid(state.reversedBy ?? ''),
  };
  if (state.payment !== null) {
    encoded.payment = paymentState(state.payment, isOwn);
    // Of a declined payment nothing was authorized, whatever was asked for.
    if (state.status === 'DECLINED') encoded.payment.authorized = 0n;
  }
  if (state.annotated) {
    const { description, metadata } = state;
    encoded.annotation = {
      $typeName: 'quittance.event.v1.Annotation',
      description,
      metadata: { ...metadata },
    };
  }
  return encoded;
}

function paymentState(payment: Payment, isOwn: boolean): log.PaymentState {
  return {
    $typeName: 'quittance.event.v1.PaymentState',
    payerAccountId: isOwn ? '' : payment.payerAccountId,
    payeeAccountId: isOwn ? '' : payment.payeeAccountId,
    currency: isOwn ? '' : payment.currency,
    authorized: payment.authorized,
    captured: payment.captured,
    voided: payment.voided,
    expired: payment.expired,
    reversed: payment.reversed,
    refunded: payment.refunded,
    expireTimeMicros: payment.expireTime ?? 0n,
    fees: payment.fees.map(feeTotal),
  };
}

function feeTotal({ paidBy, toAccountId, charged, refunded }: FeeTotal): log.FeeTotal {
  return {
    $typeName: 'quittance.event.v1.FeeTotal',
    paidBy: FeePayer[paidBy],
    toAccountId,
    charged,
    refunded,
  };
}

function accountState(state: AccountState): log.AccountState {
  const encoded: log.AccountState = {
    $typeName: 'quittance.event.v1.AccountState',
    accountId: state.accountId,
    type: AccountType[state.type],
    currency: state.currency,
    status: AccountStatus[state.status],
    freezeScope: state.freezeScope === null ? FreezeScope.UNSPECIFIED : FreezeScope[state.freezeScope],
    overdraftLimit: state.overdraftLimit,
    credits: state.credits,
    debits: state.debits,
    held: state.held,
    version: state.version,
  };
  if (state.limits !== null) encoded.limits = accountLimits(state.limits);
  return encoded;
}

function accountLimits({ debit, balance, timeZone, windows }: AccountLimits): log.AccountLimits {
  return {
    $typeName: 'quittance.event.v1.AccountLimits',
    debit,
    balance,
    timeZone,
    windows: windows.map(({ period, amount, count, start, end, usedAmount, usedCount }) => ({
      $typeName: 'quittance.event.v1.DebitWindow',
      period: LimitPeriod[period],
      amount,
      count,
      startMicros: start,
      endMicros: end,
      usedAmount,
      usedCount,
    })),
  };
}

function accountProfile(profile: AccountProfile): log.AccountProfile {
  const { name, ownerReference, metadata, profileVersion } = profile;
  return {
    $typeName: 'quittance.event.v1.AccountProfile',
    name,
    ownerReference,
    metadata: { ...metadata },
    profileVersion,
  };
}

function fee({ paidBy, toAccountId, amount }: Fee): log.Fee {
  return { $typeName: 'quittance.event.v1.Fee', paidBy: FeePayer[paidBy], toAccountId, amount };
}

/** Finds an account of an event by its id. */
type AccountIndex = (accountId: string) => number | undefined;

/** Up to here it is quicker to look through the accounts than to make a map of them. */
const FEW_ACCOUNTS = 8;

function indexOf(accounts: readonly AccountState[]): AccountIndex {
  if (accounts.length <= FEW_ACCOUNTS) {
    return (accountId) => {
      const found = accounts.findIndex((account) => account.accountId === accountId);
      return found === -1 ? undefined : found;
    };
  }
  const indexes = new Map(accounts.map((account, index) => [account.accountId, index]));
  return (accountId) => indexes.get(accountId);
}

function at(index: AccountIndex, accountId: string): number {
  const found = index(accountId);
  if (found === undefined) throw new Error('an event carries every account that it touches');
  return found;
}

function holdChange(change: HoldChange, index: AccountIndex): log.HoldChange {
  const { delta, heldAfter, version } = change;
  return {
    $typeName: 'quittance.event.v1.HoldChange',
    account: at(index, change.accountId),
    delta,
    heldAfter,
    version,
  };
}

function postedEntry(entry: PostedEntry, index: AccountIndex): log.Entry {
  return {
    $typeName: 'quittance.event.v1.Entry',
    account: at(index, entry.accountId),
    direction: Direction[entry.direction],
    amount: entry.amount,
    version: entry.version,
    postedAfter: entry.postedAfter,
  };
}

/** What was not posted made no version and left no balance. */
function intendedEntry(entry: Entry, index: AccountIndex): log.Entry {
  return {
    $typeName: 'quittance.event.v1.Entry',
    account: at(index, entry.accountId),
    direction: Direction[entry.direction],
    amount: entry.amount,
    version: 0n,
    postedAfter: 0n,
  };
}

function optionalUuid(text: string): Uint8Array {
  return text === '' ? NO_BYTES : uuidToBytes(text);
}
