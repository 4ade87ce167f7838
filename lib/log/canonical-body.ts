/**
 * The canonical body of a command: the request in deterministic binary form without request_id and validate_only. The
 * event at ordinal 0 carries it, so that a later command under the same id can be told from a retry, field by field.
 */
import { create, type DescMessage } from '@bufbuild/protobuf';
import * as accounts from '../../gen/quittance/command/v1/account_command_service_pb.js';
import * as ledgers from '../../gen/quittance/command/v1/ledger_command_service_pb.js';
import * as transactions from '../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { CommandType, type Event } from '../../gen/quittance/event/v1/event_pb.js';
import { decodeMessage, encodeMessage } from '../base/codec/binary.js';

/** A command as the API takes it, each case with its request message. */
export type CommandCase = Exclude<transactions.Command['command'], { case: undefined }>;

const CASES = {
  createLedger: [CommandType.CREATE_LEDGER, ledgers.CreateLedgerRequestSchema],
  openAccount: [CommandType.OPEN_ACCOUNT, accounts.OpenAccountRequestSchema],
  updateAccount: [CommandType.UPDATE_ACCOUNT, accounts.UpdateAccountRequestSchema],
  freezeAccount: [CommandType.FREEZE_ACCOUNT, accounts.FreezeAccountRequestSchema],
  unfreezeAccount: [CommandType.UNFREEZE_ACCOUNT, accounts.UnfreezeAccountRequestSchema],
  closeAccount: [CommandType.CLOSE_ACCOUNT, accounts.CloseAccountRequestSchema],
  deposit: [CommandType.DEPOSIT, transactions.DepositRequestSchema],
  withdraw: [CommandType.WITHDRAW, transactions.WithdrawRequestSchema],
  submitPayment: [CommandType.SUBMIT_PAYMENT, transactions.SubmitPaymentRequestSchema],
  authorizePayment: [CommandType.AUTHORIZE_PAYMENT, transactions.AuthorizePaymentRequestSchema],
  capturePayment: [CommandType.CAPTURE_PAYMENT, transactions.CapturePaymentRequestSchema],
  voidPayment: [CommandType.VOID_PAYMENT, transactions.VoidPaymentRequestSchema],
  refundPayment: [CommandType.REFUND_PAYMENT, transactions.RefundPaymentRequestSchema],
  postTransaction: [CommandType.POST_TRANSACTION, transactions.PostTransactionRequestSchema],
  reverseTransaction: [CommandType.REVERSE_TRANSACTION, transactions.ReverseTransactionRequestSchema],
  updateTransaction: [CommandType.UPDATE_TRANSACTION, transactions.UpdateTransactionRequestSchema],
} as const satisfies Record<CommandCase['case'], readonly [CommandType, DescMessage]>;

const BY_TYPE: ReadonlyMap<CommandType, { name: CommandCase['case']; schema: DescMessage }> = new Map(
  Object.entries(CASES).map(([name, [type, schema]]) => [
    type,
    { name: name as CommandCase['case'], schema },
  ]),
);

/** The message schema of a case. */
export function requestSchema(name: CommandCase['case']): DescMessage {
  return CASES[name][1];
}

/** The number under which the log knows a case. */
export function commandTypeOf(name: CommandCase['case']): CommandType {
  return CASES[name][0];
}

/**
 * A copy of a request without request_id and validate_only, its map entries sorted by key: what the canonical body says, and
 * what is decoded from it later. No default is filled in. The request itself stays as it is.
 */
export function canonicalCommand(command: CommandCase): CommandCase {
  const value = { ...command.value, requestId: '', validateOnly: false };
  if ('metadata' in value) value.metadata = sortedByKey(value.metadata);
  return Object.assign({ ...command }, { value });
}

/** The canonical body of a request as it was given. */
export function canonicalBody(command: CommandCase): Uint8Array {
  return encodeCommand(canonicalCommand(command));
}

/** The bytes of a command in canonical form. */
export function encodeCommand(canonical: CommandCase): Uint8Array {
  return encodeMessage(CASES[canonical.case][1], canonical.value);
}

/** protobuf-es writes map entries in insertion order; `metadata` is the only map that commands have. */
function sortedByKey(entries: Readonly<Record<string, string>>): Record<string, string> {
  const keys = Object.keys(entries);
  if (keys.length < 2) return entries;
  return Object.fromEntries(keys.sort().map((key) => [key, entries[key] ?? '']));
}

/** The command of an event, without request_id; undefined where the event has none. @throws Error on an unknown type. */
export function commandOf(event: Event): CommandCase | undefined {
  if (event.commandType === CommandType.UNSPECIFIED) return undefined;
  return decodeCommand(event.commandType, event.canonicalBody);
}

/** Decodes a canonical body. @throws Error on an unknown type. */
export function decodeCommand(type: CommandType, body: Uint8Array): CommandCase {
  const found = BY_TYPE.get(type);
  if (found === undefined) throw new Error(`unknown command type ${String(type)}`);
  // The table pairs each case with its own schema, which the compiler cannot follow through a map.
  return { case: found.name, value: decodeMessage(found.schema, body) } as CommandCase;
}

/** The case as the message that holds it. */
export function commandMessage(command: CommandCase): transactions.Command {
  return create(transactions.CommandSchema, { command });
}
