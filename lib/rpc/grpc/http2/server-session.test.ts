/** Our HTTP/2 over bare sockets: what the rules allow is served, what they forbid ends a stream or the connection. */
import { once } from 'node:events';
import http2 from 'node:http2';
import { afterEach, describe, expect, test } from '@jest/globals';
import { until } from '../../../../test/until.js';
import type { CallStream } from './call-stream.js';
import { ErrorCode } from './errors.js';
import {
  DEFAULT_WINDOW,
  FLAG_ACK,
  FLAG_END_HEADERS,
  FLAG_END_STREAM,
  FLAG_PADDED,
  FLAG_PRIORITY,
  FRAME_MAX_BYTES,
  FrameType,
  PREFACE,
  readUint32,
  Setting,
  WINDOW_LIMIT,
} from './frames.js';
import {
  CONNECTION_WINDOW,
  HEADER_FRAMES_MAX,
  HELD_MAX_BYTES,
  IDLE_FRAMES_MAX,
  RESETS_MAX,
  STREAMS_MAX,
  UNREAD_MAX_BYTES,
} from './limits.js';
import {
  block,
  dataFrame,
  echo,
  frame,
  headersFrame,
  openServer,
  RawClient,
  requestBlock,
  settingsFrame,
  uint32,
} from './test/raw-client.js';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function open(onStream: (stream: CallStream) => void = echo, settings?: Buffer) {
  const server = await openServer(onStream);
  closers.push(() => server.close());
  const client = await RawClient.open(server.port, settings);
  closers.push(async () => {
    client.socket.destroy();
  });
  return { server, client };
}

const ignore = () => undefined;

/** Answers at once with as much as is asked for. */
function answerOf(size_bytes: number) {
  return (stream: CallStream) => {
    stream.respond({ ':status': 200 }, { waitForTrailers: true });
    stream.on('wantTrailers', () => {
      stream.sendTrailers({ 'grpc-status': 0 });
    });
    stream.end(Buffer.alloc(size_bytes, 'x'));
  };
}

describe('what the rules allow', () => {
  test('a call is answered with headers, data and trailers', async () => {
    const { server, client } = await open();
    client.send(headersFrame(1, 0, { 'x-mine': 'yes' }), dataFrame(1, 'hello'));
    await client.ended(1);
    expect(client.data(1).toString()).toBe('hello');
    const answer = client.frames.filter(({ streamId }) => streamId === 1);
    expect(answer.map(({ type, flags }) => [type, flags])).toEqual([
      [FrameType.headers, FLAG_END_HEADERS],
      [FrameType.data, 0],
      [FrameType.headers, FLAG_END_HEADERS | FLAG_END_STREAM],
    ]);
    expect(answer[2]?.payload).toEqual(block({ 'grpc-status': 0 }));
    expect(server.headers[0]).toMatchObject({ ':path': '/a.B/C', 'x-mine': 'yes' });
    expect(server.streams[0]?.closed).toBe(true);
  });

  test('it says how much it takes, and acknowledges settings', async () => {
    const { client } = await open();
    await client.ping();
    const [own, acknowledged] = client.of(FrameType.settings);
    expect(own?.payload).toEqual(
      settingsFrame(
        [Setting.maxConcurrentStreams, STREAMS_MAX],
        [Setting.maxHeaderListSize, 65_536],
      ).subarray(9),
    );
    expect(acknowledged).toMatchObject({ flags: FLAG_ACK, streamId: 0 });
    expect(acknowledged?.payload.length).toBe(0);
    expect(client.of(FrameType.windowUpdate, 0)[0]?.payload).toEqual(
      uint32(CONNECTION_WINDOW - DEFAULT_WINDOW),
    );
  });

  test('bytes may come one by one', async () => {
    const server = await openServer(echo);
    closers.push(() => server.close());
    const client = await RawClient.openSilent(server.port);
    client.socket.setNoDelay(true);
    const bytes = Buffer.concat([PREFACE, settingsFrame(), headersFrame(1), dataFrame(1, 'hi')]);
    for (const byte of bytes) {
      await new Promise((resolve) => client.socket.write(Buffer.from([byte]), resolve));
    }
    await client.ended(1);
    expect(client.data(1).toString()).toBe('hi');
    client.socket.destroy();
  });

  test('calls that came together are answered together, each on its own stream', async () => {
    const { client } = await open();
    const ids = Array.from({ length: 100 }, (_, index) => 2 * index + 1);
    client.send(...ids.flatMap((id) => [headersFrame(id), dataFrame(id, `call ${id}`)]));
    for (const id of ids) await client.ended(id);
    for (const id of ids) expect(client.data(id).toString()).toBe(`call ${id}`);
  });

  test('padding, priorities, continued headers, trailers and unknown frames change nothing', async () => {
    const { client } = await open();
    const fields = requestBlock();
    const padded = Buffer.concat([
      Buffer.from([3]),
      uint32(0),
      Buffer.from([15]),
      fields.subarray(0, 9),
      Buffer.alloc(3),
    ]);
    client.send(
      frame(FrameType.priority, 0, 1, Buffer.concat([uint32(0), Buffer.from([1])])),
      frame(0xbb, 0xff, 1, Buffer.alloc(20)),
      frame(FrameType.headers, FLAG_PADDED | FLAG_PRIORITY, 1, padded),
      frame(FrameType.continuation, 0, 1, fields.subarray(9, 20)),
      frame(FrameType.continuation, FLAG_END_HEADERS, 1, fields.subarray(20)),
      frame(FrameType.data, FLAG_PADDED, 1, Buffer.from('\u0004help\0\0\0\0')),
      frame(FrameType.headers, FLAG_END_HEADERS | FLAG_END_STREAM, 1, block({ 'x-last': 'yes' })),
    );
    await client.ended(1);
    expect(client.data(1).toString()).toBe('help');
  });

  test('a call without a body ends at its headers', async () => {
    const { client } = await open();
    client.send(headersFrame(1, FLAG_END_STREAM));
    await client.ended(1);
    expect(client.data(1).length).toBe(0);
  });

  test('an answer before the end of the call tells the caller to stop', async () => {
    const { client, server } = await open(answerOf(5));
    client.send(headersFrame(1));
    await client.ended(1);
    expect(await client.resetOf(1)).toBe(ErrorCode.noError);
    // What was under way is ignored.
    client.send(dataFrame(1, 'late', false), dataFrame(1, 'later'));
    await client.ping();
    expect(client.of(FrameType.resetStream)).toHaveLength(1);
    expect(server.sessions[0]?.destroyed).toBe(false);
  });

  test('a header block beyond one frame is continued', async () => {
    const long = 'y'.repeat(40_000);
    const { client } = await open((stream) => {
      stream.respond({ ':status': 200, 'x-long': long }, { endStream: true });
    });
    client.send(headersFrame(1, FLAG_END_STREAM));
    await until(() => client.of(FrameType.continuation, 1).some(({ flags }) => flags === FLAG_END_HEADERS));
    const parts = client.frames.filter(({ streamId }) => streamId === 1);
    expect(Buffer.concat(parts.map(({ payload }) => payload))).toEqual(
      block({ ':status': 200, 'x-long': long }),
    );
    expect(parts[0]).toMatchObject({ type: FrameType.headers, flags: FLAG_END_STREAM });
  });

  test('the answer to a peer that wants a smaller table says once that there is none', async () => {
    const { client } = await open(echo, settingsFrame([Setting.headerTableSize, 0]));
    client.send(headersFrame(1, FLAG_END_STREAM), headersFrame(3, FLAG_END_STREAM));
    await client.ended(1);
    await client.ended(3);
    expect(client.of(FrameType.headers, 1)[0]?.payload[0]).toBe(0x20);
    expect(client.of(FrameType.headers, 3)[0]?.payload[0]).toBe(0x88);
  });
});

test('bodies of all sizes pass in both directions, many at once, with node:http2 at the other end', async () => {
  const { server } = await open();
  const session = http2.connect(`http://127.0.0.1:${String(server.port)}`);
  const sizes = [0, 1, 100, 16_384, 16_385, 65_535, 65_536, 200_000, 1_000_000];
  const bodies = Array.from({ length: 45 }, (_, index) =>
    Buffer.alloc(sizes[index % sizes.length] ?? 0, `body ${String(index)}`),
  );
  const answers = bodies.map(async (body) => {
    const stream = session.request({ ':method': 'POST', ':path': '/a.B/C', te: 'trailers' });
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    let trailers: http2.IncomingHttpHeaders = {};
    stream.on('trailers', (received: http2.IncomingHttpHeaders) => (trailers = received));
    stream.end(body);
    await once(stream, 'close');
    return {
      isSame: Buffer.concat(chunks).equals(body),
      status: trailers['grpc-status'],
      code: stream.rstCode,
    };
  });
  for (const answer of await Promise.all(answers)) {
    expect(answer).toEqual({ isSame: true, status: '0', code: ErrorCode.noError });
  }
  session.close();
  await until(() => server.sessions.some(({ destroyed }) => destroyed));
});

describe('windows', () => {
  test('an answer waits for the window of its stream, and for that of the connection', async () => {
    const { client } = await open(answerOf(100_000), settingsFrame([Setting.initialWindowSize, 10]));
    client.send(headersFrame(1, FLAG_END_STREAM));
    await client.ping();
    expect(client.data(1).length).toBe(10);
    client.send(frame(FrameType.windowUpdate, 0, 1, uint32(200_000)));
    await client.ping();
    expect(client.data(1).length).toBe(DEFAULT_WINDOW);
    client.send(frame(FrameType.windowUpdate, 0, 0, uint32(200_000)));
    await client.ended(1);
    expect(client.data(1).length).toBe(100_000);
  });

  test('a change of the initial window reaches open streams, also below zero', async () => {
    const { client } = await open(answerOf(100), settingsFrame([Setting.initialWindowSize, 50]));
    client.send(headersFrame(1, FLAG_END_STREAM));
    await client.ping();
    client.send(
      settingsFrame([Setting.initialWindowSize, 20]),
      settingsFrame([Setting.initialWindowSize, 60]),
    );
    await client.ping();
    expect(client.data(1).length).toBe(60);
    client.send(settingsFrame([Setting.initialWindowSize, 100]));
    await client.ended(1);
  });

  test('no call waits behind the long answer of another', async () => {
    let isFirst = true;
    const { client } = await open(
      (stream) => {
        answerOf(isFirst ? 200_000 : 100)(stream);
        isFirst = false;
      },
      settingsFrame([Setting.initialWindowSize, WINDOW_LIMIT]),
    );
    client.send(headersFrame(1, FLAG_END_STREAM), headersFrame(3, FLAG_END_STREAM));
    await client.ping();
    client.send(frame(FrameType.windowUpdate, 0, 0, uint32(20_000)));
    await client.ended(3);
    expect(client.hasEnded(1)).toBe(false);
  });

  test('a caller may send as much as is read, and no more', async () => {
    let stream: CallStream | undefined;
    let read_bytes = 0;
    const { client } = await open((each) => {
      stream = each;
      each.on('data', (chunk) => (read_bytes += chunk.length));
    });
    client.send(headersFrame(1));
    for (let sent = 0; sent < 4; sent += 1)
      client.send(dataFrame(1, Buffer.alloc(FRAME_MAX_BYTES - 1), false));
    await client.ping();
    expect(client.of(FrameType.windowUpdate, 1)).toEqual([]);
    stream?.resume();
    await client.ping();
    expect(read_bytes).toBe(4 * (FRAME_MAX_BYTES - 1));
    expect(client.of(FrameType.windowUpdate, 1).length).toBeGreaterThan(0);
    stream?.pause();
    for (let sent = 0; sent < 5; sent += 1) client.send(dataFrame(1, Buffer.alloc(FRAME_MAX_BYTES), false));
    expect(await client.resetOf(1)).toBe(ErrorCode.flowControlError);
  });

  test('the window of the connection is given back, whether or not calls read', async () => {
    const { client } = await open(ignore);
    for (let id = 1; id < 80; id += 2) {
      client.send(
        headersFrame(id),
        ...Array.from({ length: 3 }, () => dataFrame(id, Buffer.alloc(16_000), false)),
      );
    }
    await client.ping();
    const given = client.of(FrameType.windowUpdate, 0).slice(1);
    expect(given.length).toBeGreaterThan(2);
    expect(client.isClosed).toBe(false);
  });

  test('a write is called back when the peer had room for it', async () => {
    let written = 0;
    const { client } = await open((stream) => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      const write = () => {
        stream.write(Buffer.alloc(30_000), () => {
          written += 1;
          if (written < 1_000) write();
        });
      };
      write();
    });
    client.send(headersFrame(1));
    await client.ping();
    expect(written).toBe(2);
    client.send(
      frame(FrameType.windowUpdate, 0, 1, uint32(30_000)),
      frame(FrameType.windowUpdate, 0, 0, uint32(30_000)),
    );
    await client.ping();
    expect(written).toBe(3);
  });
});

describe('life of a connection', () => {
  test('a caller who breaks off closes the stream with its code', async () => {
    const { client, server } = await open(ignore);
    client.send(headersFrame(1), frame(FrameType.resetStream, 0, 1, uint32(ErrorCode.cancel)));
    await client.ping();
    expect(server.streams[0]).toMatchObject({ closed: true, destroyed: true, rstCode: ErrorCode.cancel });
  });

  test('a connection that breaks closes all its streams', async () => {
    const { client, server } = await open(ignore);
    client.send(headersFrame(1), headersFrame(3));
    await client.ping();
    let isClosed = false;
    server.sessions[0]?.on('close', () => (isClosed = true));
    client.socket.destroy();
    await until(() => isClosed);
    expect(server.streams.map(({ closed }) => closed)).toEqual([true, true]);
  });

  test('a session that closes lets calls end, refuses new ones, and says how far it came', async () => {
    const waiting: CallStream[] = [];
    const { client, server } = await open((stream) => waiting.push(stream));
    client.send(headersFrame(1, FLAG_END_STREAM));
    await client.ping();
    let isClosed = false;
    server.sessions[0]?.close(() => (isClosed = true));
    client.send(headersFrame(3, FLAG_END_STREAM));
    expect(await client.resetOf(3)).toBe(ErrorCode.refusedStream);
    expect(client.of(FrameType.goAway)[0]?.payload).toEqual(uint32(1, ErrorCode.noError));
    expect(isClosed).toBe(false);
    for (const stream of waiting) answerOf(10)(stream);
    await client.ended(1);
    await until(() => isClosed && client.isClosed);
    expect(waiting).toHaveLength(1);
  });

  test('a client that says farewell is served to the end', async () => {
    const waiting: CallStream[] = [];
    const { client } = await open((stream) => waiting.push(stream));
    client.send(headersFrame(1, FLAG_END_STREAM), frame(FrameType.goAway, 0, 0, uint32(0, 0)));
    await client.ping();
    for (const stream of waiting) answerOf(10)(stream);
    await client.ended(1);
    expect(client.data(1).length).toBe(10);
    await until(() => client.isClosed);
  });

  test('a ping is answered in both directions', async () => {
    const { client, server } = await open();
    await client.ping();
    const answered: (Error | null)[] = [];
    server.sessions[0]?.ping((error) => answered.push(error));
    await until(() => client.of(FrameType.ping).some(({ flags }) => flags === 0));
    const asked = client.of(FrameType.ping).find(({ flags }) => flags === 0);
    client.send(frame(FrameType.ping, FLAG_ACK, 0, Buffer.alloc(8, 1)));
    client.send(frame(FrameType.ping, FLAG_ACK, 0, asked?.payload));
    await until(() => answered.length > 0);
    expect(answered).toEqual([null]);
    server.sessions[0]?.ping((error) => answered.push(error));
    server.sessions[0]?.destroy();
    expect(answered[1]).toBeInstanceOf(Error);
    expect(server.sessions[0]?.ping(ignore)).toBe(false);
  });
});

const zero = Buffer.alloc(0);

describe('a connection ends for', () => {
  test.each<[string, Buffer[], number]>([
    ['data without a stream', [frame(FrameType.data, 0, 0, Buffer.from('x'))], ErrorCode.protocolError],
    ['data of a stream that has not begun', [dataFrame(1, 'x')], ErrorCode.protocolError],
    ['headers without a stream', [headersFrame(0)], ErrorCode.protocolError],
    ['an even stream', [headersFrame(2)], ErrorCode.protocolError],
    ['a stream that was passed over', [headersFrame(5), headersFrame(3)], ErrorCode.protocolError],
    [
      'a stream that has ended',
      [headersFrame(1, FLAG_END_STREAM), headersFrame(1, FLAG_END_STREAM)],
      ErrorCode.streamClosed,
    ],
    [
      'headers that are not HPACK',
      [frame(FrameType.headers, FLAG_END_HEADERS, 1, Buffer.from([0x80]))],
      ErrorCode.compressionError,
    ],
    [
      'headers that are broken off',
      [frame(FrameType.headers, FLAG_END_HEADERS, 1, Buffer.from([0x40, 0x05]))],
      ErrorCode.compressionError,
    ],
    [
      'more padding than frame',
      [frame(FrameType.headers, FLAG_PADDED | FLAG_END_HEADERS, 1, Buffer.from([9, 1]))],
      ErrorCode.protocolError,
    ],
    ['a padding without its length', [frame(FrameType.data, FLAG_PADDED, 1)], ErrorCode.protocolError],
    [
      'another frame within headers',
      [frame(FrameType.headers, 0, 1, requestBlock()), dataFrame(1, '')],
      ErrorCode.protocolError,
    ],
    [
      'a continuation of another stream',
      [frame(FrameType.headers, 0, 1), frame(FrameType.continuation, FLAG_END_HEADERS, 3)],
      ErrorCode.protocolError,
    ],
    [
      'a continuation of nothing',
      [frame(FrameType.continuation, FLAG_END_HEADERS, 1)],
      ErrorCode.protocolError,
    ],
    [
      'a short reset',
      [headersFrame(1), frame(FrameType.resetStream, 0, 1, Buffer.alloc(3))],
      ErrorCode.frameSizeError,
    ],
    [
      'a reset of a stream that has not begun',
      [frame(FrameType.resetStream, 0, 1, uint32(8))],
      ErrorCode.protocolError,
    ],
    ['settings on a stream', [frame(FrameType.settings, 0, 1)], ErrorCode.protocolError],
    [
      'settings that are acknowledged and repeated',
      [frame(FrameType.settings, FLAG_ACK, 0, Buffer.alloc(6))],
      ErrorCode.frameSizeError,
    ],
    ['half a setting', [frame(FrameType.settings, 0, 0, Buffer.alloc(7))], ErrorCode.frameSizeError],
    ['push that is neither on nor off', [settingsFrame([Setting.enablePush, 2])], ErrorCode.protocolError],
    [
      'an initial window beyond the limit',
      [settingsFrame([Setting.initialWindowSize, 2 ** 31])],
      ErrorCode.flowControlError,
    ],
    [
      'an initial window that makes an open one too large',
      [
        headersFrame(1),
        frame(FrameType.windowUpdate, 0, 1, uint32(WINDOW_LIMIT - DEFAULT_WINDOW)),
        settingsFrame([Setting.initialWindowSize, DEFAULT_WINDOW + 1]),
      ],
      ErrorCode.flowControlError,
    ],
    ['a frame size that is too small', [settingsFrame([Setting.maxFrameSize, 100])], ErrorCode.protocolError],
    [
      'a frame size that is too large',
      [settingsFrame([Setting.maxFrameSize, 2 ** 24])],
      ErrorCode.protocolError,
    ],
    ['a push', [frame(FrameType.pushPromise, 0, 1, Buffer.alloc(4))], ErrorCode.protocolError],
    ['a ping on a stream', [frame(FrameType.ping, 0, 1, Buffer.alloc(8))], ErrorCode.protocolError],
    ['a short ping', [frame(FrameType.ping, 0, 0, Buffer.alloc(7))], ErrorCode.frameSizeError],
    ['a farewell on a stream', [frame(FrameType.goAway, 0, 1, Buffer.alloc(8))], ErrorCode.protocolError],
    [
      'a window that grows by nothing',
      [frame(FrameType.windowUpdate, 0, 0, uint32(0))],
      ErrorCode.protocolError,
    ],
    [
      'a window of a stream that has not begun',
      [frame(FrameType.windowUpdate, 0, 1, uint32(1))],
      ErrorCode.protocolError,
    ],
    [
      'a short window update',
      [frame(FrameType.windowUpdate, 0, 0, Buffer.alloc(3))],
      ErrorCode.frameSizeError,
    ],
    [
      'a window beyond the limit',
      [frame(FrameType.windowUpdate, 0, 0, uint32(WINDOW_LIMIT))],
      ErrorCode.flowControlError,
    ],
    [
      'a priority without a stream',
      [frame(FrameType.priority, 0, 0, Buffer.alloc(5))],
      ErrorCode.protocolError,
    ],
    ['a short priority', [frame(FrameType.priority, 0, 1, Buffer.alloc(4))], ErrorCode.frameSizeError],
    [
      'a frame that is too large',
      [frame(FrameType.data, 0, 1, Buffer.alloc(FRAME_MAX_BYTES + 1))],
      ErrorCode.frameSizeError,
    ],
  ])('%s', async (_name, frames, code) => {
    const { client } = await open();
    client.send(...frames);
    expect(await client.farewell()).toBe(code);
  });

  test('a preface of HTTP/1', async () => {
    const { server } = await open();
    const client = await RawClient.openSilent(server.port);
    client.send(Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n'));
    expect(await client.farewell()).toBe(ErrorCode.protocolError);
  });

  test('a first frame without settings', async () => {
    const { client } = await open(echo, zero);
    client.send(headersFrame(1));
    expect(await client.farewell()).toBe(ErrorCode.protocolError);
  });
});

describe('a stream ends, and no other, for', () => {
  const bad = (fields: Buffer) => [frame(FrameType.headers, FLAG_END_HEADERS | FLAG_END_STREAM, 1, fields)];
  test.each<[string, Buffer[], number]>([
    ['a name in capitals', bad(requestBlock({ 'X-Mine': 'x' })), ErrorCode.protocolError],
    ['a name with a space', bad(requestBlock({ 'x y': 'x' })), ErrorCode.protocolError],
    ['a value of two lines', bad(requestBlock({ 'x-y': 'x\r\ny: z' })), ErrorCode.protocolError],
    ['an unknown pseudo-header', bad(requestBlock({ ':mine': 'x' })), ErrorCode.protocolError],
    [
      'a pseudo-header after others',
      bad(Buffer.concat([block({ 'x-y': 'z' }), requestBlock()])),
      ErrorCode.protocolError,
    ],
    [
      'a pseudo-header twice',
      bad(Buffer.concat([block({ ':path': '/x' }), requestBlock()])),
      ErrorCode.protocolError,
    ],
    [
      'the status of an answer',
      bad(Buffer.concat([block({ ':status': 200 }), requestBlock()])),
      ErrorCode.protocolError,
    ],
    ['no path', bad(block({ ':method': 'POST', ':scheme': 'http' })), ErrorCode.protocolError],
    ['an empty path', bad(requestBlock({ ':path': '' })), ErrorCode.protocolError],
    ['a header of a connection', bad(requestBlock({ connection: 'close' })), ErrorCode.protocolError],
    ['te that is not trailers', bad(requestBlock({ te: 'gzip' })), ErrorCode.protocolError],
    [
      'less data than promised',
      [headersFrame(1, 0, { 'content-length': '5' }), dataFrame(1, 'four')],
      ErrorCode.protocolError,
    ],
    [
      'more data than promised',
      [headersFrame(1, 0, { 'content-length': '3' }), dataFrame(1, 'four', false)],
      ErrorCode.protocolError,
    ],
    ['no data where some is promised', bad(requestBlock({ 'content-length': '3' })), ErrorCode.protocolError],
    ['a length that is no number', bad(requestBlock({ 'content-length': '-1' })), ErrorCode.protocolError],
    [
      'headers beyond the limit',
      [
        frame(FrameType.headers, FLAG_END_STREAM, 1, requestBlock()),
        ...Array.from({ length: 4 }, () =>
          frame(FrameType.continuation, 0, 1, block({ a: 'x'.repeat(16_000) })),
        ),
        frame(FrameType.continuation, FLAG_END_HEADERS, 1, block({ 'x-b': 'x'.repeat(1_200) })),
      ],
      ErrorCode.enhanceYourCalm,
    ],
    [
      'trailers without an end',
      [headersFrame(1), frame(FrameType.headers, FLAG_END_HEADERS, 1, block({ a: 'b' }))],
      ErrorCode.protocolError,
    ],
    [
      'trailers with a pseudo-header',
      [
        headersFrame(1),
        frame(FrameType.headers, FLAG_END_HEADERS | FLAG_END_STREAM, 1, block({ ':path': 'b' })),
      ],
      ErrorCode.protocolError,
    ],
    ['data after its end', [headersFrame(1, FLAG_END_STREAM), dataFrame(1, 'x')], ErrorCode.streamClosed],
    [
      'headers after its end',
      [headersFrame(1, FLAG_END_STREAM), headersFrame(1, FLAG_END_STREAM)],
      ErrorCode.streamClosed,
    ],
    [
      'a window that grows by nothing',
      [headersFrame(1), frame(FrameType.windowUpdate, 0, 1, uint32(0))],
      ErrorCode.protocolError,
    ],
    [
      'a window beyond the limit',
      [headersFrame(1), frame(FrameType.windowUpdate, 0, 1, uint32(WINDOW_LIMIT))],
      ErrorCode.flowControlError,
    ],
    [
      'a priority over itself',
      [headersFrame(1), frame(FrameType.priority, 0, 1, Buffer.from([0, 0, 0, 1, 0]))],
      ErrorCode.protocolError,
    ],
  ])('%s', async (_name, frames, code) => {
    const { client } = await open((stream) => {
      if (stream.id > 1) echo(stream);
    });
    client.send(...frames, headersFrame(3), dataFrame(3, 'still here'));
    expect(await client.resetOf(1)).toBe(code);
    await client.ended(3);
    expect(client.data(3).toString()).toBe('still here');
  });
});

describe('against hostile clients', () => {
  test('calls that are begun and broken off at once end the connection', async () => {
    const { client, server } = await open(ignore);
    for (let id = 1; id < 3 * RESETS_MAX; id += 2) {
      client.send(headersFrame(id), frame(FrameType.resetStream, 0, id, uint32(ErrorCode.cancel)));
    }
    expect(await client.farewell()).toBe(ErrorCode.enhanceYourCalm);
    expect(server.streams.length).toBeLessThanOrEqual(RESETS_MAX + 1);
  });

  test('so do calls that make the server break them off', async () => {
    const { client } = await open(ignore);
    for (let id = 1; id < 3 * RESETS_MAX; id += 2) {
      client.send(headersFrame(id), frame(FrameType.windowUpdate, 0, id, uint32(0)));
    }
    expect(await client.farewell()).toBe(ErrorCode.enhanceYourCalm);
  });

  test('more calls than are taken at once are refused, and those that are open go on', async () => {
    const { client, server } = await open();
    const ids = Array.from({ length: STREAMS_MAX + 2 * RESETS_MAX }, (_, index) => 2 * index + 1);
    client.send(...ids.map((id) => headersFrame(id)));
    await client.ping();
    const refused = client.of(FrameType.resetStream);
    expect(refused).toHaveLength(2 * RESETS_MAX);
    expect(new Set(refused.map(({ payload }) => readUint32(payload, 0)))).toEqual(
      new Set([ErrorCode.refusedStream]),
    );
    expect(server.streams).toHaveLength(STREAMS_MAX);
    client.send(dataFrame(1, 'on'));
    await client.ended(1);
  });

  test('a call that has ended may be broken off: nothing is lost by it', async () => {
    const { client } = await open();
    for (let id = 1; id < 3 * RESETS_MAX; id += 2) client.send(headersFrame(id, FLAG_END_STREAM));
    await client.ended(3 * RESETS_MAX - 1);
    for (let id = 1; id < 3 * RESETS_MAX; id += 2) {
      client.send(frame(FrameType.resetStream, 0, id, uint32(ErrorCode.cancel)));
    }
    await client.ping();
    expect(client.isClosed).toBe(false);
  });

  test('a call that is not read holds few objects, however small its pieces are', async () => {
    const chunks: number[] = [];
    let stream: CallStream | undefined;
    const { client } = await open((each) => {
      stream = each;
      each.on('data', (chunk) => chunks.push(chunk.length));
    });
    client.send(headersFrame(1), ...Array.from({ length: 10_000 }, () => dataFrame(1, 'x', false)));
    await client.ping();
    stream?.resume();
    expect(chunks.length).toBeLessThan(64);
    expect(chunks.reduce((sum, each) => sum + each, 0)).toBe(10_000);
  });

  test.each([
    ['small', Buffer.from([0x00, 0x01, 0x61, 0x01, 0x62])],
    ['empty', zero],
  ])('headers that go on for ever in %s frames end the connection', async (_name, part) => {
    const { client, server } = await open(ignore);
    client.send(frame(FrameType.headers, 0, 1, requestBlock()));
    for (let sent = 0; sent < HEADER_FRAMES_MAX; sent += 1)
      client.send(frame(FrameType.continuation, 0, 1, part));
    expect(await client.farewell()).toBe(ErrorCode.enhanceYourCalm);
    expect(server.streams).toHaveLength(0);
  });

  test('a block that stands for much more than its bytes is refused', async () => {
    const { client, server } = await open();
    // Kept once in the table with 4,000 bytes, and then named 10,000 times.
    const bomb = Buffer.concat([
      requestBlock(),
      Buffer.from([0x40, 0x01, 0x61, 0x7f, 0xa1, 0x1e]),
      Buffer.alloc(4_000, 'z'),
      Buffer.alloc(10_000, 0xbe),
    ]);
    client.send(frame(FrameType.headers, FLAG_END_HEADERS | FLAG_END_STREAM, 1, bomb));
    expect(await client.resetOf(1)).toBe(ErrorCode.enhanceYourCalm);
    expect(server.streams).toHaveLength(0);
    // Its table stands: the next block names what the bomb has kept.
    const next = Buffer.concat([requestBlock(), Buffer.from([0xbe])]);
    client.send(frame(FrameType.headers, FLAG_END_HEADERS | FLAG_END_STREAM, 3, next));
    await client.ended(3);
    expect(server.headers[0]?.['a']).toBe('z'.repeat(4_000));
  });

  test.each([
    ['empty data', () => dataFrame(1, '', false)],
    ['priorities', () => frame(FrameType.priority, 0, 1, Buffer.alloc(5))],
    ['unknown frames', () => frame(0xee, 0, 0)],
    ['settings', () => settingsFrame()],
  ])('%s without end end the connection', async (_name, make) => {
    const { client } = await open(ignore);
    client.send(headersFrame(1));
    client.send(...Array.from({ length: IDLE_FRAMES_MAX + 1 }, make));
    expect(await client.farewell()).toBe(ErrorCode.enhanceYourCalm);
  });

  test.each([
    ['pings', frame(FrameType.ping, 0, 0, Buffer.alloc(8))],
    ['settings', settingsFrame()],
  ])('%s whose answers are not read are not answered without end', async (_name, each) => {
    const { client, server } = await open();
    await client.ping();
    client.socket.pause();
    const many = Buffer.concat(Array.from({ length: 20_000 }, () => each));
    const session = server.sessions[0];
    const flood = () => {
      if (session?.destroyed === false && !client.socket.destroyed) client.socket.write(many, flood);
    };
    flood();
    await until(() => session?.destroyed === true);
    expect(session?.socket.writableLength).toBeLessThan(2 * UNREAD_MAX_BYTES);
    await until(() => session?.socket.destroyed === true);
  });

  test('answers that a peer leaves lying are bounded: its next calls are refused', async () => {
    const size_bytes = 4 * 1_024 * 1_024;
    const { client, server } = await open(
      answerOf(size_bytes),
      settingsFrame([Setting.initialWindowSize, 0]),
    );
    const most = HELD_MAX_BYTES / size_bytes + 1;
    const ids = Array.from({ length: most + 1 }, (_, index) => 2 * index + 1);
    client.send(...ids.map((id) => headersFrame(id, FLAG_END_STREAM)));
    expect(await client.resetOf(2 * most + 1)).toBe(ErrorCode.refusedStream);
    expect(server.streams).toHaveLength(most);
    // Those that are given up make room.
    client.send(
      ...ids.slice(0, 2).map((id) => frame(FrameType.resetStream, 0, id, uint32(ErrorCode.cancel))),
      headersFrame(2 * most + 3, FLAG_END_STREAM),
    );
    await client.ping();
    expect(server.streams).toHaveLength(most + 1);
  });

  test('a peer that does not read its socket holds no more than the socket’s share', async () => {
    const { client, server } = await open(
      answerOf(4 * 1_024 * 1_024),
      settingsFrame([Setting.initialWindowSize, WINDOW_LIMIT]),
    );
    client.send(frame(FrameType.windowUpdate, 0, 0, uint32(WINDOW_LIMIT - DEFAULT_WINDOW)));
    await client.ping();
    client.socket.pause();
    const ids = Array.from({ length: 10 }, (_, index) => 2 * index + 1);
    client.send(...ids.map((id) => headersFrame(id, FLAG_END_STREAM)));
    await until(() => server.streams.length === ids.length);
    expect(server.sessions[0]?.socket.writableLength).toBeLessThan(UNREAD_MAX_BYTES);
    client.socket.resume();
    for (const id of ids) await client.ended(id);
    for (const id of ids) expect(client.data(id).length).toBe(4 * 1_024 * 1_024);
  });

  test('random frames end in an answer or a farewell, never in an exception', async () => {
    const random = randomOf(20_261_128);
    for (let round = 0; round < 60; round += 1) {
      const { client, server } = await open();
      const frames = Array.from({ length: 50 }, () => {
        if (random() < 0.3)
          return headersFrame(1 + 2 * Math.floor(random() * 10), random() < 0.5 ? FLAG_END_STREAM : 0);
        const payload = Buffer.from(
          Array.from({ length: Math.floor(random() * 20) }, () => Math.floor(random() * 256)),
        );
        return frame(
          Math.floor(random() * 11),
          Math.floor(random() * 256),
          Math.floor(random() * 12),
          payload,
        );
      });
      client.send(...frames, frame(FrameType.ping, 0, 0, Buffer.alloc(8)));
      await until(() => client.isClosed || client.of(FrameType.ping).length > 0);
      client.socket.destroy();
      await until(() => server.sessions.every(({ destroyed }) => destroyed));
      expect(server.streams.every(({ closed }) => closed)).toBe(true);
      const farewell = client.of(FrameType.goAway).at(-1);
      if (farewell !== undefined)
        expect(readUint32(farewell.payload, 4)).toBeLessThanOrEqual(ErrorCode.enhanceYourCalm);
      await closers
        .splice(0)
        .reverse()
        .reduce(async (before, close) => before.then(close), Promise.resolve());
    }
  });
});

/** A sequence that a seed gives (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
