/** Calls to a process without the lease: the same answers and the same errors, by every door. */
import { randomBytes, randomUUID } from 'node:crypto';
import http2 from 'node:http2';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as grpc from '@grpc/grpc-js';
import {
  ErrorInfoSchema,
  BadRequestSchema,
  RetryInfoSchema,
} from '../../../gen/google/rpc/error_details_pb.js';
import { StatusSchema } from '../../../gen/google/rpc/status_pb.js';
import {
  BatchMode,
  ExecuteBatchRequestSchema,
  ExecuteBatchResponseSchema,
  StreamCommandsRequestSchema,
  StreamCommandsResponseSchema,
  SubmitPaymentRequestSchema,
  SubmitPaymentResponseSchema,
  TransactionCommandService,
} from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { FORWARDED } from '../../../lib/rpc/passage.js';
import { createPool } from '../../../lib/log/postgres-client.js';
import { postgresLogReader } from '../../../lib/log/postgres-log-reader.js';
import { Wakeups } from '../../../lib/log/wakeups.js';
import { serverEndingOf } from '../../../test/load.js';
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.js';
import { LEDGER_ID, makeBooks } from './audited-load.js';
import { type CommandServer, prepare, startCommandServer } from './command-server.js';

const SERVICE = '/quittance.command.v1.TransactionCommandService';
const DETAILS = 'grpc-status-details-bin';
const CALL_LIMIT_MS = 20_000;

let database: TestDatabase;
let holder: CommandServer;
let other: CommandServer;
let toHolder: grpc.Client;
let toOther: grpc.Client;

beforeAll(async () => {
  database = await createTestDatabase();
  await prepare(database);
  holder = await startCommandServer({ databaseUrl: database.url });
  other = await startCommandServer({ databaseUrl: database.url });
  expect(await holder.isHolder()).toBe(true);
  await makeBooks(other.address);
  toHolder = new grpc.Client(holder.address, grpc.credentials.createInsecure());
  toOther = new grpc.Client(other.address, grpc.credentials.createInsecure());
});

afterAll(async () => {
  toHolder.close();
  toOther.close();
  for (const server of [holder, other]) server.signal('SIGKILL');
  await Promise.all([holder.ended, other.ended]);
  await database.drop();
});

function payment(minorUnits: bigint, requestId: string = randomUUID()) {
  return {
    ledgerId: LEDGER_ID,
    requestId,
    payerAccountId: 'alice',
    payeeAccountId: 'bob',
    amount: { currency: 'EUR', minorUnits },
  };
}

const paymentBytes = (...args: Parameters<typeof payment>) =>
  toBinary(SubmitPaymentRequestSchema, create(SubmitPaymentRequestSchema, payment(...args)));

/** One call with bytes as they are. @throws grpc.ServiceError */
function call(
  client: grpc.Client,
  method: string,
  bytes: Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): Promise<Uint8Array> {
  const metadata = new grpc.Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  const asIs = (some: Uint8Array) => Buffer.from(some);
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      `${SERVICE}/${method}`,
      asIs,
      (answer: Buffer) => answer,
      bytes,
      metadata,
      { deadline: Date.now() + CALL_LIMIT_MS },
      (error, answer) => {
        if (error !== null) reject(error);
        else resolve(answer ?? new Uint8Array(0));
      },
    );
  });
}

/** The error of a call: its code, text and details, as bytes. */
async function errorOf(answering: Promise<unknown>) {
  const error: unknown = await answering.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isServiceError(error)) throw new Error('the call was answered, or failed without a status');
  const details = error.metadata.get(DETAILS)[0];
  if (!(details instanceof Uint8Array)) throw new Error(`the error has no details: ${error.message}`);
  return { code: error.code, details: error.details, status: Buffer.from(details) };
}

function isServiceError(error: unknown): error is grpc.ServiceError {
  return error instanceof Error && 'metadata' in error && error.metadata instanceof grpc.Metadata;
}

test('a command is answered as the holder answers it, replays included', async () => {
  const bytes = paymentBytes(5n);
  const first = fromBinary(SubmitPaymentResponseSchema, await call(toOther, 'SubmitPayment', bytes));
  const again = fromBinary(SubmitPaymentResponseSchema, await call(toHolder, 'SubmitPayment', bytes));
  expect(first.replayed).toBe(false);
  expect({ ...again, replayed: false }).toEqual(first);
});

test.each([
  ['a payment of nothing', paymentBytes(0n)],
  [
    'an unknown account',
    toBinary(
      SubmitPaymentRequestSchema,
      create(SubmitPaymentRequestSchema, { ...payment(1n), payerAccountId: 'nobody' }),
    ),
  ],
  ['an unknown field', Buffer.concat([paymentBytes(1n), Buffer.from([0xa2, 0x3f, 1, 65])])],
  ['bytes that are no message', randomBytes(3).fill(0xff)],
])('an error comes back with its code, text and details: %s', async (_name, bytes) => {
  const here = await errorOf(call(toHolder, 'SubmitPayment', bytes));
  expect(await errorOf(call(toOther, 'SubmitPayment', bytes))).toEqual(here);
  const details = fromBinary(StatusSchema, here.status).details;
  expect(details.filter((detail) => anyUnpack(detail, ErrorInfoSchema) !== undefined)).toHaveLength(1);
});

test('a refusal of several fields keeps each of them', async () => {
  const bytes = toBinary(SubmitPaymentRequestSchema, create(SubmitPaymentRequestSchema, {}));
  const { status } = await errorOf(call(toOther, 'SubmitPayment', bytes));
  const found = fromBinary(StatusSchema, status).details.flatMap(
    (detail) => anyUnpack(detail, BadRequestSchema)?.fieldViolations ?? [],
  );
  expect(found.length).toBeGreaterThan(2);
});

test('the trace of the caller stands in the log', async () => {
  const requestId = randomUUID();
  const traceId = randomBytes(16).toString('hex');
  const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
  const answer = await call(toOther, 'SubmitPayment', paymentBytes(2n, requestId), headers);
  const pool = createPool(database.config, { max: 1, name: 'test' });
  const { position } = fromBinary(SubmitPaymentResponseSchema, answer);
  const recorded = await postgresLogReader(pool, new Wakeups()).at(position);
  await pool.end();
  expect(Buffer.from(recorded?.event.traceId ?? []).toString('hex')).toBe(traceId);
});

test('a call that was sent on once goes no further: it is told to come again', async () => {
  const { code, status } = await errorOf(
    call(toOther, 'SubmitPayment', paymentBytes(1n), { [FORWARDED]: 'binary' }),
  );
  expect(code).toBe(grpc.status.UNAVAILABLE);
  const { details } = fromBinary(StatusSchema, status);
  expect(details.flatMap((detail) => anyUnpack(detail, ErrorInfoSchema)?.reason ?? [])).toEqual([
    'NOT_SERVING',
  ]);
  expect(details.some((detail) => anyUnpack(detail, RetryInfoSchema) !== undefined)).toBe(true);
});

test('a batch is answered item by item', async () => {
  const commands = [3n, 0n, 4n].map((minorUnits) => ({
    command: { case: 'submitPayment' as const, value: payment(minorUnits) },
  }));
  const batch = create(ExecuteBatchRequestSchema, {
    ledgerId: LEDGER_ID,
    mode: BatchMode.INDEPENDENT,
    commands,
  });
  const answer = await call(toOther, 'ExecuteBatch', toBinary(ExecuteBatchRequestSchema, batch));
  const { results } = fromBinary(ExecuteBatchResponseSchema, answer);
  expect(results.map(({ result }) => result.case)).toEqual(['submitPayment', 'error', 'submitPayment']);
});

test('a stream is answered in order, what cannot be decoded in its place', async () => {
  const stream = toOther.makeBidiStreamRequest(
    `${SERVICE}/StreamCommands`,
    (bytes: Uint8Array) => Buffer.from(bytes),
    (bytes: Buffer) => fromBinary(StreamCommandsResponseSchema, bytes),
  );
  const count = 300;
  const bad = 100;
  for (let index = 0; index < count; index += 1) {
    const request = create(StreamCommandsRequestSchema, {
      command: { command: { case: 'submitPayment', value: payment(1n) } },
    });
    stream.write(index === bad ? Buffer.from([0xff]) : toBinary(StreamCommandsRequestSchema, request));
  }
  stream.end();
  const cases: (string | undefined)[] = [];
  for await (const answer of stream as AsyncIterable<
    ReturnType<typeof create<typeof StreamCommandsResponseSchema>>
  >) {
    expect(answer.index).toBe(BigInt(cases.length));
    cases.push(answer.result?.result.case);
  }
  expect(cases).toHaveLength(count);
  expect(cases.flatMap((each, index) => (each === 'error' ? [index] : []))).toEqual([bad]);
});

/** The answers to a stream of texts over Connect, JSON: each a message of the stream, the last one its end. */
async function streamOfJson({ connect }: CommandServer, texts: readonly string[]): Promise<unknown[]> {
  const session = http2.connect(connect);
  try {
    const stream = session.request({
      ':method': 'POST',
      ':path': `${SERVICE}/StreamCommands`,
      'content-type': 'application/connect+json',
    });
    for (const text of texts) {
      const data = Buffer.from(text);
      const head = Buffer.alloc(5);
      head.writeUInt32BE(data.length, 1);
      stream.write(Buffer.concat([head, data]));
    }
    stream.end();
    const chunks: Buffer[] = [];
    for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
    const answers: unknown[] = [];
    for (let rest = Buffer.concat(chunks); rest.length > 0;) {
      const end = 5 + rest.readUInt32BE(1);
      answers.push(JSON.parse(rest.subarray(5, end).toString()));
      rest = rest.subarray(end);
    }
    return answers;
  } finally {
    session.close();
  }
}

test('a stream of JSON is answered as the holder answers it, what cannot be decoded in its place', async () => {
  const good = () =>
    JSON.stringify({
      command: { submitPayment: { ...payment(1n), amount: { currency: 'EUR', minorUnits: '1' } } },
    });
  const texts = [good(), 'no JSON', good(), '{"command":{"deposit":{"amount":7}}}', '{"nonsense":1}', good()];
  const atOther = await streamOfJson(other, texts);
  expect(atOther).toMatchObject([
    { index: '0', result: { submitPayment: { replayed: false } } },
    { index: '1', result: { error: { code: grpc.status.INVALID_ARGUMENT } } },
    { index: '2', result: { submitPayment: { replayed: false } } },
    { index: '3', result: { error: { code: grpc.status.INVALID_ARGUMENT } } },
    { index: '4', result: { error: { code: grpc.status.INVALID_ARGUMENT } } },
    { index: '5', result: { submitPayment: { replayed: false } } },
    {},
  ]);
  const atHolder = await streamOfJson(holder, texts);
  for (const index of [1, 3, 4]) expect(atOther[index]).toEqual(atHolder[index]);
});

test('JSON over Connect is answered by the holder too, errors included', async () => {
  const post = async ({ connect }: CommandServer, body: object) => {
    const response = await fetch(`${connect}${SERVICE}/SubmitPayment`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const good = { ...payment(1n), amount: { currency: 'EUR', minorUnits: '6' } };
  const first = await post(other, good);
  expect(first.status).toBe(200);
  expect(await post(holder, good)).toEqual({ status: 200, body: { ...first.body, replayed: true } });
  const bad = { ...good, requestId: randomUUID(), payerAccountId: 'nobody' };
  const refused = await post(other, bad);
  expect(refused.status).toBe(404);
  expect(await post(holder, bad)).toEqual(refused);
});

test('without a process that decides a call waits within its deadline, then is told to come again', async () => {
  holder.signal('SIGSTOP');
  // Shorter than the lease: it is still held, by a process that does not answer.
  const began_ms = performance.now();
  const { submitPayment } = TransactionCommandService.method;
  const ending = await serverEndingOf(other.connect, submitPayment, payment(1n), 1_000).finally(() => {
    holder.signal('SIGCONT');
  });
  expect(ending).toBe('OUTCOME_UNKNOWN');
  expect(performance.now() - began_ms).toBeGreaterThan(500);
});
