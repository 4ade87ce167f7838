import { expect, test } from '@jest/globals';
import { fromBinary } from '@bufbuild/protobuf';
import {
  ExecuteBatchRequestSchema,
  StreamCommandsRequestSchema,
  SubmitPaymentRequestSchema,
} from '../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { GetBalanceRequestSchema } from '../../gen/quittance/query/v1/account_query_service_pb.js';
import { accountId, LEDGER, requests } from './requests.js';

const CHOICE = { accounts: 50, spread: 'uniform' as const, run: '012a' };
const UUID = /^[0-9a-f]{8}-ffff-7fff-bfff-012a[0-9a-f]{8}$/;
const GRPC_PREFIX_BYTES = 5;
const IDS: ReadonlySet<string> = new Set(Array.from({ length: CHOICE.accounts }, (_, n) => accountId(n)));

function body(request: Buffer): Uint8Array {
  expect(request.readUInt32BE(1)).toBe(request.length - GRPC_PREFIX_BYTES);
  return request.subarray(GRPC_PREFIX_BYTES);
}

test('each payment has a request id of its own and two different accounts that exist', () => {
  const next = requests('payment', 1, CHOICE);
  const ids = new Set<string>();
  for (let n = 0; n < 200; n += 1) {
    const payment = fromBinary(SubmitPaymentRequestSchema, body(next()));
    expect(payment.requestId).toMatch(UUID);
    ids.add(payment.requestId);
    expect(payment.ledgerId).toBe(LEDGER);
    expect(IDS.has(payment.payerAccountId)).toBe(true);
    expect(IDS.has(payment.payeeAccountId)).toBe(true);
    expect(payment.payerAccountId).not.toBe(payment.payeeAccountId);
  }
  expect(ids.size).toBe(200);
});

test('with a hot account it is the payee of every payment', () => {
  const next = requests('payment', 1, { ...CHOICE, spread: 'hot' });
  for (let n = 0; n < 50; n += 1) {
    const payment = fromBinary(SubmitPaymentRequestSchema, body(next()));
    expect(payment.payeeAccountId).toBe(accountId(0));
    expect(payment.payerAccountId).not.toBe(accountId(0));
  }
});

test('a batch has as many commands as asked for, each with an id of its own', () => {
  const { commands } = fromBinary(ExecuteBatchRequestSchema, body(requests('batch', 100, CHOICE)()));
  const ids = commands.map(({ command }) => command.value?.requestId);
  expect(new Set(ids).size).toBe(100);
  for (const id of ids) expect(id).toMatch(UUID);
});

test('a command of a stream and a read of a balance are what their methods take', () => {
  const { command } = fromBinary(StreamCommandsRequestSchema, body(requests('stream', 1, CHOICE)()));
  expect(command?.command.value?.requestId).toMatch(UUID);
  const read = fromBinary(GetBalanceRequestSchema, body(requests('balance', 1, CHOICE)()));
  expect(IDS.has(read.accountId)).toBe(true);
});

test('with a zipf spread the first accounts are in far more payments than the last', () => {
  const next = requests('payment', 1, { ...CHOICE, spread: 'zipf' });
  const counts = new Map<string, number>();
  for (let n = 0; n < 2_000; n += 1) {
    const { payerAccountId, payeeAccountId } = fromBinary(SubmitPaymentRequestSchema, body(next()));
    expect(payerAccountId).not.toBe(payeeAccountId);
    expect(IDS.has(payerAccountId)).toBe(true);
    counts.set(payerAccountId, (counts.get(payerAccountId) ?? 0) + 1);
  }
  // Of 49 accounts the first has a share of 1 / (1 + 1/2 + … + 1/49) = 0.22, the 40th of 0.006.
  expect(counts.get(accountId(1)) ?? 0).toBeGreaterThan(300);
  expect(counts.get(accountId(40)) ?? 0).toBeLessThan(50);
});
