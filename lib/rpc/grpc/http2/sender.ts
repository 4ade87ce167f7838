/** The sending side of a connection: every frame to the peer, as far as its windows, its settings and the socket allow. */
import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { CallStream } from './call-stream.js';
import { ErrorCode, Http2Error, protocolError } from './errors.js';
import {
  DEFAULT_WINDOW,
  FLAG_ACK,
  FLAG_END_HEADERS,
  FLAG_END_STREAM,
  FRAME_HEADER_BYTES,
  FRAME_MAX_BYTES,
  FRAME_MAX_BYTES_LIMIT,
  FrameType,
  Setting,
  SETTING_BYTES,
  WINDOW_LIMIT,
  writeFrameHeader,
  writeUint32,
} from './frames.js';
import { TABLE_MAX_BYTES } from './header-decoder.js';
import { headersMaxBytes, NO_TABLE, type OutgoingHeaders, writeHeaders } from './header-encoder.js';
import {
  CONNECTION_WINDOW,
  HELD_MAX_BYTES,
  SOCKET_MAX_BYTES,
  STREAMS_MAX,
  UNREAD_ACKS_MAX,
  UNREAD_MAX_BYTES,
} from './limits.js';
import { Outbox } from './outbox.js';
import { HEADER_LIST_MAX_BYTES } from './request-headers.js';

const NOTHING = Buffer.alloc(0);

export class Sender {
  readonly #socket: Socket;
  /** All calls that are open. */
  readonly #streams: ReadonlyMap<number, CallStream>;
  readonly #outbox: Outbox;
  /** Those that have something to send and room on their own stream, in the order of their turns. */
  readonly #ready = new Set<CallStream>();
  #isSending = false;
  #hasFinished = false;
  #unreadAcks = 0;
  #isTableDue = false;
  #window = DEFAULT_WINDOW;
  #initialWindow = DEFAULT_WINDOW;
  #peerFrameMax_bytes = FRAME_MAX_BYTES;
  #held_bytes = 0;

  constructor(socket: Socket, streams: ReadonlyMap<number, CallStream>) {
    this.#socket = socket;
    this.#streams = streams;
    this.#outbox = new Outbox(socket, () => {
      this.#afterFlush();
    });
  }

  /** How much the peer takes on a stream that begins. */
  get initialWindow(): number {
    return this.#initialWindow;
  }

  /** Too many answers wait for the peer's windows. */
  get holdsTooMuch(): boolean {
    return this.#held_bytes > HELD_MAX_BYTES;
  }

  /** Tells the peer what it may do. */
  greet(): void {
    const settings: readonly (readonly [number, number])[] = [
      [Setting.maxConcurrentStreams, STREAMS_MAX],
      [Setting.maxHeaderListSize, HEADER_LIST_MAX_BYTES],
    ];
    const payload = Buffer.alloc(settings.length * SETTING_BYTES);
    settings.forEach(([id, value], index) => {
      payload.writeUInt16BE(id, index * SETTING_BYTES);
      payload.writeUInt32BE(value, index * SETTING_BYTES + 2);
    });
    this.#outbox.frame(FrameType.settings, 0, 0, payload);
    this.widen(0, CONNECTION_WINDOW - DEFAULT_WINDOW);
  }

  sendPing(payload: Buffer): void {
    this.#outbox.frame(FrameType.ping, 0, 0, payload);
  }

  /** @param lastId of the last stream that is served */
  sendGoAway(code: number, lastId: number, data: Uint8Array): void {
    const payload = Buffer.alloc(8 + data.length);
    writeUint32(payload, 0, lastId);
    writeUint32(payload, 4, code);
    payload.set(data, 8);
    this.#outbox.frame(FrameType.goAway, 0, 0, payload);
  }

  /** Answers settings or a ping. @throws Http2Error if the peer does not read these answers */
  acknowledge(type: number, payload: Buffer): void {
    this.#unreadAcks += 1;
    if (this.#unreadAcks > UNREAD_ACKS_MAX && this.#socket.writableNeedDrain) {
      throw new Http2Error(ErrorCode.enhanceYourCalm, 'what was acknowledged is not read');
    }
    this.#outbox.frame(type, FLAG_ACK, 0, payload);
  }

  sendHeaders(streamId: number, headers: OutgoingHeaders, isLast: boolean): void {
    const max_bytes = headersMaxBytes(headers);
    if (max_bytes > this.#peerFrameMax_bytes) {
      this.#sendLargeHeaders(streamId, headers, isLast, max_bytes);
      return;
    }
    const outbox = this.#outbox;
    const at = outbox.reserve(FRAME_HEADER_BYTES + max_bytes);
    const into = outbox.slab;
    const start = at + FRAME_HEADER_BYTES;
    const end = writeHeaders(into, this.#writeTableSize(into, start), headers);
    const flags = isLast ? FLAG_END_HEADERS | FLAG_END_STREAM : FLAG_END_HEADERS;
    writeFrameHeader(into, at, end - start, FrameType.headers, flags, streamId);
    outbox.endAt(end);
  }

  /** Sends all of it, or nothing. @returns whether there was room */
  sendWhole(stream: CallStream, bytes: Buffer): boolean {
    const { length } = bytes;
    if (length > this.#window || length > stream.sendWindow || length > this.#peerFrameMax_bytes)
      return false;
    if (this.#isCongested() || this.#ready.size > 0) return false;
    this.#sendData(stream, bytes, 0, length);
    return true;
  }

  /** Sends what one frame takes. @returns how much that was */
  sendPart(stream: CallStream, bytes: Buffer, start: number): number {
    const length = Math.min(
      bytes.length - start,
      this.#window,
      stream.sendWindow,
      this.#peerFrameMax_bytes,
      FRAME_MAX_BYTES,
    );
    if (length <= 0) return 0;
    this.#sendData(stream, bytes, start, length);
    this.#held_bytes -= length;
    return length;
  }

  /** Sends the end of a stream that has no trailers. */
  sendEnd(streamId: number): void {
    this.#outbox.frame(FrameType.data, FLAG_END_STREAM, streamId, NOTHING);
  }

  sendReset(streamId: number, code: number): void {
    this.#sendUint32(FrameType.resetStream, streamId, code);
  }

  /** Lets the peer send more, on a stream or (0) on the connection. */
  widen(streamId: number, bytes: number): void {
    this.#sendUint32(FrameType.windowUpdate, streamId, bytes);
  }

  /** Keeps what a stream has to send until there is room. */
  hold(stream: CallStream, bytes: number): void {
    this.#held_bytes += bytes;
    this.takeTurn(stream);
    this.sendReady();
  }

  /** Lets a stream send when those before it have had their turn, if its own window allows. */
  takeTurn(stream: CallStream): void {
    if (stream.sendWindow > 0) this.#ready.add(stream);
  }

  /** What a stream still had to send is not sent. */
  forget(stream: CallStream): void {
    this.#ready.delete(stream);
    this.#held_bytes -= stream.waiting_bytes;
  }

  /** One frame for each in turn, so that a long answer holds up no other. */
  sendReady(): void {
    if (this.#isSending) return;
    this.#isSending = true;
    for (const stream of this.#ready) {
      if (this.#window <= 0 || this.#isCongested() || this.#hasFinished) break;
      // A stream that has more to send comes in again as the last: the loop reaches it once more.
      this.#ready.delete(stream);
      stream.sendSome();
    }
    this.#isSending = false;
  }

  /** The peer takes more on the connection. @throws Http2Error */
  growWindow(increment: number): void {
    this.#window += increment;
    if (this.#window > WINDOW_LIMIT) {
      throw new Http2Error(ErrorCode.flowControlError, 'the window of the connection is too large');
    }
    this.sendReady();
  }

  /** The peer says how it wants to be sent to. @throws Http2Error */
  obey(setting: number, value: number): void {
    switch (setting) {
      case Setting.headerTableSize:
        this.#isTableDue ||= value < TABLE_MAX_BYTES;
        return;
      case Setting.enablePush:
        if (value > 1) throw protocolError('push is on or off');
        return;
      case Setting.initialWindowSize:
        this.#changeInitialWindow(value);
        return;
      case Setting.maxFrameSize:
        if (value < FRAME_MAX_BYTES || value > FRAME_MAX_BYTES_LIMIT)
          throw protocolError('no frame has that size');
        this.#peerFrameMax_bytes = value;
        return;
    }
  }

  /** The socket has taken what it was given. */
  onDrain(): void {
    if (this.#hasFinished) return;
    this.#unreadAcks = 0;
    if (this.#socket.isPaused()) this.#socket.resume();
    this.sendReady();
  }

  flush(): void {
    this.#outbox.flush();
  }

  /** Gives the socket what was made until now. No answers follow. */
  finish(): void {
    this.#outbox.flush();
    this.#hasFinished = true;
  }

  #afterFlush(): void {
    if (this.#hasFinished) return;
    const socket = this.#socket;
    if (!socket.writableNeedDrain) this.#unreadAcks = 0;
    else if (socket.writableLength > UNREAD_MAX_BYTES) socket.pause();
    if (this.#streams.size === 0) this.#outbox.release();
  }

  #isCongested(): boolean {
    return this.#socket.writableNeedDrain && this.#outbox.waiting_bytes > SOCKET_MAX_BYTES;
  }

  #changeInitialWindow(value: number): void {
    const isAllowed = (window: number) => window <= WINDOW_LIMIT;
    const change = value - this.#initialWindow;
    let areAllowed = isAllowed(value);
    for (const stream of this.#streams.values()) {
      stream.sendWindow += change;
      areAllowed &&= isAllowed(stream.sendWindow);
      if (stream.hasWaiting) this.takeTurn(stream);
    }
    this.#initialWindow = value;
    if (!areAllowed) throw new Http2Error(ErrorCode.flowControlError, 'a window is too large');
  }

  #sendData(stream: CallStream, bytes: Buffer, start: number, length: number): void {
    this.#window -= length;
    stream.sendWindow -= length;
    const outbox = this.#outbox;
    const at = outbox.reserve(FRAME_HEADER_BYTES + length);
    const into = outbox.slab;
    writeFrameHeader(into, at, length, FrameType.data, 0, stream.id);
    bytes.copy(into, at + FRAME_HEADER_BYTES, start, start + length);
  }

  #sendUint32(type: number, streamId: number, value: number): void {
    const at = this.#outbox.reserve(FRAME_HEADER_BYTES + 4);
    const into = this.#outbox.slab;
    writeFrameHeader(into, at, 4, type, 0, streamId);
    writeUint32(into, at + FRAME_HEADER_BYTES, value);
  }

  /** Says once that our table has no bytes, to a peer that has made its own smaller. */
  #writeTableSize(into: Buffer, at: number): number {
    if (!this.#isTableDue) return at;
    this.#isTableDue = false;
    into[at] = NO_TABLE;
    return at + 1;
  }

  #sendLargeHeaders(streamId: number, headers: OutgoingHeaders, isLast: boolean, max_bytes: number): void {
    const block = Buffer.allocUnsafe(max_bytes);
    const end = writeHeaders(block, this.#writeTableSize(block, 0), headers);
    for (let at = 0; at < end; at += this.#peerFrameMax_bytes) {
      const part = block.subarray(at, Math.min(end, at + this.#peerFrameMax_bytes));
      const type = at === 0 ? FrameType.headers : FrameType.continuation;
      const flags =
        (at === 0 && isLast ? FLAG_END_STREAM : 0) | (at + part.length === end ? FLAG_END_HEADERS : 0);
      this.#outbox.frame(type, flags, streamId, part);
    }
  }
}
