/** Answers: each a pure function of the command's events, so that a replay answers as the first time. */
import { create } from '@bufbuild/protobuf';
import * as accounts from '../../../gen/quittance/command/v1/account_command_service_pb.js';
import * as ledgers from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import * as transactions from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import type { Account } from '../../../gen/quittance/common/v1/account_pb.js';
import { LedgerSchema } from '../../../gen/quittance/common/v1/transaction_pb.js';
import type { Event } from '../../../gen/quittance/event/v1/event_pb.js';
import { accountOf, accountsChangedBy, profileOf } from '../../../lib/log/account-of.js';
import { type CommandCase, commandOf } from '../../../lib/log/canonical-body.js';
import { transactionChangesOf, transactionOf } from '../../../lib/log/transaction-of.js';
import { timestampOf } from '../../../lib/base/time.js';
import { encodeConsistencyToken } from '../../../lib/rpc/tokens.js';
import type { Decided } from '../application/job.js';

/** The log that tokens name. */
export interface LogIdentity {
  readonly logId: Uint8Array;
  readonly shard: number;
}

type Result = transactions.CommandResult['result'];
/** The answer to a command, under the name of its case. */
export type Answer = Exclude<Result, { case: undefined | 'error' }>;

type Tail = ReturnType<typeof tailOf>;
type AccountKind = 'openAccount' | 'updateAccount' | 'freezeAccount' | 'unfreezeAccount' | 'closeAccount';

/** The answer to a command of this kind. */
export function answerOf(kind: CommandCase['case'], decided: Decided, log: LogIdentity): Answer {
  const event = decided.events[0];
  if (event === undefined) throw new Error('a command of a caller has an event');
  const { command } = decided;
  const tail = tailOf(decided, log);
  switch (kind) {
    case 'createLedger': {
      const ledger = ledgerOf(event);
      return { case: kind, value: create(ledgers.CreateLedgerResponseSchema, { ledger, ...tail }) };
    }
    case 'openAccount':
    case 'updateAccount':
    case 'freezeAccount':
    case 'unfreezeAccount':
    case 'closeAccount':
      return accountAnswer(kind, event, tail);
    case 'voidPayment':
      return {
        case: kind,
        value: create(transactions.VoidPaymentResponseSchema, { ...voided(event), ...tail }),
      };
    case 'updateTransaction':
      return {
        case: kind,
        value: create(transactions.UpdateTransactionResponseSchema, { ...updated(event), ...tail }),
      };
    default:
      return movementAnswer(kind, event, command, tail);
  }
}

function accountAnswer(kind: AccountKind, event: Event, tail: Tail): Answer {
  const account = accountIn(event);
  if (kind === 'openAccount') account.openTime = timestampOf(event.recordedTimeMicros);
  const answer = { account, ...tail };
  switch (kind) {
    case 'openAccount':
      return { case: kind, value: create(accounts.OpenAccountResponseSchema, answer) };
    case 'updateAccount':
      return { case: kind, value: create(accounts.UpdateAccountResponseSchema, answer) };
    case 'freezeAccount':
      return { case: kind, value: create(accounts.FreezeAccountResponseSchema, answer) };
    case 'unfreezeAccount':
      return { case: kind, value: create(accounts.UnfreezeAccountResponseSchema, answer) };
    case 'closeAccount':
      return { case: kind, value: create(accounts.CloseAccountResponseSchema, answer) };
  }
}

type MovementKind = Exclude<
  CommandCase['case'],
  AccountKind | 'createLedger' | 'voidPayment' | 'updateTransaction'
>;

function movementAnswer(kind: MovementKind, event: Event, command: Decided['command'], tail: Tail): Answer {
  const answer = { ...moved(event, command), ...tail };
  switch (kind) {
    case 'deposit':
      return { case: kind, value: create(transactions.DepositResponseSchema, answer) };
    case 'withdraw':
      return { case: kind, value: create(transactions.WithdrawResponseSchema, answer) };
    case 'submitPayment':
      return { case: kind, value: create(transactions.SubmitPaymentResponseSchema, answer) };
    case 'authorizePayment':
      return { case: kind, value: create(transactions.AuthorizePaymentResponseSchema, answer) };
    case 'capturePayment': {
      const capture = { ...answer, ...paymentIn(event) };
      return { case: kind, value: create(transactions.CapturePaymentResponseSchema, capture) };
    }
    case 'refundPayment': {
      const refund = { ...answer, ...paymentIn(event) };
      return { case: kind, value: create(transactions.RefundPaymentResponseSchema, refund) };
    }
    case 'postTransaction':
      return { case: kind, value: create(transactions.PostTransactionResponseSchema, answer) };
    case 'reverseTransaction':
      return { case: kind, value: create(transactions.ReverseTransactionResponseSchema, answer) };
  }
}

/** Position and token of a batch: of its last event. */
export function tailOf({ point, replayed }: Decided, log: LogIdentity) {
  if (point === null) return { replayed };
  return { position: point.position, consistencyToken: tokenOf(point, log), replayed };
}

function tokenOf(point: NonNullable<Decided['point']>, { logId, shard }: LogIdentity): string {
  const { epoch, position, hash } = point;
  return encodeConsistencyToken({ logId, shard, epoch, position, hash });
}

function ledgerOf(event: Event) {
  const command = commandOf(event);
  if (command?.case !== 'createLedger') throw new Error('LedgerCreated carries its command');
  const { ledgerId, description, metadata } = command.value;
  const createTime = timestampOf(event.recordedTimeMicros);
  return create(LedgerSchema, { ledgerId, description, metadata, createTime, position: event.position });
}

function accountIn(event: Event): Account {
  const state = accountsChangedBy(event)[0];
  if (state === undefined) throw new Error('an account event carries its account');
  return accountOf(event.ledgerId, state, event.position, profileOf(event));
}

/** The transaction made and the accounts it touched; of a declined one as they were. */
function moved(event: Event, command: Decided['command']) {
  const transaction = transactionOf(event, command);
  if (transaction === undefined) throw new Error('the event makes a transaction');
  const { payload, ledgerId } = event;
  const isDeclined = payload.case === 'transactionDeclined';
  const states = isDeclined ? payload.value.accounts : accountsChangedBy(event);
  const position = isDeclined ? 0n : event.position;
  return { transaction, accounts: states.map((state) => accountOf(ledgerId, state, position, undefined)) };
}

/** The payment that the event changed: the one root among the changed transactions. */
function paymentIn(event: Event) {
  const payment = transactionChangesOf(event).find((change) => change.payment !== undefined)?.payment;
  return payment === undefined ? {} : { payment };
}

function voided(event: Event) {
  const root = transactionChangesOf(event)[0];
  if (root?.payment === undefined) throw new Error('PaymentVoided carries its payment');
  const changed = accountsChangedBy(event);
  return {
    status: root.status,
    accounts: changed.map((state) => accountOf(event.ledgerId, state, event.position, undefined)),
    payment: root.payment,
  };
}

function updated(event: Event) {
  const change = transactionChangesOf(event)[0];
  if (change?.annotation === undefined) throw new Error('TransactionUpdated carries what it set');
  const { description, metadata } = change.annotation;
  return { transactionId: change.transactionId, description, metadata, version: change.version };
}
