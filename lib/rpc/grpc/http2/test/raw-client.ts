/** A client that may break every rule of HTTP/2: it writes what a test gives it, and shows what comes back frame by frame. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { until } from '../../../../../test/until.js';
import type { CallStream } from '../call-stream.js';
import {
  FLAG_END_HEADERS,
  FLAG_END_STREAM,
  FRAME_HEADER_BYTES,
  FrameType,
  PREFACE,
  readUint24,
  readUint31,
  readUint32,
  SETTING_BYTES,
  writeFrameHeader,
} from '../frames.js';
import { headersMaxBytes, type OutgoingHeaders, writeHeaders } from '../header-encoder.js';
import type { RequestHeaders } from '../request-headers.js';
import { ServerSession } from '../server-session.js';

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** A whole frame. */
export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const bytes = Buffer.alloc(FRAME_HEADER_BYTES + payload.length);
  writeFrameHeader(bytes, 0, payload.length, type, flags, streamId);
  bytes.set(payload, FRAME_HEADER_BYTES);
  return bytes;
}

/** A block as a server would send it. */
export function block(headers: OutgoingHeaders): Buffer {
  const into = Buffer.alloc(headersMaxBytes(headers));
  return into.subarray(0, writeHeaders(into, 0, headers));
}

/** What a call needs, as a block. */
export function requestBlock(more: OutgoingHeaders = {}): Buffer {
  return block({
    ':method': 'POST',
    ':scheme': 'http',
    ':path': '/a.B/C',
    'content-type': 'application/grpc',
    te: 'trailers',
    ...more,
  });
}

export function headersFrame(streamId: number, flags = 0, more: OutgoingHeaders = {}): Buffer {
  return frame(FrameType.headers, flags | FLAG_END_HEADERS, streamId, requestBlock(more));
}

export function dataFrame(streamId: number, payload: string | Uint8Array, isLast = true): Buffer {
  return frame(FrameType.data, isLast ? FLAG_END_STREAM : 0, streamId, Buffer.from(payload as Uint8Array));
}

export function uint32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => bytes.writeUInt32BE(value, 4 * index));
  return bytes;
}

export function settingsFrame(...settings: (readonly [number, number])[]): Buffer {
  const payload = Buffer.alloc(SETTING_BYTES * settings.length);
  settings.forEach(([id, value], index) => {
    payload.writeUInt16BE(id, SETTING_BYTES * index);
    payload.writeUInt32BE(value, SETTING_BYTES * index + 2);
  });
  return frame(FrameType.settings, 0, 0, payload);
}

export class RawClient {
  readonly frames: Frame[] = [];
  isClosed = false;
  #rest = Buffer.alloc(0);

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk) => {
      this.#read(chunk);
    });
    socket.on('close', () => {
      this.isClosed = true;
    });
    socket.on('error', () => undefined);
  }

  /** Connects; greets unless told not to. */
  static async open(port: number, settings: Buffer | undefined = settingsFrame()): Promise<RawClient> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const client = new RawClient(socket);
    client.send(PREFACE, settings);
    return client;
  }

  static async openSilent(port: number): Promise<RawClient> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  send(...frames: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  of(type: number, streamId?: number): Frame[] {
    return this.frames.filter((each) => each.type === type && (streamId ?? each.streamId) === each.streamId);
  }

  /** The data that came on a stream. */
  data(streamId: number): Buffer {
    return Buffer.concat(this.of(FrameType.data, streamId).map(({ payload }) => payload));
  }

  hasEnded(streamId: number): boolean {
    const isEnd = ({ type, flags }: Frame) =>
      (type === FrameType.data || type === FrameType.headers) && (flags & FLAG_END_STREAM) !== 0;
    return this.frames.some((each) => each.streamId === streamId && isEnd(each));
  }

  async ended(streamId: number): Promise<void> {
    await until(() => this.hasEnded(streamId));
  }

  /** The code by which the server broke a stream off. */
  async resetOf(streamId: number): Promise<number> {
    await until(() => this.of(FrameType.resetStream, streamId).length > 0 || this.isClosed);
    const [reset] = this.of(FrameType.resetStream, streamId);
    return reset === undefined ? -1 : readUint32(reset.payload, 0);
  }

  /** The code by which the server ended the connection. */
  async farewell(): Promise<number> {
    await until(() => this.isClosed);
    const last = this.of(FrameType.goAway).at(-1);
    return last === undefined ? -1 : readUint32(last.payload, 4);
  }

  /** Resolves when the server has dealt with all that was sent before. */
  async ping(): Promise<void> {
    const payload = Buffer.alloc(8);
    payload.writeDoubleBE(Math.random());
    this.send(frame(FrameType.ping, 0, 0, payload));
    await until(() => this.of(FrameType.ping).some((each) => each.payload.equals(payload)) || this.isClosed);
  }

  #read(chunk: Buffer): void {
    const bytes = Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= FRAME_HEADER_BYTES) {
      const end = at + FRAME_HEADER_BYTES + readUint24(bytes, at);
      if (end > bytes.length) break;
      this.frames.push({
        type: bytes[at + 3] ?? -1,
        flags: bytes[at + 4] ?? -1,
        streamId: readUint31(bytes, at + 5),
        payload: Buffer.from(bytes.subarray(at + FRAME_HEADER_BYTES, end)),
      });
      at = end;
    }
    this.#rest = Buffer.from(bytes.subarray(at));
  }
}

export interface RawServer {
  readonly port: number;
  readonly sessions: ServerSession[];
  readonly streams: CallStream[];
  readonly headers: RequestHeaders[];
  close(): Promise<void>;
}

/** A server that hands each call to `onStream`. */
export async function openServer(
  onStream: (stream: CallStream, headers: RequestHeaders) => void,
): Promise<RawServer> {
  const sessions: ServerSession[] = [];
  const streams: CallStream[] = [];
  const headers: RequestHeaders[] = [];
  const server: Server = createServer((socket) => {
    const session = new ServerSession({
      socket,
      now: () => 0,
      onStream: (stream, received) => {
        streams.push(stream);
        headers.push(received);
        onStream(stream, received);
      },
    });
    sessions.push(session);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    port,
    sessions,
    streams,
    headers,
    close: async () => {
      for (const { socket } of sessions) socket.destroy();
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
    },
  };
}

/** Answers a call with what it sent, when it has sent all, as grpc-js answers. */
export function echo(stream: CallStream): void {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk) => chunks.push(Buffer.from(chunk)));
  stream.on('end', () => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => {
      stream.sendTrailers({ 'grpc-status': 0 });
    });
    stream.end(Buffer.concat(chunks));
  });
  stream.resume();
}
