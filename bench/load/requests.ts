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

/** How to choose accounts. */
export interface AccountChoice {
  /** Accounts 0 to this number - 1. */
  readonly accounts: number;
  /** Account 0 is the payee of every payment. */
  readonly hot: boolean;
  /** Makes the request ids of this run differ from those of others: 8 hexadecimal digits. */
  readonly run: string;
}

/** @param size commands in a batch. */
export function requests(kind: RequestKind, size: number, choice: AccountChoice): NextRequest {
  const template = grpcMessage(templateOf(kind, size));
  const ids = offsetsOf(template, REQUEST_ID);
  const payers = offsetsOf(template, PAYER);
  const payees = offsetsOf(template, PAYEE);
  const names = Array.from({ length: choice.accounts }, (_, n) => Buffer.from(accountId(n), 'latin1'));
  let sent = 0;
  return () => {
    const bytes = Buffer.from(template);
    ids.forEach((at) => {
      sent += 1;
      bytes.write(choice.run, at, 'latin1');
      bytes.write(sent.toString(16).padStart(12, '0'), at + 24, 'latin1');
    });
    payers.forEach((at, index) => {
      const payer = 1 + Math.floor(Math.random() * (choice.accounts - 1));
      names[payer]?.copy(bytes, at);
      const payeeAt = payees[index];
      if (payeeAt === undefined) return;
      const other = 1 + Math.floor(Math.random() * (choice.accounts - 1));
      names[choice.hot ? 0 : other === payer ? 0 : other]?.copy(bytes, payeeAt);
    });
    return bytes;
  };
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
