/** Requests encoded once by protobuf-es; a call only writes its own ids into the bytes. */
import { create, toBinary } from '@bufbuild/protobuf';
import {
  ExecuteBatchRequestSchema,
  StreamCommandsRequestSchema,
  SubmitPaymentRequestSchema,
} from '../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { GetBalanceRequestSchema } from '../../gen/quittance/query/v1/account_query_service_pb.js';
import { grpcMessage } from './frames.js';

/** The ledger of the benchmark. */
export const LEDGER = 'bench';
export const CURRENCY = 'EUR';

/** Account number n; all ids are equally long, so that they can be written over each other. */
export function accountId(n: number): string {
  return `acct${String(n).padStart(6, '0')}`;
}

/** What to send. */
export type RequestKind = 'payment' | 'batch' | 'stream' | 'balance';

/** Makes the next request, with gRPC's prefix. */
export type NextRequest = () => Buffer;

const REQUEST_ID = 'ffffffff-ffff-7fff-bfff-ffffffffffff';
const PAYER = accountId(999_998);
const PAYEE = accountId(999_999);

/**
 * How payments spread over accounts: evenly; the n-th account n times less often than the first (zipf with exponent 1);
 * or account 0 as the payee of every payment.
 */
export type AccountSpread = 'uniform' | 'zipf' | 'hot';

/** How to choose accounts. */
export interface AccountChoice {
  /** Accounts 0 to this number - 1. */
  readonly accounts: number;
  readonly spread: AccountSpread;
  /** Makes the request ids of this run differ from those of others: 4 hexadecimal digits. */
  readonly run: string;
}

/** @param size commands in a batch. */
export function requests(kind: RequestKind, size: number, choice: AccountChoice): NextRequest {
  const template = grpcMessage(templateOf(kind, size));
  const ids = offsetsOf(template, REQUEST_ID);
  const payers = offsetsOf(template, PAYER);
  const payees = offsetsOf(template, PAYEE);
  const names = Array.from({ length: choice.accounts }, (_, n) => Buffer.from(accountId(n), 'latin1'));
  const pick = picker(choice);
  let sent = 0;
  return () => {
    const bytes = Buffer.from(template);
    ids.forEach((at) => {
      sent += 1;
      // Random at the front: ids that rise would make the indexes over them cheaper than they are in life.
      bytes.write(randomDigits(), at, 'latin1');
      bytes.write(choice.run, at + 24, 'latin1');
      bytes.write(sent.toString(16).padStart(8, '0'), at + 28, 'latin1');
    });
    payers.forEach((at, index) => {
      const payer = pick();
      names[payer]?.copy(bytes, at);
      const payeeAt = payees[index];
      if (payeeAt === undefined) return;
      const other = pick();
      names[choice.spread === 'hot' || other === payer ? 0 : other]?.copy(bytes, payeeAt);
    });
    return bytes;
  };
}

/** 8 hexadecimal digits. */
function randomDigits(): string {
  return Math.floor(Math.random() * 0x1_0000_0000)
    .toString(16)
    .padStart(8, '0');
}

/** Chooses one of accounts 1 to the last; account 0 is left to stand in for a payer who would pay itself. */
function picker({ accounts, spread }: AccountChoice): () => number {
  const others = accounts - 1;
  if (spread !== 'zipf') return () => 1 + Math.floor(Math.random() * others);
  const upTo = new Float64Array(others);
  let sum = 0;
  for (let n = 0; n < others; n += 1) upTo[n] = sum += 1 / (n + 1);
  return () => 1 + firstAbove(upTo, Math.random() * sum);
}

/** The index of the first of some rising numbers that is above a value. */
function firstAbove(rising: Float64Array, value: number): number {
  let [low, high] = [0, rising.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rising[middle] ?? 0) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

function templateOf(kind: RequestKind, size: number): Uint8Array {
  const value = {
    ledgerId: LEDGER,
    requestId: REQUEST_ID,
    payerAccountId: PAYER,
    payeeAccountId: PAYEE,
    amount: { currency: CURRENCY, minorUnits: 1n },
    reference: 'order-0000001',
  };
  const command = { command: { case: 'submitPayment' as const, value } };
  switch (kind) {
    case 'payment':
      return toBinary(SubmitPaymentRequestSchema, create(SubmitPaymentRequestSchema, value));
    case 'stream':
      return toBinary(StreamCommandsRequestSchema, create(StreamCommandsRequestSchema, { command }));
    case 'batch': {
      const commands = Array.from({ length: size }, () => command);
      return toBinary(
        ExecuteBatchRequestSchema,
        create(ExecuteBatchRequestSchema, { ledgerId: LEDGER, commands }),
      );
    }
    case 'balance':
      return toBinary(
        GetBalanceRequestSchema,
        create(GetBalanceRequestSchema, { ledgerId: LEDGER, accountId: PAYER }),
      );
  }
}

function offsetsOf(bytes: Buffer, text: string): number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + text.length)) found.push(at);
  return found;
}
