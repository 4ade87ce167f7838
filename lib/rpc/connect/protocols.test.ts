/** Which protocols and versions of HTTP the Connect door speaks, and whom it serves. */
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import { Code, createClient, type Transport } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import { describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { LedgerCommandService } from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { TransactionCommandService } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { fail } from '../errors.js';
import {
  all,
  BALANCE,
  CREATE_LEDGER,
  endless,
  failureOf,
  gate,
  GET_BALANCE,
  httpFailure,
  JSON_TYPE,
  LEDGER,
  open,
  post,
  unused,
} from './test/fixture.js';

const PROTOCOLS: readonly (readonly [string, (baseUrl: string) => Transport])[] = [
  ['Connect over HTTP/1.1', (baseUrl) => createConnectTransport({ baseUrl, httpVersion: '1.1' })],
  ['Connect over HTTP/2', (baseUrl) => createConnectTransport({ baseUrl, httpVersion: '2' })],
  [
    'Connect JSON over HTTP/2',
    (baseUrl) => createConnectTransport({ baseUrl, httpVersion: '2', useBinaryFormat: false }),
  ],
  ['gRPC-Web over HTTP/1.1', (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: '1.1' })],
  [
    'gRPC-Web JSON over HTTP/2',
    (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: '2', useBinaryFormat: false }),
  ],
  ['gRPC over HTTP/2', (baseUrl) => createGrpcTransport({ baseUrl })],
  ['gRPC JSON over HTTP/2', (baseUrl) => createGrpcTransport({ baseUrl, useBinaryFormat: false })],
];

describe.each(PROTOCOLS)('%s', (_name, transportTo) => {
  test('a call, a stream and their errors, with one ErrorInfo each', async () => {
    const { url } = await open({
      watchBalances: async function* () {
        yield { asOf: { position: 1n } };
        yield { asOf: { position: 2n } };
        throw fail(ErrorReason.READER_TOO_SLOW, 'too slow');
      },
      createLedger: () => Promise.reject(fail(ErrorReason.LEDGER_ALREADY_EXISTS, 'exists')),
    });
    const accounts = createClient(AccountQueryService, transportTo(url));
    expect((await accounts.getBalance(BALANCE)).asOf?.position).toBe(42n);
    const positions: (bigint | undefined)[] = [];
    const watching = (async () => {
      const watch = accounts.watchBalances({ ledgerId: 'main', accountIds: ['alice'] });
      for await (const { asOf } of watch) positions.push(asOf?.position);
    })();
    const ended = await failureOf(watching);
    expect([positions, ended.code, ended.reason]).toEqual([
      [1n, 2n],
      Code.ResourceExhausted,
      'READER_TOO_SLOW',
    ]);
    const refused = await failureOf(
      createClient(LedgerCommandService, transportTo(url)).createLedger(LEDGER),
    );
    expect([refused.code, refused.reason]).toEqual([Code.AlreadyExists, 'LEDGER_ALREADY_EXISTS']);
    const invalid = await failureOf(accounts.getBalance({ ledgerId: '?', accountId: 'a' }));
    expect([invalid.code, invalid.reason]).toEqual([Code.InvalidArgument, 'INVALID_FIELD']);
    const large = await failureOf(accounts.getBalance({ ledgerId: 'x'.repeat(5_000_000), accountId: 'a' }));
    expect([large.code, large.reason]).toEqual([Code.ResourceExhausted, 'MESSAGE_TOO_LARGE']);
  });

  test('a deadline, and a caller who leaves', async () => {
    const aborted: unknown[] = [];
    const started = gate();
    const { url, door } = await open({
      getBalance: (_request, { signal }) => once(new EventTarget(), 'never', { signal }).then(unused),
      watchBalances: (call) => {
        call.onAbort((reason) => aborted.push(reason));
        started.release();
        return endless(call);
      },
    });
    const accounts = createClient(AccountQueryService, transportTo(url));
    const late = await failureOf(accounts.getBalance(BALANCE, { timeoutMs: 100 }));
    expect(late.code).toBe(Code.DeadlineExceeded);
    const leaving = new AbortController();
    const watch = accounts
      .watchBalances({ ledgerId: 'main', accountIds: ['a'] }, { signal: leaving.signal })
      [Symbol.asyncIterator]();
    await watch.next();
    await started.opened;
    leaving.abort();
    await expect(watch.next()).rejects.toThrow();
    await door.drain();
    expect(aborted).toMatchObject([{ reason: ErrorReason.CANCELLED }]);
  });
});

describe('streams both ways', () => {
  test('run over HTTP/2, each bad message answered in its place', async () => {
    const { url } = await open(
      {},
      {},
      {
        streamCommands: async function* (requests) {
          for await (const arrived of requests) {
            yield arrived.map((request) => ({ index: request instanceof Error ? 1n : 2n }));
          }
        },
      },
    );
    const client = createClient(TransactionCommandService, createGrpcTransport({ baseUrl: url }));
    async function* requests() {
      yield {};
      yield {};
    }
    expect(await all(client.streamCommands(requests()))).toHaveLength(2);
  });
});

describe('one port', () => {
  test('serves HTTP/1.1 and HTTP/2 next to each other, pages too', async () => {
    const { url, door } = await open();
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const session = http2.connect(url);
    const stream = session.request({ ':path': '/healthz' });
    const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
    expect([headers[':status'], headers['cache-control']]).toEqual([200, 'no-store']);
    stream.resume();
    await once(stream, 'close');
    session.close();
    // A first packet of one byte does not tell the version yet.
    const socket = net.connect(door.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.setNoDelay(true);
    socket.write('P');
    await new Promise((resolve) => setImmediate(resolve));
    socket.write(
      'OST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
    );
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1.1 404 /);
    socket.destroy();
  });

  test('drain ends what is open over HTTP/2, and closes its connections', async () => {
    const [started, finish] = [gate(), gate()];
    const { url, door } = await open({
      watchBalances: endless,
      getBalance: async () => {
        started.release();
        await finish.opened;
        return { asOf: { position: 7n } };
      },
    });
    const accounts = createClient(AccountQueryService, createGrpcTransport({ baseUrl: url }));
    const watch = accounts.watchBalances({ ledgerId: 'main', accountIds: ['a'] })[Symbol.asyncIterator]();
    await watch.next();
    const unary = accounts.getBalance(BALANCE);
    await started.opened;
    const drained = door.drain();
    expect(await failureOf(watch.next())).toMatchObject({ code: Code.Unavailable, reason: 'NOT_SERVING' });
    expect(await failureOf(accounts.getBalance(BALANCE))).toMatchObject({ reason: 'NOT_SERVING' });
    finish.release();
    expect((await unary).asOf?.position).toBe(7n);
    await drained;
  });

  test('a URL with headers beyond 64 KiB is answered with an error that can be read', async () => {
    const { url } = await open();
    const message = encodeURIComponent(JSON.stringify({ ...BALANCE, accountId: 'a'.repeat(128) }));
    const long = await fetch(`${url}${GET_BALANCE}?encoding=json&message=${message}&x=${'x'.repeat(40_000)}`);
    expect(long.status).toBe(200);
    const longer = await fetch(`${url}${GET_BALANCE}?encoding=json&message=${'x'.repeat(70_000)}`);
    expect(await httpFailure(longer)).toMatchObject({ status: 431, reason: 'MESSAGE_TOO_LARGE' });
  });
});

describe('the host that a request names', () => {
  const statusFor = (port: number, host: string, origin?: string) =>
    new Promise<number>((resolve, reject) => {
      const headers = { ...JSON_TYPE, Host: host, ...(origin === undefined ? {} : { Origin: origin }) };
      const request = http.request(
        { port, host: '127.0.0.1', path: CREATE_LEDGER, method: 'POST', headers },
        (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        },
      );
      request.on('error', reject);
      request.end(JSON.stringify(LEDGER));
    });

  test('is loopback, an address or a configured name; another gets 421 and reaches nothing', async () => {
    const reached: string[] = [];
    const fakes = {
      createLedger: (request: { ledgerId: string }) => {
        reached.push(request.ledgerId);
        return Promise.resolve({});
      },
    };
    const { door } = await open(fakes, { allowedHosts: ['ledger.example.com'] });
    for (const host of [
      'localhost',
      'LOCALHOST:1',
      '127.0.0.1:99',
      '[::1]:8081',
      '10.1.2.3',
      'ledger.example.com:80',
    ]) {
      expect([host, await statusFor(door.port, host)]).toEqual([host, 200]);
    }
    expect(reached).toHaveLength(6);
    for (const host of ['evil.example', 'localhost.evil.example', 'ledger.example.com.evil.example', 'a b']) {
      expect([host, await statusFor(door.port, host, `http://${host}`)]).toEqual([host, 421]);
    }
    expect(reached).toHaveLength(6);
    const session = http2.connect(`http://127.0.0.1:${String(door.port)}`);
    const stream = session.request({
      ':method': 'POST',
      ':path': CREATE_LEDGER,
      ':authority': 'evil.example',
      'content-type': 'application/grpc',
    });
    stream.end();
    const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
    expect(headers[':status']).toBe(421);
    stream.resume();
    session.close();
    expect(reached).toHaveLength(6);
  });

  test('is any if so configured', async () => {
    const { door } = await open({}, { allowedHosts: ['*'] });
    expect(await statusFor(door.port, 'any.example')).toBe(200);
  });
});

describe('callers who break off', () => {
  test('an upload that its caller drops is CANCELLED and counted, and no defect', async () => {
    const lines: string[] = [];
    const logger = pino({ level: 'error' }, { write: (line: string) => lines.push(line) });
    const { url, door } = await open({}, { logger });
    const socket = net.connect(door.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(
      `POST ${CREATE_LEDGER} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"led`,
    );
    const session = http2.connect(url);
    session.on('error', () => undefined);
    const stream = session.request({
      ':method': 'POST',
      ':path': CREATE_LEDGER,
      'content-type': 'application/grpc',
    });
    stream.on('error', () => undefined);
    stream.write(Buffer.from([0, 0, 0, 0, 99, 1]));
    const counted = async (code: string) => {
      const text = await (await fetch(`${url}/metrics`)).text();
      const line = new RegExp(`CreateLedger",code="${code}"\\} (\\d+)`).exec(text);
      return Number(line?.[1] ?? 0);
    };
    // The server has seen both once it answers what came after them.
    await fetch(`${url}/healthz`);
    const ping = new Promise((resolve) => session.ping(resolve));
    await ping;
    socket.destroy();
    session.destroy();
    while ((await counted('CANCELLED')) < 2) await new Promise((resolve) => setImmediate(resolve));
    expect(lines).toEqual([]);
  });

  test('a reader of a stream that leaves while its answers wait gives its place back', async () => {
    const large = 'x'.repeat(500_000);
    const ended = gate();
    const { url } = await open({
      watchBalances: async function* () {
        try {
          while (true) yield { balances: [{ accountId: large }] };
        } finally {
          ended.release();
        }
      },
    });
    const { port } = new URL(url);
    const socket = net.connect(Number(port), '127.0.0.1');
    await once(socket, 'connect');
    const body = '\0\0\0\0\x26{"ledgerId":"main","accountIds":["a"]}';
    const head = `POST /quittance.query.v1.AccountQueryService/WatchBalances HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/connect+json\r\nContent-Length: ${String(body.length)}\r\n\r\n`;
    socket.write(head + body, 'latin1');
    await once(socket, 'readable');
    socket.destroy();
    await ended.opened;
  });
});

describe('answers in JSON', () => {
  test('hold zeros, empty texts and empty lists', async () => {
    const { url } = await open({
      getBalance: () => Promise.resolve({ balance: { currency: 'JPY' } }),
    });
    const answer = (await (await post(`${url}${GET_BALANCE}`, JSON.stringify(BALANCE))).json()) as object;
    expect(answer).toMatchObject({
      balance: { accountId: '', currency: 'JPY', posted: '0', exponent: 0, version: '0' },
    });
  });
});
