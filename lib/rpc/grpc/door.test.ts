import { once } from 'node:events';
import http2 from 'node:http2';
import { types } from 'node:util';
import { gzipSync } from 'node:zlib';
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import * as grpc from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { BadRequestSchema, ErrorInfoSchema } from '../../../gen/google/rpc/error_details_pb.js';
import { StatusSchema } from '../../../gen/google/rpc/status_pb.js';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import {
  DepositRequestSchema,
  type StreamCommandsRequest,
  StreamCommandsResponseSchema,
  TransactionCommandService,
} from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import {
  AccountQueryService,
  GetBalanceRequestSchema,
  type GetBalanceResponseSchema,
  WatchBalancesRequestSchema,
  type WatchBalancesResponseSchema,
} from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import { GRPC_TRANSPORTS, type GrpcTransport } from '../../base/doors-config.js';
import type { Call } from '../call.js';
import { callMetrics } from '../call-metrics.js';
import { createChain, DEFAULT_CHAIN_LIMITS } from '../chain.js';
import { CallError, fail } from '../errors.js';
import { MESSAGE_MAX_BYTES } from '../decode.js';
import { type GrpcDoorOptions, openGrpcDoor } from './door.js';
import { implement } from '../service.js';

// jest runs tests in a realm with an Error of its own, to which what Node throws is none; outside jest it is one.
Object.defineProperty(Error, Symbol.hasInstance, {
  value: function (this: unknown, value: unknown): boolean {
    if (this !== Error) return Function.prototype[Symbol.hasInstance].call(this, value);
    return types.isNativeError(value) || value instanceof DOMException;
  },
});

const GET = '/quittance.query.v1.AccountQueryService/GetBalance';
const WATCH = '/quittance.query.v1.AccountQueryService/WatchBalances';
const DEPOSIT = '/quittance.command.v1.TransactionCommandService/Deposit';
const STREAM = '/quittance.command.v1.TransactionCommandService/StreamCommands';
const LARGE = 'x'.repeat(MESSAGE_MAX_BYTES + 1);

interface Fakes {
  getBalance: (call: Call) => Promise<MessageInitShape<typeof GetBalanceResponseSchema>>;
  watchBalances: (call: Call) => AsyncIterable<MessageInitShape<typeof WatchBalancesResponseSchema>>;
  deposit: (call: Call) => Promise<object>;
}

const unused = (): never => {
  throw new Error('not called here');
};

/** Which HTTP/2 the doors of a test use. */
let transport: GrpcTransport = 'own';
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function open(fakes: Partial<Fakes> = {}, limits = {}, overrides: Partial<GrpcDoorOptions> = {}) {
  const { getBalance, watchBalances, deposit } = {
    getBalance: async () => ({ asOf: { position: 42n } }),
    watchBalances: unused,
    deposit: async () => ({}),
    ...fakes,
  };
  const registry = new Registry();
  const chain = createChain({
    logger: pino({ enabled: false }),
    metrics: callMetrics(registry),
    ...DEFAULT_CHAIN_LIMITS,
    ...limits,
  });
  const services = [
    implement(AccountQueryService, {
      getAccount: unused,
      listAccounts: unused,
      batchGetBalances: unused,
      getBalance: (_request, call) => getBalance(call),
      watchBalances: (_request, call) => watchBalances(call),
    }),
    implement(TransactionCommandService, {
      deposit: (_request, call) => deposit(call),
      withdraw: unused,
      submitPayment: unused,
      authorizePayment: unused,
      adjustAuthorization: unused,
      capturePayment: unused,
      voidPayment: unused,
      refundPayment: unused,
      postTransaction: unused,
      reverseTransaction: unused,
      updateTransaction: unused,
      executeBatch: unused,
      streamCommands: echoes,
    }),
  ];
  chain.warm(services);
  const door = await openGrpcDoor({ host: '127.0.0.1', port: 0, transport, services, chain, ...overrides });
  closers.push(() => door.close());
  return { door, registry, port: door.port };
}

/** Answers each message with its place, and what could not be decoded with its reason. */
async function* echoes(requests: AsyncIterable<readonly (StreamCommandsRequest | CallError)[]>) {
  let index = 0n;
  for await (const arrived of requests) {
    yield arrived.map((request) => {
      const code = request instanceof CallError ? request.code : 0;
      return { index: index++, result: { result: { case: 'error' as const, value: { code } } } };
    });
  }
}

/** What a client that keeps no rules of its own sees of a call. */
interface Answer {
  readonly status: number;
  readonly reasons: readonly string[];
  readonly field: string | undefined;
  readonly message: string;
  readonly data: Buffer;
}

interface Sent {
  readonly frames: readonly Buffer[];
  readonly headers?: Record<string, string>;
  readonly session?: http2.ClientHttp2Session;
}

function connect(port: number): http2.ClientHttp2Session {
  const session = http2.connect(`http://127.0.0.1:${String(port)}`, { maxSessionMemory: 1_000 });
  session.on('error', () => undefined);
  closers.push(async () => {
    session.destroy();
  });
  return session;
}

function request(session: http2.ClientHttp2Session, path: string, headers: Record<string, string> = {}) {
  return session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
}

/** Calls without a client library: those time out, refuse and cut off by themselves. */
function call(port: number, path: string, { frames, headers, session }: Sent): Promise<Answer> {
  const stream = request(session ?? connect(port), path, headers);
  const answer = answerOf(stream);
  for (const frame of frames) stream.write(frame);
  stream.end();
  return answer;
}

async function answerOf(stream: http2.ClientHttp2Stream): Promise<Answer> {
  const seen: http2.IncomingHttpHeaders = {};
  const chunks: Buffer[] = [];
  const see = (headers: http2.IncomingHttpHeaders) => {
    Object.assign(seen, headers);
  };
  stream.on('response', see);
  stream.on('trailers', see);
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('error', () => undefined);
  await new Promise((resolve) => stream.once('close', resolve));
  const bin = seen['grpc-status-details-bin'];
  const details = typeof bin === 'string' ? fromBinary(StatusSchema, Buffer.from(bin, 'base64')).details : [];
  const infos = details.flatMap((detail) => anyUnpack(detail, ErrorInfoSchema) ?? []);
  const bad = details.flatMap((detail) => anyUnpack(detail, BadRequestSchema) ?? []);
  return {
    status: Number(seen['grpc-status']),
    reasons: infos.map(({ reason }) => reason),
    field: bad[0]?.fieldViolations[0]?.field,
    message: decodeURI(String(seen['grpc-message'] ?? '')),
    data: Buffer.concat(chunks),
  };
}

function frame(bytes: Uint8Array, flags = 0): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flags);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

const COMPRESSED = 1;
const GZIP = { 'grpc-encoding': 'gzip' };
const BALANCE = toBinary(
  GetBalanceRequestSchema,
  create(GetBalanceRequestSchema, { ledgerId: 'main', accountId: 'alice' }),
);
const WATCHED = toBinary(
  WatchBalancesRequestSchema,
  create(WatchBalancesRequestSchema, { ledgerId: 'main', accountIds: ['alice'] }),
);

const get = (port: number, frames = [frame(BALANCE)], headers = {}) => call(port, GET, { frames, headers });
const never = () => new Promise<never>(() => undefined);
const pause = (duration_ms: number) => new Promise((resolve) => setTimeout(resolve, duration_ms));

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await pause(5);
}

describe.each(GRPC_TRANSPORTS)('over %s HTTP/2', (each) => {
  beforeEach(() => {
    transport = each;
  });

  describe('each input is answered with one error of ours', () => {
    test.each<[string, readonly Buffer[], Record<string, string>, grpc.status, string]>([
      ['undecodable bytes', [frame(Buffer.from([0xff, 0xff]))], {}, 3, 'MALFORMED_MESSAGE'],
      ['a rule broken', [frame(Buffer.alloc(0))], {}, 3, 'INVALID_FIELD'],
      ['5 MB', [frame(Buffer.alloc(5e6))], {}, 8, 'MESSAGE_TOO_LARGE'],
      ['17 MB, beyond what the library reads', [frame(Buffer.alloc(17e6))], {}, 8, 'MESSAGE_TOO_LARGE'],
      ['20 MB in 20 KB', [frame(gzipSync(Buffer.alloc(20e6)), COMPRESSED)], GZIP, 8, 'MESSAGE_TOO_LARGE'],
      ['gzip that is none', [frame(Buffer.from('no'), COMPRESSED)], GZIP, 3, 'MALFORMED_MESSAGE'],
      [
        'another compression',
        [frame(BALANCE, COMPRESSED)],
        { 'grpc-encoding': 'snappy' },
        12,
        'UNSUPPORTED_ENCODING',
      ],
      ['two messages', [frame(BALANCE), frame(BALANCE)], {}, 12, 'WRONG_MESSAGE_COUNT'],
      ['no message', [], {}, 12, 'WRONG_MESSAGE_COUNT'],
      ['half a message', [frame(BALANCE).subarray(0, 7)], {}, 12, 'WRONG_MESSAGE_COUNT'],
      ['a timeout that is none', [frame(BALANCE)], { 'grpc-timeout': 'soon' }, 3, 'MALFORMED_MESSAGE'],
    ])('%s', async (_name, frames, headers, status, reason) => {
      const { port } = await open();
      expect(await get(port, [...frames], headers)).toMatchObject({ status, reasons: [reason] });
    });

    test('an unknown method, a method of an unknown service', async () => {
      const { port } = await open();
      for (const path of ['/quittance.query.v1.AccountQueryService/Nothing', '/a.B/C', '/', '/x']) {
        const answer = await call(port, path, { frames: [frame(BALANCE)] });
        expect(answer).toMatchObject({ status: 12, reasons: ['UNKNOWN_METHOD'] });
      }
    });

    test('what a driver throws is INTERNAL and tells nothing', async () => {
      const { port } = await open({
        getBalance: async () => {
          throw new Error('select secret from accounts');
        },
      });
      const answer = await get(port);
      expect(answer).toMatchObject({ status: 13, reasons: ['INTERNAL'] });
      expect(JSON.stringify(answer)).not.toContain('secret');
    });

    test('an answer of more than 4 MiB is not sent, by a call or a stream', async () => {
      const answer = { balance: { accountId: LARGE } };
      const { port } = await open({
        getBalance: async () => answer,
        watchBalances: async function* () {
          yield { asOf: { position: 1n } };
          yield { balances: [answer.balance] };
        },
      });
      expect(await get(port)).toMatchObject({ status: 8, reasons: ['MESSAGE_TOO_LARGE'] });
      const watched = await call(port, WATCH, { frames: [frame(WATCHED)] });
      expect(watched).toMatchObject({ status: 8, reasons: ['MESSAGE_TOO_LARGE'] });
      expect(watched.data.length).toBeLessThan(100);
    });

    test('a caller’s own text comes back cut: a status travels in a header', async () => {
      const { port } = await open();
      for (const size of [1_000, 100_000, 4_000_000]) {
        const metadata = { ['É'.repeat(size / 2)]: 'x' };
        const bytes = toBinary(DepositRequestSchema, create(DepositRequestSchema, { metadata }));
        const answer = await call(port, DEPOSIT, { frames: [frame(bytes)] });
        expect(answer).toMatchObject({ status: 3, reasons: ['INVALID_FIELD'] });
      }
      const message = `${'x'.repeat(399)}😀${'y'.repeat(1e6)}`;
      const thrower = await open({
        getBalance: async () => {
          throw fail(ErrorReason.ACCOUNT_NOT_FOUND, message, {
            resource: { type: 'account', name: message },
          });
        },
      });
      const answer = await get(thrower.port);
      expect(answer).toMatchObject({ status: 5, reasons: ['ACCOUNT_NOT_FOUND'] });
      expect(answer.message).toBe(`${'x'.repeat(399)}\ufffd…`);
    });

    test('an unknown field: refused in a command by its number, ignored in a query', async () => {
      const { port } = await open();
      // Field 100, a varint.
      const unknown = Buffer.from([0xa0, 0x06, 0x01]);
      const command = await call(port, DEPOSIT, { frames: [frame(unknown)] });
      expect(command).toMatchObject({ status: 3, reasons: ['UNKNOWN_FIELD'], field: '100' });
      expect(await get(port, [frame(Buffer.concat([BALANCE, unknown]))])).toMatchObject({ status: 0 });
    });
  });

  describe('deadlines and callers who leave', () => {
    test.each(['720H', '99999999H', '44640M', '2678400S', '99999999S'])(
      'a deadline in %s does not end a call at once',
      async (timeout) => {
        const { port } = await open({
          watchBalances: async function* (call) {
            await new Promise((resolve) => setTimeout(resolve, 50));
            if (call.aborted !== undefined) throw call.aborted;
            yield {};
          },
        });
        const headers = { 'grpc-timeout': timeout };
        expect(await get(port, undefined, headers)).toMatchObject({ status: 0 });
        expect(await call(port, WATCH, { frames: [frame(WATCHED)], headers })).toMatchObject({ status: 0 });
      },
    );

    test('an upload that its caller drops is CANCELLED and counted, and so is what the library refuses', async () => {
      const { port, registry } = await open();
      const session = connect(port);
      await once(session, 'connect');
      const stream = session.request({
        ':method': 'POST',
        ':path': GET,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      stream.on('error', () => undefined);
      stream.write(frame(BALANCE).subarray(0, 7));
      await new Promise((resolve) => session.ping(resolve));
      session.destroy();
      const counted = async (code: string) => {
        const figures = (await registry.metrics()).match(/quittance_calls_total\{.*\} \d+/g) ?? [];
        return figures.filter((line) => line.includes(`GetBalance",code="${code}"} 1`)).length;
      };
      while ((await counted('CANCELLED')) === 0) await new Promise((resolve) => setImmediate(resolve));
      await get(port, []);
      expect(await counted('UNIMPLEMENTED')).toBe(1);
      expect(await counted('CANCELLED')).toBe(1);
    });

    test('a query that hears no abort is answered at its deadline, and at the server’s own limit', async () => {
      const { port, registry } = await open({ getBalance: never }, { unaryLimit_ms: 300 });
      const expected = { status: 4, reasons: ['DEADLINE_EXCEEDED'] };
      expect(await get(port, undefined, { 'grpc-timeout': '100m' })).toMatchObject(expected);
      expect(await get(port)).toMatchObject(expected);
      expect(await registry.metrics()).toMatch(/calls_total\{[^}]*code="DEADLINE_EXCEEDED"\} 2/);
    });

    test('a command says itself what became of it', async () => {
      const { port } = await open({
        deposit: (ours) =>
          new Promise((_resolve, reject) => {
            ours.onAbort(() =>
              setTimeout(reject, 20, fail(ErrorReason.OUTCOME_UNKNOWN, 'it was being committed')),
            );
          }),
      });
      const answer = await deposit(port, { 'grpc-timeout': '100m' });
      expect(answer).toMatchObject({
        status: 14,
        reasons: ['OUTCOME_UNKNOWN'],
        message: 'it was being committed',
      });
    });

    test('a command that never says is not said to have changed nothing', async () => {
      const { port } = await open({ deposit: never });
      const answer = await deposit(port, { 'grpc-timeout': '100m' });
      expect(answer).toMatchObject({ status: 14, reasons: ['OUTCOME_UNKNOWN'] });
    });

    test('a caller who leaves aborts the signal of a call and ends a stream', async () => {
      const reasons: (ErrorReason | undefined)[] = [];
      let isEnded = false;
      let reached = 0;
      const { port } = await open({
        getBalance: (ours) => {
          reached += 1;
          ours.onAbort(({ reason }) => reasons.push(reason));
          return never();
        },
        watchBalances: async function* (ours) {
          reached += 1;
          try {
            while (ours.aborted === undefined) {
              yield { asOf: { position: 1n } };
              await pause(5);
            }
          } finally {
            isEnded = true;
          }
        },
      });
      for (const [path, bytes] of [
        [GET, BALANCE],
        [WATCH, WATCHED],
      ] as const) {
        const stream = request(connect(port), path);
        const closed = answerOf(stream);
        const before = reached;
        stream.end(frame(bytes));
        await until(() => reached > before);
        stream.close(http2.constants.NGHTTP2_CANCEL);
        await closed;
      }
      await until(() => isEnded && reasons.length > 0);
      expect(reasons).toEqual([ErrorReason.CANCELLED]);
    });
  });

  async function deposit(port: number, headers: Record<string, string>): Promise<Answer> {
    const bytes = toBinary(
      DepositRequestSchema,
      create(DepositRequestSchema, {
        ledgerId: 'main',
        requestId: '018f0000-0000-7000-8000-000000000000',
        accountId: 'alice',
        amount: { currency: 'EUR', minorUnits: 1n },
      }),
    );
    return call(port, DEPOSIT, { frames: [frame(bytes)], headers });
  }

  describe('streams', () => {
    test('a reader who does not read holds the method up', async () => {
      let sent = 0;
      const { port } = await open({
        watchBalances: async function* () {
          for (;;) {
            sent += 1;
            yield { balances: [{ accountId: 'x'.repeat(10_000) }] };
          }
        },
      });
      const stream = request(connect(port), WATCH);
      stream.on('error', () => undefined);
      stream.pause();
      stream.end(frame(WATCHED));
      await until(() => sent > 0);
      // What is under way fills the buffers of both ends, for as long as that takes on a busy machine.
      let held = 0;
      while (held !== sent && sent < 100) {
        held = sent;
        await pause(300);
      }
      expect(sent).toBe(held);
      expect(held).toBeLessThan(100);
      stream.resume();
      await until(() => sent > held + 100);
    });

    test('every message of a stream both ways is answered, the undecodable ones too, and then the status', async () => {
      const { port } = await open();
      const good = frame(Buffer.alloc(0));
      const bad = frame(Buffer.from([0xff]));
      const answer = await call(port, STREAM, { frames: [good, bad, frame(Buffer.alloc(5e6)), good] });
      expect(answer.status).toBe(0);
      expect(messagesIn(answer.data)).toEqual([
        [0n, 0],
        [1n, grpc.status.INVALID_ARGUMENT],
        [2n, grpc.status.RESOURCE_EXHAUSTED],
        [3n, 0],
      ]);
    });

    test('no more are open than the limit', async () => {
      const { port } = await open(
        {
          watchBalances: async function* (ours) {
            yield {};
            await new Promise((_resolve, reject) => ours.onAbort(reject));
          },
        },
        { streamLimit: 1, streamsForOperations: 0 },
      );
      const first = request(connect(port), WATCH);
      const ended = answerOf(first);
      first.end(frame(WATCHED));
      await new Promise((resolve) => first.once('data', resolve));
      const second = await call(port, WATCH, { frames: [frame(WATCHED)] });
      expect(second).toMatchObject({ status: 8, reasons: ['TOO_MANY_STREAMS'] });
      first.close(http2.constants.NGHTTP2_CANCEL);
      await ended;
    });
  });

  function messagesIn(data: Buffer): [bigint, number][] {
    const found: [bigint, number][] = [];
    for (let at = 0; at < data.length;) {
      const end = at + 5 + data.readUInt32BE(at + 1);
      const { index, result } = fromBinary(StreamCommandsResponseSchema, data.subarray(at + 5, end));
      found.push([index, result?.result.case === 'error' ? result.result.value.code : -1]);
      at = end;
    }
    return found;
  }

  describe('life of the door', () => {
    test('a taken port is an error', async () => {
      const { port } = await open();
      await expect(open({}, {}, { port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    });

    test('drain finishes calls, ends streams, and refuses what comes later', async () => {
      let release = () => {};
      const opened = new Promise<void>((resolve) => {
        release = resolve;
      });
      let reached = 0;
      const { door, port } = await open({
        getBalance: async () => {
          reached += 1;
          await opened;
          return { asOf: { position: 42n } };
        },
        watchBalances: async function* (ours) {
          reached += 1;
          yield {};
          await new Promise((_resolve, reject) => ours.onAbort(reject));
        },
      });
      const session = connect(port);
      const unary = call(port, GET, { frames: [frame(BALANCE)], session });
      const watching = call(port, WATCH, { frames: [frame(WATCHED)], session });
      const late = request(session, WATCH);
      const lateAnswer = answerOf(late);
      late.write(frame(WATCHED).subarray(0, 3));
      await until(() => reached === 2);
      // Answered after what was sent before it was read.
      await new Promise((resolve) => session.ping(resolve));
      let isDrained = false;
      const drained = door.drain().then(() => {
        isDrained = true;
      });
      expect(await watching).toMatchObject({ status: 14, reasons: ['NOT_SERVING'] });
      // This one began before the shutdown and sends its message after.
      late.end(frame(WATCHED).subarray(3));
      expect(await lateAnswer).toMatchObject({ status: 14, reasons: ['NOT_SERVING'] });
      expect(isDrained).toBe(false);
      release();
      expect(await unary).toMatchObject({ status: 0 });
      await drained;
      const refused = connect(port);
      await new Promise((resolve) => refused.once('error', resolve));
    });
  });
});
