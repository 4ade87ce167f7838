import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { gzipSync } from 'node:zlib';
import { create, toBinary } from '@bufbuild/protobuf';
import { Code, createClient } from '@connectrpc/connect';
import { describe, expect, test } from '@jest/globals';
import {
  Health as HealthService,
  HealthCheckResponse_ServingStatus,
} from '../../../gen/grpc/health/v1/health_pb.js';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from '../../../gen/google/rpc/error_details_pb.js';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { LedgerCommandService } from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { TransactionCommandService } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import {
  AccountQueryService,
  GetBalanceRequestSchema,
} from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import type { Call } from '../call.js';
import { fail } from '../errors.js';

import {
  all,
  BALANCE,
  CREATE_LEDGER,
  endless,
  type ErrorBody,
  failureOf,
  gate,
  GET_BALANCE,
  httpFailure,
  JSON_TYPE,
  LEDGER,
  open,
  post,
  transport,
  unused,
  WATCH_BALANCES,
} from './test/fixture.js';

describe('calls', () => {
  test.each([true, false])('a unary call and a stream, binary %s', async (useBinaryFormat) => {
    const { url, health } = await open({
      watchBalances: async function* () {
        yield { asOf: { position: 1n } };
        yield { asOf: { position: 2n } };
      },
    });
    const accounts = createClient(AccountQueryService, transport(url, { useBinaryFormat }));
    expect((await accounts.getBalance(BALANCE)).asOf?.position).toBe(42n);
    const positions: bigint[] = [];
    for await (const { asOf } of accounts.watchBalances({ ledgerId: 'main', accountIds: ['alice'] })) {
      positions.push(asOf?.position ?? -1n);
    }
    expect(positions).toEqual([1n, 2n]);
    health.set(AccountQueryService.typeName, true);
    const status = await createClient(HealthService, transport(url, { useBinaryFormat })).check({});
    expect(status.status).toBe(HealthCheckResponse_ServingStatus.SERVING);
  });

  test('a query by GET; a command never', async () => {
    const { url } = await open();
    const accounts = createClient(AccountQueryService, transport(url, { useHttpGet: true }));
    expect((await accounts.getBalance(BALANCE)).asOf?.position).toBe(42n);
    const message = encodeURIComponent(JSON.stringify(BALANCE));
    const answer = await fetch(`${url}${GET_BALANCE}?encoding=json&message=${message}`);
    expect(await answer.json()).toMatchObject({ asOf: { position: '42' } });
    expect(answer.headers.get('cache-control')).toBe('private, no-cache');
    const refused = await fetch(`${url}${CREATE_LEDGER}?encoding=json&message=%7B%7D`);
    expect(refused.headers.get('allow')).toBe('POST');
    expect(await httpFailure(refused)).toMatchObject({ status: 405, reason: 'UNKNOWN_METHOD' });
    const untold = await fetch(`${url}${GET_BALANCE}?message=${message}`);
    expect(await httpFailure(untold)).toMatchObject({ status: 415, reason: 'MALFORMED_MESSAGE' });
    const garbled = await fetch(`${url}${GET_BALANCE}?encoding=proto&base64=1&message=!!!`);
    expect(await httpFailure(garbled)).toMatchObject({ status: 400, reason: 'MALFORMED_MESSAGE' });
  });

  test('a query by GET has an ETag, by which an answer that is known is not sent again', async () => {
    const { url } = await open();
    const get = (request: object, headers: Record<string, string> = {}) => {
      const message = encodeURIComponent(JSON.stringify(request));
      return fetch(`${url}${GET_BALANCE}?encoding=json&message=${message}`, { headers });
    };
    const first = await get(BALANCE);
    const tag = first.headers.get('etag') ?? '';
    expect(tag).toMatch(/^W\/"[\w-]{24}"$/);
    await first.arrayBuffer();
    for (const known of [tag, `"other", ${tag}`, tag.slice(2), '*']) {
      const again = await get(BALANCE, { 'If-None-Match': known });
      expect([again.status, again.headers.get('etag'), await again.text()]).toEqual([304, tag, '']);
    }
    const other = await get(BALANCE, { 'If-None-Match': '"other"' });
    expect([other.status, other.headers.get('etag')]).toEqual([200, tag]);
    expect(await other.json()).toMatchObject({ asOf: { position: '42' } });
    const posted = await post(`${url}${GET_BALANCE}`, JSON.stringify(BALANCE));
    expect([posted.headers.get('etag'), posted.headers.get('cache-control')]).toEqual([null, 'no-store']);
    const failed = await get({ ledgerId: 'main' }, { 'If-None-Match': '*' });
    expect([failed.status, failed.headers.get('etag')]).toEqual([400, null]);
  });

  test('a google.rpc.Status within an answer is written as JSON', async () => {
    const { url } = await open();
    const answer = await post(
      `${url}/quittance.command.v1.TransactionCommandService/ExecuteBatch`,
      '{"ledgerId":"main","commands":[{}]}',
    );
    const text = await answer.text();
    expect([answer.status, text]).toEqual([
      200,
      expect.stringContaining('type.googleapis.com/google.rpc.ErrorInfo'),
    ]);
  });

  test('gzip both ways; another compression is refused', async () => {
    const { url } = await open({ getBalance: async () => ({ balance: { accountId: 'x'.repeat(5_000) } }) });
    const body = new Uint8Array(gzipSync(JSON.stringify(BALANCE)));
    const answer = await post(`${url}${GET_BALANCE}`, body, { ...JSON_TYPE, 'Content-Encoding': 'gzip' });
    expect(answer.headers.get('content-encoding')).toBe('gzip');
    expect(await answer.json()).toMatchObject({ balance: { accountId: 'x'.repeat(5_000) } });
    const refused = await post(`${url}${GET_BALANCE}`, '{}', { ...JSON_TYPE, 'Content-Encoding': 'zstd' });
    expect(await httpFailure(refused)).toMatchObject({ status: 501, reason: 'UNSUPPORTED_ENCODING' });
    const broken = await post(`${url}${GET_BALANCE}`, '{}', { ...JSON_TYPE, 'Content-Encoding': 'gzip' });
    expect(await httpFailure(broken)).toMatchObject({ status: 400, reason: 'MALFORMED_MESSAGE' });
  });
});

describe('errors', () => {
  test.each([true, false])(
    'what a method throws arrives with its details, binary %s',
    async (useBinaryFormat) => {
      const thrown = fail(ErrorReason.READ_MODEL_BEHIND, 'behind', {
        metadata: { cause: 'DEAD_LETTER' },
        cause: new Error('select secret'),
      });
      const { url } = await open({
        getBalance: () => Promise.reject(thrown),
        watchBalances: async function* () {
          yield {};
          throw thrown;
        },
      });
      const accounts = createClient(AccountQueryService, transport(url, { useBinaryFormat }));
      const unary = await failureOf(accounts.getBalance(BALANCE));
      const stream = await failureOf(all(accounts.watchBalances({ ledgerId: 'main', accountIds: ['a'] })));
      for (const { error, code, reason } of [unary, stream]) {
        expect([code, reason, error.rawMessage]).toEqual([Code.Unavailable, 'READ_MODEL_BEHIND', 'behind']);
        expect(error.findDetails(ErrorInfoSchema)[0]?.metadata).toEqual({ cause: 'DEAD_LETTER' });
        expect(error.findDetails(RetryInfoSchema)[0]?.retryDelay?.nanos).toBe(100_000_000);
      }
    },
  );

  test('a defect is INTERNAL and tells nothing', async () => {
    const { url } = await open({ getBalance: () => Promise.reject(new Error('secret')) });
    const { status, reason, body } = await httpFailure(
      await post(`${url}${GET_BALANCE}`, JSON.stringify(BALANCE)),
    );
    expect([status, reason]).toEqual([500, 'INTERNAL']);
    expect(JSON.stringify(body)).not.toContain('secret');
  });

  test('what breaks a rule is INVALID_FIELD', async () => {
    const { url } = await open();
    const { code, reason, error } = await failureOf(
      createClient(AccountQueryService, transport(url)).getBalance({ ledgerId: '?', accountId: 'a' }),
    );
    expect([code, reason]).toEqual([Code.InvalidArgument, 'INVALID_FIELD']);
    expect(error.findDetails(BadRequestSchema)[0]?.fieldViolations[0]?.field).toBe('ledger_id');
  });

  test('an unknown JSON field: refused in a command, ignored in a query', async () => {
    const { url } = await open();
    const refused = await httpFailure(
      await post(`${url}${CREATE_LEDGER}`, JSON.stringify({ ...LEDGER, currancy: 'EUR' })),
    );
    expect(refused).toMatchObject({ status: 400, code: 'invalid_argument', reason: 'UNKNOWN_FIELD' });
    expect(JSON.stringify(refused.body)).toContain('"field":"currancy"');
    const ignored = await post(`${url}${GET_BALANCE}`, JSON.stringify({ ...BALANCE, currancy: 'EUR' }));
    expect(ignored.status).toBe(200);
  });

  test.each([
    ['no JSON', '{"ledgerId": 12.34'],
    ['a value of another type', '{"validateOnly": "98765"}'],
    ['a key twice', '{"ledgerId": "98765", "ledgerId": "b"}'],
    ['no object', '98765'],
    ['nothing', ''],
  ])('%s is MALFORMED_MESSAGE and not quoted', async (_name, body) => {
    const { url } = await open();
    const { status, reason, body: said } = await httpFailure(await post(`${url}${CREATE_LEDGER}`, body));
    expect([status, reason]).toEqual([400, 'MALFORMED_MESSAGE']);
    expect(JSON.stringify(said)).not.toMatch(/98765|12\.34/);
  });

  test('bytes that are no message are MALFORMED_MESSAGE', async () => {
    const { url } = await open();
    const answer = await post(`${url}${GET_BALANCE}`, new Uint8Array([10, 200, 1]), {
      'Content-Type': 'application/proto',
    });
    expect(await httpFailure(answer)).toMatchObject({ status: 400, reason: 'MALFORMED_MESSAGE' });
  });

  test('a stream’s undecodable request is answered at the end of the stream', async () => {
    const { url } = await open();
    for (const [bytes, reason] of [
      [[0, 0, 0, 0, 1, 0x7b], 'MALFORMED_MESSAGE'],
      [[0, 0, 0, 0, 9, 0x7b], 'MALFORMED_MESSAGE'],
      [[], 'WRONG_MESSAGE_COUNT'],
      [[0, 0, 0, 0, 2, 0x7b, 0x7d, 0, 0, 0, 0, 2, 0x7b, 0x7d], 'WRONG_MESSAGE_COUNT'],
      [[0, 0xff, 0, 0, 0], 'MESSAGE_TOO_LARGE'],
    ] as const) {
      const answer = await post(`${url}${WATCH_BALANCES}`, new Uint8Array(bytes), {
        'Content-Type': 'application/connect+json',
      });
      const envelope = new Uint8Array(await answer.arrayBuffer());
      expect([answer.status, envelope[0]]).toEqual([200, 2]);
      const end = JSON.parse(new TextDecoder().decode(envelope.subarray(5))) as { error: ErrorBody };
      expect(end.error.details[0]?.debug?.['reason']).toBe(reason);
    }
  });

  test('another content type is refused by name', async () => {
    const { url } = await open();
    for (const type of ['text/plain', 'application/grpc-web-text', 'application/connect+json']) {
      const answer = await post(`${url}${GET_BALANCE}`, '{}', { 'Content-Type': type });
      expect(answer.headers.get('accept-post')).toBe(
        'application/json, application/proto, application/grpc, application/grpc-web',
      );
      if (type !== 'application/connect+json') {
        expect(await httpFailure(answer)).toMatchObject({ status: 415, reason: 'MALFORMED_MESSAGE' });
      }
    }
    const answer = await post(`${url}${WATCH_BALANCES}`, '{}');
    expect(await httpFailure(answer)).toMatchObject({ status: 415, reason: 'MALFORMED_MESSAGE' });
  });

  test('an unknown method or path is UNKNOWN_METHOD', async () => {
    const { url } = await open();
    for (const path of ['/quittance.query.v1.AccountQueryService/Nope', '/', '//x', '/toString']) {
      const answer = await post(`${url}${path}`, '{}');
      expect(await httpFailure(answer)).toMatchObject({
        status: 404,
        code: 'unimplemented',
        reason: 'UNKNOWN_METHOD',
      });
    }
  });

  test('a bidirectional stream is refused and says where it works', async () => {
    const { url } = await open();
    const client = createClient(TransactionCommandService, transport(url));
    const { code, reason, error } = await failureOf(all(client.streamCommands((async function* () {})())));
    expect([code, reason]).toEqual([Code.Unimplemented, 'UNKNOWN_METHOD']);
    expect(error.rawMessage).toContain('gRPC port');
    const answer = await post(`${url}/quittance.command.v1.TransactionCommandService/StreamCommands`, '{}');
    expect(await httpFailure(answer)).toMatchObject({ status: 505 });
  });

  test('calls that never reach a method are counted too', async () => {
    const { url } = await open();
    await post(`${url}${CREATE_LEDGER}`, 'no');
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain(
      'quittance_calls_total{method="quittance.command.v1.LedgerCommandService/CreateLedger",code="INVALID_ARGUMENT"} 1',
    );
  });
});

describe('sizes', () => {
  const five = 5 * 1024 * 1024;

  test.each([true, false])('a request of 5 MB is refused, binary %s', async (useBinaryFormat) => {
    const { url } = await open();
    const ledgers = createClient(LedgerCommandService, transport(url, { useBinaryFormat }));
    const refused = await failureOf(ledgers.createLedger({ ...LEDGER, description: 'x'.repeat(five) }));
    expect([refused.code, refused.reason]).toEqual([Code.ResourceExhausted, 'MESSAGE_TOO_LARGE']);
    const accepted = await failureOf(ledgers.createLedger({ ...LEDGER, description: 'x'.repeat(4_000_000) }));
    expect(accepted.reason).toBe('INVALID_FIELD');
  });

  test('a caller without end is cut off', async () => {
    const { door } = await open();
    const request = http.request({
      port: door.port,
      host: '127.0.0.1',
      path: CREATE_LEDGER,
      method: 'POST',
      headers: JSON_TYPE,
    });
    const closed = new Promise((resolve) => request.on('close', resolve).on('error', () => {}));
    const piece = 'x'.repeat(1024 * 1024);
    let sent = 0;
    const more = () => {
      while (!request.destroyed && request.write(piece)) sent += 1;
      sent += 1;
    };
    request.on('drain', more);
    more();
    await closed;
    expect(sent).toBeLessThan(64);
  });

  test('5 MB in chunks of unknown number are refused with an answer, not a broken connection', async () => {
    const { door } = await open();
    const request = http.request({
      port: door.port,
      host: '127.0.0.1',
      path: CREATE_LEDGER,
      method: 'POST',
      headers: JSON_TYPE,
    });
    for (let sent = 0; sent < five; sent += 65_536) request.write('x'.repeat(65_536));
    request.end();
    const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
    expect(answer.statusCode).toBe(429);
    answer.resume();
  });

  test('5 MB in a few compressed kilobytes are refused', async () => {
    const { url } = await open();
    const body = new Uint8Array(gzipSync(`"${'x'.repeat(five)}"`));
    const answer = await post(`${url}${CREATE_LEDGER}`, body, { ...JSON_TYPE, 'Content-Encoding': 'gzip' });
    expect(await httpFailure(answer)).toMatchObject({ status: 429, reason: 'MESSAGE_TOO_LARGE' });
  });

  test('an answer of 5 MB is not sent, by a call or a stream', async () => {
    const large = { balance: { accountId: 'x'.repeat(five) } };
    const { url } = await open({
      getBalance: async () => large,
      watchBalances: async function* () {
        yield { balances: [large.balance] };
      },
    });
    const accounts = createClient(AccountQueryService, transport(url));
    const stream = () => all(accounts.watchBalances({ ledgerId: 'main', accountIds: ['a'] }));
    for (const work of [accounts.getBalance(BALANCE), stream()]) {
      const { code, reason, error } = await failureOf(work);
      expect([code, reason]).toEqual([Code.ResourceExhausted, 'MESSAGE_TOO_LARGE']);
      expect(error.rawMessage).toContain('the answer');
    }
  });
});

describe('deadlines and callers who leave', () => {
  test('Connect-Timeout-Ms is the deadline of the call', async () => {
    const calls: Call[] = [];
    const { url } = await open({
      getBalance: (_request, call) => {
        calls.push(call);
        return once(new EventTarget(), 'never', { signal: call.signal }).then(unused);
      },
    });
    const began_ms = Date.now();
    const answer = await post(`${url}${GET_BALANCE}`, JSON.stringify(BALANCE), {
      ...JSON_TYPE,
      'Connect-Timeout-Ms': '200',
    });
    expect(await httpFailure(answer)).toMatchObject({
      code: 'deadline_exceeded',
      reason: 'DEADLINE_EXCEEDED',
    });
    expect(calls[0]?.deadline_ms).toBeGreaterThanOrEqual(began_ms + 200);
    expect(calls[0]?.deadline_ms).toBeLessThan(began_ms + 5_000);
  });

  test('a query that hears no abort is answered at its deadline all the same', async () => {
    const { url } = await open({ getBalance: () => new Promise(() => undefined) });
    const accounts = createClient(AccountQueryService, transport(url));
    const headers = { ...JSON_TYPE, 'Connect-Timeout-Ms': '100' };
    const answer = await httpFailure(await post(url + GET_BALANCE, JSON.stringify(BALANCE), headers));
    expect(answer).toMatchObject({ status: 504, reason: 'DEADLINE_EXCEEDED' });
    const failure = await failureOf(accounts.getBalance(BALANCE, { timeoutMs: 100 }));
    expect(failure.code).toBe(Code.DeadlineExceeded);
  });

  test('a caller’s own text comes back cut', async () => {
    const { url } = await open();
    const key = 'x'.repeat(1_000_000);
    const answer = await post(
      url + CREATE_LEDGER,
      JSON.stringify({ ledgerId: 'main', metadata: { [key]: 'x' } }),
    );
    const { reason, body } = await httpFailure(answer);
    expect(reason).toMatch(/INVALID_FIELD|UNKNOWN_FIELD/);
    expect(JSON.stringify(body).length).toBeLessThan(10_000);
  });

  test('a deadline in the far future does not end a stream at once', async () => {
    const { url } = await open({
      watchBalances: async function* ({ signal }) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        signal.throwIfAborted();
        yield {};
      },
    });
    const accounts = createClient(AccountQueryService, transport(url));
    const options = { headers: { 'Connect-Timeout-Ms': '9999999999' } };
    expect(await all(accounts.watchBalances({ ledgerId: 'main', accountIds: ['a'] }, options))).toHaveLength(
      1,
    );
  });

  test('a timeout that is no number is refused', async () => {
    const { url } = await open();
    const answer = await post(`${url}${GET_BALANCE}`, '{}', { ...JSON_TYPE, 'Connect-Timeout-Ms': 'soon' });
    expect(await httpFailure(answer)).toMatchObject({ status: 400, reason: 'MALFORMED_MESSAGE' });
  });

  test('a caller who leaves aborts the signal of a call and of a stream', async () => {
    const aborted: unknown[] = [];
    const started = gate();
    const noted = (call: Call) => {
      call.signal.addEventListener('abort', () => aborted.push(call.signal.reason));
      started.release();
    };
    const { url, door } = await open({
      getBalance: (_request, call) => {
        noted(call);
        return once(new EventTarget(), 'never', { signal: call.signal }).then(unused);
      },
      watchBalances: (call) => {
        noted(call);
        return endless(call);
      },
    });
    const accounts = createClient(AccountQueryService, transport(url));
    const caller = new AbortController();
    const unary = accounts.getBalance(BALANCE, { signal: caller.signal });
    await started.opened;
    caller.abort();
    await expect(unary).rejects.toMatchObject({ code: Code.Canceled });
    const watching = accounts.watchBalances({ ledgerId: 'main', accountIds: ['a'] })[Symbol.asyncIterator]();
    await watching.next();
    await watching.return?.();
    await door.drain();
    expect(aborted).toEqual([
      expect.objectContaining({ reason: ErrorReason.CANCELLED }),
      expect.objectContaining({ reason: ErrorReason.CANCELLED }),
    ]);
  });

  test('a caller’s trace is kept', async () => {
    const traces: string[] = [];
    const { url } = await open({
      getBalance: async (_request, { traceId }) => {
        traces.push(traceId);
        return {};
      },
    });
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    await post(`${url}${GET_BALANCE}`, JSON.stringify(BALANCE), { ...JSON_TYPE, traceparent });
    expect(traces).toEqual(['a'.repeat(32)]);
  });
});

describe('CORS', () => {
  const preflight = (url: string, origin: string) =>
    fetch(`${url}${GET_BALANCE}`, {
      method: 'OPTIONS',
      headers: {
        Origin: origin,
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'content-type,connect-protocol-version',
      },
    });
  const call = (url: string, origin: string) =>
    post(`${url}${GET_BALANCE}`, JSON.stringify(BALANCE), { ...JSON_TYPE, Origin: origin });

  test('an allowed origin may ask and read, without credentials', async () => {
    const { url } = await open();
    const asked = await preflight(url, 'https://console.example.com');
    expect(asked.status).toBe(204);
    expect(asked.headers.get('access-control-allow-origin')).toBe('https://console.example.com');
    expect(asked.headers.get('access-control-allow-methods')).toBe('POST, GET');
    for (const name of ['Content-Type', 'Connect-Protocol-Version', 'Connect-Timeout-Ms', 'Authorization']) {
      expect(asked.headers.get('access-control-allow-headers')?.split(', ')).toContain(name);
    }
    const answer = await call(url, 'https://console.example.com');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://console.example.com');
    expect(answer.headers.get('access-control-expose-headers')).toContain('Connect-Content-Encoding');
    for (const { headers } of [asked, answer]) {
      expect(headers.get('access-control-allow-credentials')).toBeNull();
      expect(headers.get('vary')).toBe('Origin');
      expect(headers.get('cache-control')).toBe('no-store');
    }
  });

  test.each(['https://evil.example.com', 'https://console.example.com.evil.com', 'null'])(
    '%s may not',
    async (origin) => {
      const { url } = await open();
      const asked = await preflight(url, origin);
      expect(asked.status).toBe(403);
      expect(asked.headers.get('access-control-allow-origin')).toBeNull();
      const answer = await call(url, origin);
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
      expect(answer.headers.get('vary')).toBe('Origin');
    },
  );

  test('nobody may unless configured, all if so configured', async () => {
    const closed = await open({}, { corsOrigins: [] });
    expect((await preflight(closed.url, 'https://console.example.com')).status).toBe(403);
    const wide = await open({}, { corsOrigins: ['*'] });
    expect(
      (await preflight(wide.url, 'https://any.example.com')).headers.get('access-control-allow-origin'),
    ).toBe('*');
    expect((await call(wide.url, 'https://any.example.com')).headers.get('access-control-allow-origin')).toBe(
      '*',
    );
  });

  test('errors can be read across origins too', async () => {
    const { url } = await open();
    for (const path of [CREATE_LEDGER, '/nobody/Home']) {
      const answer = await post(`${url}${path}`, 'no', {
        ...JSON_TYPE,
        Origin: 'https://console.example.com',
      });
      expect(answer.ok).toBe(false);
      expect(answer.headers.get('access-control-allow-origin')).toBe('https://console.example.com');
    }
  });
});

describe('pages', () => {
  test('/healthz, /readyz and /metrics', async () => {
    const { url, health } = await open();
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    health.set(AccountQueryService.typeName, true);
    const ready = await fetch(`${url}/readyz?verbose`);
    expect([ready.status, await ready.text()]).toEqual([200, 'serving\n']);
    expect((await fetch(`${url}/readyz`, { method: 'HEAD' })).status).toBe(200);
    await post(`${url}${GET_BALANCE}`, JSON.stringify(BALANCE));
    const metrics = await fetch(`${url}/metrics`);
    expect(metrics.headers.get('content-type')).toContain('text/plain');
    expect(await metrics.text()).toContain('quittance_calls_total');
    for (const path of ['/healthz', '/readyz', '/metrics', '/nothing']) {
      expect((await fetch(`${url}${path}`)).headers.get('cache-control')).toBe('no-store');
    }
    expect((await fetch(`${url}/healthz`, { method: 'POST' })).status).toBe(404);
  });

  test('extra handlers answer at their paths', async () => {
    const { url } = await open({}, { handlers: { '/': (_request, response) => response.end('console') } });
    expect(await (await fetch(`${url}/?tab=1`)).text()).toBe('console');
    expect((await fetch(`${url}/other`)).status).toBe(404);
  });
});

describe('opening and leaving', () => {
  test('a taken port is an error', async () => {
    const { door } = await open();
    await expect(open({}, { port: door.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  test('drain finishes calls, ends streams, refuses new ones, and leaves the pages', async () => {
    const started = gate();
    const finish = gate();
    const { url, door } = await open({
      getBalance: async () => {
        started.release();
        await finish.opened;
        return { asOf: { position: 7n } };
      },
      watchBalances: endless,
    });
    const accounts = createClient(AccountQueryService, transport(url));
    const watching = accounts.watchBalances({ ledgerId: 'main', accountIds: ['a'] })[Symbol.asyncIterator]();
    await watching.next();
    const unary = post(`${url}${GET_BALANCE}`, JSON.stringify(BALANCE));
    await started.opened;
    let isDrained = false;
    const drained = door.drain().then(() => {
      isDrained = true;
    });
    expect(await failureOf(watching.next())).toMatchObject({ code: Code.Unavailable, reason: 'NOT_SERVING' });
    const refused = await post(`${url}${CREATE_LEDGER}`, JSON.stringify(LEDGER));
    expect(refused.headers.get('connection')).toBe('close');
    expect(await httpFailure(refused)).toMatchObject({
      status: 503,
      code: 'unavailable',
      reason: 'NOT_SERVING',
    });
    expect(await failureOf(accounts.getBalance(BALANCE))).toMatchObject({
      code: Code.Unavailable,
      reason: 'NOT_SERVING',
    });
    const watchRefused = accounts
      .watchBalances({ ledgerId: 'main', accountIds: ['a'] })
      [Symbol.asyncIterator]()
      .next();
    expect(await failureOf(watchRefused)).toMatchObject({ code: Code.Unavailable, reason: 'NOT_SERVING' });
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect(isDrained).toBe(false);
    finish.release();
    const answer = await unary;
    expect(await answer.json()).toMatchObject({ asOf: { position: '7' } });
    expect(answer.headers.get('connection')).toBe('close');
    await drained;
    await door.close();
    await door.close();
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
  });

  test('close ends at once what is under way', async () => {
    const started = gate();
    const signals: AbortSignal[] = [];
    const { url, door } = await open({
      getBalance: (_request, { signal }) => {
        signals.push(signal);
        started.release();
        return once(new EventTarget(), 'never', { signal }).then(unused);
      },
    });
    const unary = post(`${url}${GET_BALANCE}`, JSON.stringify(BALANCE));
    const failed = expect(unary).rejects.toThrow();
    await started.opened;
    await door.close();
    await failed;
    expect(signals[0]?.aborted).toBe(true);
  });

  test('nonsense on the wire does no harm', async () => {
    const { door, url } = await open();
    for (const text of [
      'GET / HTTP/1.1\r\n\r\n',
      'POST //[::bad HTTP/1.1\r\nHost: [[[\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
      `POST ${GET_BALANCE}?%%%&encoding=%ff HTTP/1.1\r\nHost: \x01\r\nContent-Length: 2\r\n\r\n{}`,
      `POST ${GET_BALANCE} HTTP/1.1\r\nHost: x y z\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}`,
      `POST ${GET_BALANCE} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{`,
      '\x16\x03\x01\x02',
    ]) {
      const socket = net.connect(door.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.resume();
      socket.end(text, 'latin1');
      await once(socket, 'close');
    }
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const bytes = toBinary(GetBalanceRequestSchema, create(GetBalanceRequestSchema, BALANCE));
    const answer = await post(`${url}${GET_BALANCE}`, new Uint8Array(bytes), {
      'Content-Type': 'application/proto',
    });
    expect(answer.status).toBe(200);
  });
});
