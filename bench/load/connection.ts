/**
 * A gRPC client on a bare socket: node:http2 takes 70 to 110 µs of CPU per call, which on a machine that also runs server
 * and database is measured as if it were theirs. It speaks only what grpc-js and the echo server answer, and checks little.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import {
  clientSettings,
  DEFAULT_WINDOW,
  FLAG_ACK,
  FLAG_END_HEADERS,
  FLAG_END_STREAM,
  frame,
  FRAME_HEADER_BYTES,
  FrameType,
  MAX_FRAME_BYTES,
  MAX_WINDOW,
  PREFACE,
  SETTING_INITIAL_WINDOW_SIZE,
  windowUpdate,
  writeFrameHeader,
} from './frames.js';

/** What a stream reports to its owner. */
export interface StreamListener {
  /** A whole gRPC message; its bytes are valid only now. */
  onMessage(message: Buffer): void;
  /** The stream has ended. A unary call that had no message has failed. */
  onEnd(): void;
}

interface Stream extends StreamListener {
  readonly id: number;
  /** How much the server takes on this stream. */
  window: number;
  queue: Buffer[];
  endAfterQueue: boolean;
  /** Received and not yet a whole message. */
  partial: Buffer;
  received: number;
}

const STAGING_BYTES = 256 * 1024;
const NOTHING = Buffer.alloc(0);

/** One connection with any number of streams. */
export class LeanConnection {
  readonly #socket: Socket;
  readonly #streams = new Map<number, Stream>();
  readonly #blocked = new Set<Stream>();
  readonly #staging = Buffer.allocUnsafe(STAGING_BYTES);
  #staged = 0;
  #flushing = false;
  #nextId = 1;
  #window = DEFAULT_WINDOW;
  #streamWindow = DEFAULT_WINDOW;
  #received = 0;
  #rest: Buffer = NOTHING;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('close', () => this.#endAll());
    socket.on('error', () => undefined);
    socket.write(PREFACE);
    socket.write(clientSettings());
    socket.write(windowUpdate(0, MAX_WINDOW - DEFAULT_WINDOW));
  }

  static async open(host: string, port: number): Promise<LeanConnection> {
    const socket = connect({ host, port, noDelay: true });
    await once(socket, 'connect');
    return new LeanConnection(socket);
  }

  /** Starts a call; messages follow by `send`. @returns the stream's number. */
  start(headers: Buffer, listener: StreamListener): number {
    const id = this.#nextId;
    this.#nextId += 2;
    this.#streams.set(id, {
      id,
      window: this.#streamWindow,
      queue: [],
      endAfterQueue: false,
      partial: NOTHING,
      received: 0,
      onMessage: (message) => listener.onMessage(message),
      onEnd: () => listener.onEnd(),
    });
    this.#stage(FrameType.headers, FLAG_END_HEADERS, id, headers);
    return id;
  }

  /** Sends bytes that already have gRPC's prefix. They are kept, not copied, while the server's window is full. */
  send(id: number, bytes: Buffer, last: boolean): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    if (bytes.length > 0) stream.queue.push(bytes);
    stream.endAfterQueue ||= last;
    this.#pump(stream);
  }

  close(): void {
    this.#socket.destroy();
  }

  #pump(stream: Stream): void {
    let head = stream.queue[0];
    while (head !== undefined) {
      const room = Math.min(head.length, MAX_FRAME_BYTES, stream.window, this.#window);
      if (room <= 0) {
        this.#blocked.add(stream);
        return;
      }
      const whole = room === head.length;
      if (whole) stream.queue.shift();
      else stream.queue[0] = head.subarray(room);
      const last = whole && stream.endAfterQueue && stream.queue.length === 0;
      stream.window -= room;
      this.#window -= room;
      this.#stage(
        FrameType.data,
        last ? FLAG_END_STREAM : 0,
        stream.id,
        whole ? head : head.subarray(0, room),
      );
      if (last) stream.endAfterQueue = false;
      head = stream.queue[0];
    }
    this.#blocked.delete(stream);
    if (!stream.endAfterQueue) return;
    stream.endAfterQueue = false;
    this.#stage(FrameType.data, FLAG_END_STREAM, stream.id, NOTHING);
  }

  /** Frames of one turn of the event loop go out in one write. */
  #stage(type: number, flags: number, streamId: number, payload: Buffer): void {
    if (this.#staged + FRAME_HEADER_BYTES + payload.length > STAGING_BYTES) this.#flush();
    writeFrameHeader(this.#staging, this.#staged, { length: payload.length, type, flags, streamId });
    payload.copy(this.#staging, this.#staged + FRAME_HEADER_BYTES);
    this.#staged += FRAME_HEADER_BYTES + payload.length;
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    if (this.#staged === 0) return;
    this.#socket.write(Buffer.from(this.#staging.subarray(0, this.#staged)));
    this.#staged = 0;
  }

  #read(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= FRAME_HEADER_BYTES) {
      const end = at + FRAME_HEADER_BYTES + bytes.readUIntBE(at, 3);
      if (end > bytes.length) break;
      const payload = bytes.subarray(at + FRAME_HEADER_BYTES, end);
      this.#handle(bytes[at + 3] ?? 0, bytes[at + 4] ?? 0, bytes.readUInt32BE(at + 5) & 0x7fffffff, payload);
      at = end;
    }
    this.#rest = bytes.subarray(at);
  }

  #handle(type: number, flags: number, streamId: number, payload: Buffer): void {
    switch (type) {
      case FrameType.data:
        this.#onData(streamId, payload);
        if ((flags & FLAG_END_STREAM) !== 0) this.#end(streamId);
        return;
      case FrameType.headers:
        if ((flags & FLAG_END_STREAM) !== 0) this.#end(streamId);
        return;
      case FrameType.resetStream:
        this.#end(streamId);
        return;
      case FrameType.settings:
        this.#onSettings(flags, payload);
        return;
      case FrameType.ping:
        if ((flags & FLAG_ACK) === 0) this.#socket.write(frame(FrameType.ping, FLAG_ACK, 0, payload));
        return;
      case FrameType.goAway:
        this.#socket.end();
        return;
      case FrameType.windowUpdate:
        this.#onWindow(streamId, payload.readUInt32BE(0) & 0x7fffffff);
        return;
    }
  }

  #onSettings(flags: number, payload: Buffer): void {
    if ((flags & FLAG_ACK) !== 0) return;
    for (let at = 0; at + 6 <= payload.length; at += 6) {
      if (payload.readUInt16BE(at) !== SETTING_INITIAL_WINDOW_SIZE) continue;
      const window = payload.readUInt32BE(at + 2);
      for (const stream of this.#streams.values()) stream.window += window - this.#streamWindow;
      this.#streamWindow = window;
    }
    this.#socket.write(frame(FrameType.settings, FLAG_ACK, 0, NOTHING));
    for (const stream of [...this.#blocked]) this.#pump(stream);
  }

  #onWindow(streamId: number, bytes: number): void {
    if (streamId === 0) {
      this.#window += bytes;
      for (const stream of [...this.#blocked]) this.#pump(stream);
      return;
    }
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return;
    stream.window += bytes;
    if (this.#blocked.has(stream)) this.#pump(stream);
  }

  #onData(streamId: number, payload: Buffer): void {
    this.#received += payload.length;
    if (this.#received > MAX_WINDOW / 2) {
      this.#socket.write(windowUpdate(0, this.#received));
      this.#received = 0;
    }
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return;
    stream.received += payload.length;
    if (stream.received > MAX_WINDOW / 2) {
      this.#socket.write(windowUpdate(streamId, stream.received));
      stream.received = 0;
    }
    let bytes = stream.partial.length === 0 ? payload : Buffer.concat([stream.partial, payload]);
    while (bytes.length >= 5) {
      const end = 5 + bytes.readUInt32BE(1);
      if (end > bytes.length) break;
      stream.onMessage(bytes.subarray(5, end));
      bytes = bytes.subarray(end);
    }
    stream.partial = bytes.length === 0 ? NOTHING : Buffer.from(bytes);
  }

  #end(streamId: number): void {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return;
    this.#streams.delete(streamId);
    this.#blocked.delete(stream);
    stream.onEnd();
  }

  #endAll(): void {
    for (const id of [...this.#streams.keys()]) this.#end(id);
  }
}
