/** Answers that would be larger than a message may be: a committed command is answered all the same, a page is cut. */
import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  createRegistry,
  type DescMessage,
  type DescMethod,
  fromBinary,
  fromJsonString,
  type JsonObject,
  type MessageShape,
} from '@bufbuild/protobuf';
import { file_google_rpc_error_details } from '../../../gen/google/rpc/error_details_pb.js';
import { AccountCommandService } from '../../../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import {
  type CommandResult,
  ExecuteBatchResponseSchema,
  TransactionCommandService,
} from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { TransactionKind, TransactionStatus } from '../../../gen/quittance/common/v1/transaction_pb.js';
import { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import {
  EventQueryService,
  ListEventsResponseSchema,
} from '../../../gen/quittance/query/v1/event_query_service_pb.js';
import { MESSAGE_MAX_BYTES } from '../../../lib/rpc/decode.js';
import { startPlatform, type TestPlatform } from './platform.js';
import { type RawClient, rawClient, type Wire, WIRES } from './raw-client.js';

const { executeBatch } = TransactionCommandService.method;
const { listEvents } = EventQueryService.method;
const LEDGER = 'large';
/** So many, with texts of so many characters, that the answers are larger than 4 MiB, and the requests are not. */
const SIZES: Readonly<Record<'json' | 'binary', { readonly items: number; readonly pairs: number }>> = {
  json: { items: 1_000, pairs: 0 },
  binary: { items: 360, pairs: 5 },
};
/** The tests move 4 MiB at a time, which takes seconds on a busy machine. */
const SLOW_ms = 120_000;
const registry = createRegistry(file_google_rpc_error_details);
const id = (name: string) => name.padEnd(128, '-');
const PAYER = id('payer');
const PAYEE = id('payee');
const eur = (minorUnits: string): JsonObject => ({ currency: 'EUR', minorUnits });

let platform: TestPlatform;
let raw: RawClient;

beforeAll(async () => {
  platform = await startPlatform();
  raw = rawClient(platform.grpcAddress, platform.connectUrl);
  await platform.grpc(LedgerCommandService).createLedger({ ledgerId: LEDGER, requestId: randomUUID() });
  const accounts = platform.grpc(AccountCommandService);
  for (const accountId of [PAYER, PAYEE, id('fees')]) {
    await accounts.openAccount({ ledgerId: LEDGER, requestId: randomUUID(), accountId, currency: 'EUR' });
  }
  const amount = { currency: 'EUR', minorUnits: 1_000_000_000n };
  await platform
    .grpc(TransactionCommandService)
    .deposit({ ledgerId: LEDGER, requestId: randomUUID(), accountId: PAYER, amount });
});

afterAll(async () => {
  raw.close();
  await platform.stop();
});

function batchOf(mode: string, { items, pairs }: (typeof SIZES)['json']): JsonObject {
  // Three bytes in each encoding.
  const euros = (count: number) => '€'.repeat(count);
  const texts = Array.from({ length: pairs }, (_, index) => [`key${String(index)}`, euros(500)]);
  const payment = (): JsonObject => ({
    ledgerId: LEDGER,
    requestId: randomUUID(),
    payerAccountId: PAYER,
    payeeAccountId: PAYEE,
    amount: eur('100'),
    fees: [1, 2, 3].map((n) => ({
      paidBy: 'FEE_PAYER_PAYEE',
      toAccountId: id('fees'),
      amount: eur(String(n)),
    })),
    description: euros(pairs === 0 ? 100 : 500),
    metadata: Object.fromEntries(texts),
  });
  return {
    ledgerId: LEDGER,
    mode,
    commands: Array.from({ length: items }, () => ({ submitPayment: payment() })),
  };
}

/** A call that must succeed with a message that every client takes. */
async function answered<D extends DescMessage>(
  wire: Wire,
  method: DescMethod,
  schema: D,
  request: JsonObject,
): Promise<MessageShape<D>> {
  const { code, message, answers } = await raw.json(wire, method, request, { timeout_ms: SLOW_ms });
  expect([wire, code, message]).toEqual([wire, 0, '']);
  const [bytes = Buffer.alloc(0)] = answers;
  expect(bytes.length).toBeLessThanOrEqual(MESSAGE_MAX_BYTES);
  return wire === 'connect json'
    ? fromJsonString(schema, bytes.toString(), { registry })
    : fromBinary(schema, bytes);
}

async function postedOf(accountId: string): Promise<bigint> {
  const consistency = { requirement: { case: 'fullyConsistent' as const, value: true } };
  const request = { ledgerId: LEDGER, accountId, consistency };
  const { balance } = await platform.grpc(AccountQueryService).getBalance(request, { timeoutMs: SLOW_ms });
  return balance?.posted ?? 0n;
}

function paymentOf({ result }: CommandResult) {
  if (result.case !== 'submitPayment') throw new Error(`a payment was answered with ${String(result.case)}`);
  return result.value;
}

test.each<[Wire, string, 'json' | 'binary']>([
  ['grpc', 'BATCH_MODE_ATOMIC', 'binary'],
  ['connect json', 'BATCH_MODE_ATOMIC', 'json'],
  ['connect json', 'BATCH_MODE_INDEPENDENT', 'json'],
])(
  'over %s, a committed %s batch is answered, abbreviated if it must be, and so is its replay',
  async (wire, mode, encoding) => {
    const size = SIZES[encoding];
    const batch = batchOf(mode, size);
    const before = await postedOf(PAYEE);
    const first = await answered(wire, executeBatch, ExecuteBatchResponseSchema, batch);
    expect(first).toMatchObject({ abbreviated: true, declined: false });
    expect(first.consistencyToken).not.toBe('');
    const ids = (batch['commands'] as { submitPayment: { requestId: string } }[]).map(
      (item) => item.submitPayment.requestId,
    );
    expect(first.results.map((result) => paymentOf(result).transaction?.transactionId)).toEqual(ids);
    for (const { transaction, accounts, position, replayed } of first.results.map(paymentOf)) {
      expect(transaction).toMatchObject({
        ledgerId: LEDGER,
        kind: TransactionKind.PAYMENT,
        status: TransactionStatus.POSTED,
        description: '',
        entries: [],
        position,
      });
      expect([accounts, replayed]).toEqual([[], false]);
    }
    expect(await postedOf(PAYEE)).toBe(before + 94n * BigInt(size.items));
    const again = await answered(wire, executeBatch, ExecuteBatchResponseSchema, batch);
    expect(again.abbreviated).toBe(true);
    expect(again.results.every((result) => paymentOf(result).replayed)).toBe(true);
    expect(again.results.map((result) => paymentOf(result).position)).toEqual(
      first.results.map((result) => paymentOf(result).position),
    );
    expect(await postedOf(PAYEE)).toBe(before + 94n * BigInt(size.items));
  },
  SLOW_ms,
);

test.each(WIRES)('over %s, an answer that fits is whole', async (wire) => {
  const batch = batchOf('BATCH_MODE_ATOMIC', SIZES.json);
  const few = { ...batch, commands: (batch['commands'] as JsonObject[]).slice(0, 20) };
  const answer = await answered(wire, executeBatch, ExecuteBatchResponseSchema, few);
  expect(answer.abbreviated).toBe(false);
  const [first] = answer.results.map(paymentOf);
  expect(first?.transaction?.entries).toHaveLength(8);
  expect(first?.accounts).toHaveLength(3);
  expect(first?.consistencyToken).not.toBe('');
});

test(
  'over Connect in JSON, a page of events is cut to what fits, and the pages together show all',
  async () => {
    const positions: bigint[] = [];
    const sizes: number[] = [];
    for (let pageToken = ''; sizes.length === 0 || pageToken !== '';) {
      const request = { ledgerId: LEDGER, pageSize: 1_000, pageToken };
      const page = await answered('connect json', listEvents, ListEventsResponseSchema, request);
      positions.push(...page.events.map(({ event }) => event?.position ?? 0n));
      sizes.push(page.events.length);
      pageToken = page.nextPageToken;
    }
    expect(positions).toEqual(positions.map((_, index) => (positions[0] ?? 0n) + BigInt(index)));
    expect(positions.length).toBeGreaterThan(SIZES.json.items);
    expect(sizes[0]).toBeLessThan(1_000);
  },
  SLOW_ms,
);
