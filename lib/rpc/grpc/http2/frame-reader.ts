/** The receiving side of a connection: cuts its bytes into frames, checks each, and hands it to what it concerns. */
import { Buffer } from 'node:buffer';
import type { CallTable } from './call-table.js';
import { ErrorCode, frameSizeError, Http2Error, protocolError } from './errors.js';
import {
  FLAG_ACK,
  FLAG_END_HEADERS,
  FLAG_END_STREAM,
  FLAG_PADDED,
  FLAG_PRIORITY,
  FRAME_HEADER_BYTES,
  FRAME_MAX_BYTES,
  FrameType,
  PING_BYTES,
  PREFACE,
  PRIORITY_BYTES,
  readUint16,
  readUint24,
  readUint31,
  readUint32,
  SETTING_BYTES,
} from './frames.js';
import { CONNECTION_WINDOW, HEADER_BLOCK_MAX_BYTES, HEADER_FRAMES_MAX } from './limits.js';
import type { MisuseGuard } from './misuse-guard.js';
import type { Sender } from './sender.js';
import type { ServerSession } from './server-session.js';

const NOTHING = Buffer.alloc(0);

/** A header block whose end has not come. */
interface Block {
  readonly streamId: number;
  readonly isLast: boolean;
  readonly isSelfDependent: boolean;
  readonly parts: Buffer[];
  size_bytes: number;
}

export interface FrameReaderOptions {
  readonly session: ServerSession;
  readonly calls: CallTable;
  readonly sender: Sender;
  readonly guard: MisuseGuard;
}

export class FrameReader {
  readonly #session: ServerSession;
  readonly #calls: CallTable;
  readonly #sender: Sender;
  readonly #guard: MisuseGuard;
  /** The beginning of a frame. */
  #rest: Buffer = NOTHING;
  #hasPreface = false;
  #hasSettings = false;
  #block: Block | undefined;
  /** How much the peer may still send on all streams together. */
  #window = CONNECTION_WINDOW;
  #consumed_bytes = 0;

  constructor({ session, calls, sender, guard }: FrameReaderOptions) {
    this.#session = session;
    this.#calls = calls;
    this.#sender = sender;
    this.#guard = guard;
  }

  /** Takes the next bytes of the connection. @throws Http2Error */
  read(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    if (!this.#hasPreface) {
      const known = Math.min(bytes.length, PREFACE.length);
      if (bytes.compare(PREFACE, 0, known, 0, known) !== 0) throw protocolError('this is not HTTP/2');
      this.#rest = bytes;
      if (known < PREFACE.length) return;
      this.#hasPreface = true;
      at = known;
    }
    while (bytes.length - at >= FRAME_HEADER_BYTES && !this.#session.destroyed) {
      const length = readUint24(bytes, at);
      if (length > FRAME_MAX_BYTES) throw frameSizeError('a frame is too large');
      const start = at + FRAME_HEADER_BYTES;
      const end = start + length;
      if (end > bytes.length) break;
      this.#handle(bytes[at + 3] ?? 0, bytes[at + 4] ?? 0, readUint31(bytes, at + 5), bytes, start, end);
      at = end;
    }
    this.#rest = at === bytes.length ? NOTHING : Buffer.from(bytes.subarray(at));
  }

  /** Nothing more comes. */
  release(): void {
    this.#rest = NOTHING;
  }

  #handle(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    if (this.#block !== undefined && (type !== FrameType.continuation || streamId !== this.#block.streamId)) {
      throw protocolError('another frame came within a header block');
    }
    if (!this.#hasSettings) {
      if (type !== FrameType.settings) throw protocolError('the first frame has no settings');
      this.#hasSettings = true;
    }
    switch (type) {
      case FrameType.data:
        this.#onData(flags, streamId, bytes, start, end);
        return;
      case FrameType.headers:
        this.#onHeaders(flags, streamId, bytes, start, end);
        return;
      case FrameType.priority:
        this.#onPriority(streamId, bytes, start, end);
        return;
      case FrameType.resetStream:
        this.#onReset(streamId, bytes, start, end);
        return;
      case FrameType.settings:
        this.#onSettings(flags, streamId, bytes, start, end);
        return;
      case FrameType.pushPromise:
        throw protocolError('a client pushes nothing');
      case FrameType.ping:
        this.#onPing(flags, streamId, bytes.subarray(start, end));
        return;
      case FrameType.goAway:
        this.#onGoAway(streamId, bytes, start, end);
        return;
      case FrameType.windowUpdate:
        this.#onWindowUpdate(streamId, bytes, start, end);
        return;
      case FrameType.continuation:
        this.#onContinuation(flags, bytes, start, end);
        return;
      default:
        this.#guard.countIdleFrame();
    }
  }

  #onData(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    if (streamId === 0) throw protocolError('data came without a stream');
    const length = end - start;
    this.#takeRoom(length);
    const isLast = (flags & FLAG_END_STREAM) !== 0;
    if (length === 0 && !isLast) this.#guard.countIdleFrame();
    const dataEnd = (flags & FLAG_PADDED) === 0 ? end : unpadded(bytes, start, end);
    const dataStart = (flags & FLAG_PADDED) === 0 ? start : start + 1;
    this.#calls.onData(streamId, isLast, length, bytes, dataStart, dataEnd);
  }

  /** Counts data against the window of the connection, and widens it when half is used. */
  #takeRoom(length: number): void {
    this.#window -= length;
    if (this.#window < 0)
      throw new Http2Error(ErrorCode.flowControlError, 'the connection has no room for this');
    this.#consumed_bytes += length;
    if (this.#consumed_bytes < CONNECTION_WINDOW / 2) return;
    this.#window += this.#consumed_bytes;
    this.#sender.widen(0, this.#consumed_bytes);
    this.#consumed_bytes = 0;
  }

  #onHeaders(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    if (streamId % 2 === 0) throw protocolError('a client’s streams have odd numbers');
    let blockEnd = end;
    let blockStart = start;
    if ((flags & FLAG_PADDED) !== 0) {
      blockEnd = unpadded(bytes, start, end);
      blockStart += 1;
    }
    let isSelfDependent = false;
    if ((flags & FLAG_PRIORITY) !== 0) {
      if (blockEnd - blockStart < PRIORITY_BYTES)
        throw frameSizeError('a frame has no room for its priority');
      isSelfDependent = readUint31(bytes, blockStart) === streamId;
      blockStart += PRIORITY_BYTES;
    }
    const isLast = (flags & FLAG_END_STREAM) !== 0;
    const part = bytes.subarray(blockStart, blockEnd);
    if ((flags & FLAG_END_HEADERS) !== 0) {
      this.#calls.onBlock(streamId, part, isLast, isSelfDependent);
      return;
    }
    this.#block = { streamId, isLast, isSelfDependent, parts: [Buffer.from(part)], size_bytes: part.length };
  }

  #onContinuation(flags: number, bytes: Buffer, start: number, end: number): void {
    const block = this.#block;
    if (block === undefined) throw protocolError('a header block goes on that has not begun');
    block.parts.push(Buffer.from(bytes.subarray(start, end)));
    block.size_bytes += end - start;
    if (block.size_bytes > HEADER_BLOCK_MAX_BYTES || block.parts.length > HEADER_FRAMES_MAX) {
      throw new Http2Error(ErrorCode.enhanceYourCalm, 'a header block is too large');
    }
    if ((flags & FLAG_END_HEADERS) === 0) return;
    this.#block = undefined;
    this.#calls.onBlock(block.streamId, Buffer.concat(block.parts), block.isLast, block.isSelfDependent);
  }

  #onPriority(streamId: number, bytes: Buffer, start: number, end: number): void {
    if (streamId === 0) throw protocolError('a priority came without a stream');
    if (end - start !== PRIORITY_BYTES) throw frameSizeError('a priority has five bytes');
    this.#guard.countIdleFrame();
    if (readUint31(bytes, start) === streamId) this.#calls.onSelfDependence(streamId);
  }

  #onReset(streamId: number, bytes: Buffer, start: number, end: number): void {
    if (end - start !== 4) throw frameSizeError('a reset has four bytes');
    this.#calls.onReset(streamId, readUint32(bytes, start));
  }

  #onSettings(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    if (streamId !== 0) throw protocolError('settings came on a stream');
    if ((flags & FLAG_ACK) !== 0) {
      if (end > start) throw frameSizeError('settings that are acknowledged are not repeated');
      return;
    }
    if ((end - start) % SETTING_BYTES !== 0) throw frameSizeError('a setting has six bytes');
    // A change of windows reaches every stream: it is not free.
    this.#guard.countIdleFrame();
    for (let at = start; at < end; at += SETTING_BYTES) {
      this.#sender.obey(readUint16(bytes, at), readUint32(bytes, at + 2));
    }
    this.#sender.acknowledge(FrameType.settings, NOTHING);
    this.#sender.sendReady();
  }

  #onPing(flags: number, streamId: number, payload: Buffer): void {
    if (streamId !== 0) throw protocolError('a ping came on a stream');
    if (payload.length !== PING_BYTES) throw frameSizeError('a ping has eight bytes');
    if ((flags & FLAG_ACK) === 0) this.#sender.acknowledge(FrameType.ping, payload);
    else this.#session.onPingAnswered(payload);
  }

  #onGoAway(streamId: number, bytes: Buffer, start: number, end: number): void {
    if (streamId !== 0) throw protocolError('a farewell came on a stream');
    if (end - start < 8) throw frameSizeError('a farewell has eight bytes');
    if (readUint32(bytes, start + 4) === ErrorCode.noError) this.#session.close();
    else this.#session.destroy();
  }

  #onWindowUpdate(streamId: number, bytes: Buffer, start: number, end: number): void {
    if (end - start !== 4) throw frameSizeError('a window update has four bytes');
    const increment = readUint31(bytes, start);
    if (streamId !== 0) {
      this.#calls.onWindowUpdate(streamId, increment);
      return;
    }
    if (increment === 0) throw protocolError('a window grows by nothing');
    this.#sender.growWindow(increment);
  }
}

/** @returns where the data ends */
function unpadded(bytes: Buffer, start: number, end: number): number {
  const padded = end - (bytes[start] ?? 0);
  if (start >= end || padded < start + 1) throw protocolError('a frame is shorter than its padding');
  return padded;
}
