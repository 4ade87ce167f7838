/** Sends a command as its form has it, and reads from its answer what all answers of commands share. */
import {
  type DescMethodUnary,
  fromJson,
  isMessage,
  type JsonObject,
  type JsonValue,
  toJson,
} from '@bufbuild/protobuf';
import type { Transport } from '@connectrpc/connect';
import { type Account, AccountSchema } from '../../../../gen/quittance/common/v1/account_pb.js';
import { type Transaction, TransactionSchema } from '../../../../gen/quittance/common/v1/transaction_pb.js';

export interface Answer {
  readonly accounts: readonly Account[];
  readonly transaction: Transaction | undefined;
  readonly position: string;
  readonly consistencyToken: string;
  readonly isReplayed: boolean;
  /** The whole of it. */
  readonly json: JsonObject;
}

const EMITTING = { alwaysEmitImplicit: true };

export async function sendCommand(
  transport: Transport,
  method: DescMethodUnary,
  json: JsonObject,
): Promise<Answer> {
  const request = fromJson(method.input, json);
  const { message } = await transport.unary(method, undefined, undefined, undefined, request);
  if (!isMessage(message)) throw new Error('the answer is no message');
  return answerOf(objectOf(toJson(method.output, message, EMITTING)));
}

function answerOf(json: JsonObject): Answer {
  const { transaction, account, accounts, position, consistencyToken, replayed } = json;
  const several = Array.isArray(accounts)
    ? accounts
    : account === undefined || account === null
      ? []
      : [account];
  return {
    accounts: several.map((each) => fromJson(AccountSchema, each)),
    transaction:
      transaction === undefined || transaction === null
        ? undefined
        : fromJson(TransactionSchema, transaction),
    position: textOf(position),
    consistencyToken: textOf(consistencyToken),
    isReplayed: replayed === true,
    json,
  };
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function objectOf(value: JsonValue): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}
