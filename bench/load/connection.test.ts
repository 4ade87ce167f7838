/** The lean client against node:http2, which checks every frame. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { once } from 'node:events';
import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { LeanConnection } from './connection.js';
import { grpcHeaders, grpcMessage } from './frames.js';

const PATH = '/quittance.command.v1.TransactionCommandService/SubmitPayment';
const MAX_FRAME_BYTES = 16_384;

let server: Http2Server;
let connection: LeanConnection;
let headers: Buffer;
let session: Promise<ServerHttp2Session>;
let onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

beforeEach(async () => {
  onStream = echo;
  server = createServer({ settings: { initialWindowSize: 100_000 } });
  server.on('stream', (stream, received) => onStream(stream, received));
  session = once(server, 'session').then(([made]) => made as ServerHttp2Session);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  headers = grpcHeaders(PATH, `127.0.0.1:${String(port)}`, '30S');
  connection = await LeanConnection.open('127.0.0.1', port);
});

afterEach(async () => {
  connection.close();
  const closed = once(server, 'close');
  server.close();
  await closed;
});

/** Answers with what was sent, then with trailers as gRPC has them. */
function echo(stream: ServerHttp2Stream): void {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('end', () => {
    answer(stream, [Buffer.concat(chunks)]);
  });
}

function answer(stream: ServerHttp2Stream, chunks: readonly Buffer[]): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
}

/** One call. @returns the messages of its answer, once the stream has ended. */
function call(sent: readonly Buffer[]): Promise<Buffer[]> {
  return new Promise((resolve) => {
    const messages: Buffer[] = [];
    const stream = connection.start(headers, {
      // The bytes are valid only during the call.
      onMessage: (message) => messages.push(Buffer.from(message)),
      onEnd: () => {
        resolve(messages);
      },
    });
    sent.forEach((message, index) => {
      connection.send(stream, grpcMessage(message), index === sent.length - 1);
    });
  });
}

test('the headers arrive as gRPC wants them', async () => {
  const received = new Promise<IncomingHttpHeaders>((resolve) => {
    onStream = (stream, got) => {
      resolve(got);
      echo(stream);
    };
  });
  await call([Buffer.from('hello')]);
  expect(await received).toMatchObject({
    ':method': 'POST',
    ':scheme': 'http',
    ':path': PATH,
    'content-type': 'application/grpc',
    te: 'trailers',
    'grpc-timeout': '30S',
  });
});

test('a token of any usual length arrives', async () => {
  const { port } = server.address() as AddressInfo;
  const authority = `127.0.0.1:${String(port)}`;
  for (const length of [1, 110, 119, 120, 121, 247, 248, 800, 8_000]) {
    const authorization = `Bearer ${'t'.repeat(length)}`;
    const received = new Promise<IncomingHttpHeaders>((resolve) => {
      onStream = (stream, got) => {
        resolve(got);
        echo(stream);
      };
    });
    headers = grpcHeaders(PATH, authority, '30S', authorization);
    await call([Buffer.from('hello')]);
    expect((await received).authorization).toBe(authorization);
  }
});

test('messages come back whole and in order, an empty one too', async () => {
  const sent = [Buffer.from('one'), Buffer.alloc(0), Buffer.from('three')];
  expect(await call(sent)).toEqual(sent);
});

test('a message larger than frames and windows waits for room and arrives whole', async () => {
  const large = Buffer.alloc(1_000_000, 'abcdefghij');
  const [first, second, ...more] = await call([large, Buffer.from('after it')]);
  expect(first?.equals(large)).toBe(true);
  expect(second?.toString()).toBe('after it');
  expect(more).toEqual([]);
});

test('an answer in pieces is put together, wherever it was cut', async () => {
  const bytes = Buffer.concat([grpcMessage(Buffer.from('first')), grpcMessage(Buffer.from('second'))]);
  for (let cut = 1; cut < bytes.length; cut += 1) {
    onStream = (stream) => {
      answer(stream, [bytes.subarray(0, cut), bytes.subarray(cut)]);
    };
    expect((await call([Buffer.from('x')])).map(String)).toEqual(['first', 'second']);
  }
});

test('two hundred calls at once each get their own answer', async () => {
  const texts = Array.from({ length: 200 }, (_, index) => `${String(index)}:${'x'.repeat(index * 37)}`);
  const answers = await Promise.all(texts.map((text) => call([Buffer.from(text)])));
  expect(answers.map(([message]) => message?.toString())).toEqual(texts);
});

test('a stream that the server resets ends without a message', async () => {
  onStream = (stream) => {
    stream.on('error', () => undefined);
    stream.close(7);
  };
  expect(await call([Buffer.from('x')])).toEqual([]);
});

test('a lost connection ends every stream', async () => {
  onStream = (stream) => stream.on('error', () => undefined);
  const calls = [call([Buffer.from('x')]), call([Buffer.from('y')])];
  (await session).destroy();
  expect(await Promise.all(calls)).toEqual([[], []]);
});

test('a ping is answered with its own bytes', async () => {
  const payload = Buffer.from('12345678');
  const made = await session;
  const echoed = await new Promise((resolve, reject) => {
    made.ping(payload, (error, _duration, bytes) => {
      if (error === null) resolve(bytes);
      else reject(error);
    });
  });
  expect(echoed).toEqual(payload);
});

test('a window that the server makes smaller or larger holds for streams under way', async () => {
  const large = Buffer.alloc(3 * MAX_FRAME_BYTES, 'z');
  const made = await session;
  made.settings({ initialWindowSize: 10_000 });
  await once(made, 'localSettings');
  expect((await call([large]))[0]?.equals(large)).toBe(true);
  made.settings({ initialWindowSize: 200_000 });
  await once(made, 'localSettings');
  expect((await call([large]))[0]?.equals(large)).toBe(true);
});
