/** The calls of a connection: which are open, which have been, and what a frame for one of them does to it. */
import type { Buffer } from 'node:buffer';
import { CallStream } from './call-stream.js';
import { ErrorCode, Http2Error, protocolError } from './errors.js';
import { WINDOW_LIMIT } from './frames.js';
import { HeaderReader } from './header-reader.js';
import { STREAMS_MAX } from './limits.js';
import type { MisuseGuard } from './misuse-guard.js';
import type { RequestHeaders } from './request-headers.js';
import type { Sender } from './sender.js';
import type { ServerSession } from './server-session.js';

/** What was broken off by us a while ago is forgotten. */
const REMEMBERED_RESETS = 1_000;

export interface CallTableOptions {
  readonly session: ServerSession;
  /** Filled and emptied by the table alone. */
  readonly streams: Map<number, CallStream>;
  readonly sender: Sender;
  readonly guard: MisuseGuard;
  /** Takes each call that begins. */
  readonly onStream: (stream: CallStream, headers: RequestHeaders) => void;
}

/** Its methods throw Http2Error for what ends the connection. */
export class CallTable {
  readonly #session: ServerSession;
  readonly #streams: Map<number, CallStream>;
  readonly #sender: Sender;
  readonly #guard: MisuseGuard;
  readonly #onStream: CallTableOptions['onStream'];
  readonly #headers = new HeaderReader();
  /** Streams that we broke off: the peer may not know it yet. */
  readonly #broken = new Set<number>();
  #lastId = 0;
  #hasGaps = false;

  constructor({ session, streams, sender, guard, onStream }: CallTableOptions) {
    this.#session = session;
    this.#streams = streams;
    this.#sender = sender;
    this.#guard = guard;
    this.#onStream = onStream;
  }

  /** Of the last stream that began. */
  get lastId(): number {
    return this.#lastId;
  }

  /** Tells the peer that a stream is broken off. */
  reset(streamId: number, code: number): void {
    this.#broken.add(streamId);
    if (this.#broken.size > REMEMBERED_RESETS) {
      const [oldest] = this.#broken;
      if (oldest !== undefined) this.#broken.delete(oldest);
    }
    this.#sender.sendReset(streamId, code);
  }

  /** Called by each stream that closes. */
  forget(stream: CallStream): void {
    this.#streams.delete(stream.id);
    this.#sender.forget(stream);
    if (this.#session.closed && this.#streams.size === 0) this.#session.leave();
  }

  /**
   * @param length of the frame, with its padding
   * @param start where the data begins in `bytes`
   * @param end where the data ends in `bytes`
   */
  onData(streamId: number, isLast: boolean, length: number, bytes: Buffer, start: number, end: number): void {
    const stream = this.#streams.get(streamId);
    if (stream === undefined || stream.isRemoteEnded) {
      this.#onDataOfClosed(streamId);
      return;
    }
    stream.receiveWindow -= length;
    if (stream.receiveWindow < 0) {
      this.#breakOff(stream, ErrorCode.flowControlError);
      return;
    }
    // Padding is room that the method never sees: it is given back at once.
    const padding = length - (end - start);
    if (padding > 0 && !isLast) {
      stream.receiveWindow += padding;
      this.#sender.widen(streamId, padding);
    }
    const isAllowed = stream.arrive(bytes.subarray(start, end)) && (!isLast || stream.endRemote());
    if (!isAllowed) this.#breakOff(stream, ErrorCode.protocolError);
  }

  /** Takes a whole header block: it begins a call, or ends one as its trailers. */
  onBlock(streamId: number, block: Buffer, isLast: boolean, isSelfDependent: boolean): void {
    const known = this.#streams.get(streamId);
    if (known !== undefined) {
      this.#onTrailers(known, block, isLast);
      return;
    }
    if (streamId <= this.#lastId) {
      this.#headers.trailers(block);
      if (this.#broken.has(streamId)) return;
      if (this.#hasGaps) throw protocolError('a stream has a number that was passed over');
      throw new Http2Error(ErrorCode.streamClosed, 'the stream has ended');
    }
    if (streamId > this.#lastId + 2) this.#hasGaps = true;
    this.#lastId = streamId;
    const { headers, problem, contentLength } = this.#headers.request(block);
    const refusal = this.#refusalOf(problem, isSelfDependent, isLast ? contentLength : undefined);
    if (refusal !== undefined) {
      // What is refused for want of room is no fault of the client: it may not know yet that there is none.
      if (refusal !== ErrorCode.refusedStream) this.#guard.countReset();
      this.reset(streamId, refusal);
      return;
    }
    const { initialWindow } = this.#sender;
    const stream = new CallStream(this.#session, streamId, initialWindow, contentLength, isLast);
    this.#streams.set(streamId, stream);
    this.#onStream(stream, headers);
    if (isLast && !stream.closed) stream.endRemote();
  }

  /** A stream is said to depend on itself, outside its headers. */
  onSelfDependence(streamId: number): void {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) throw protocolError('a stream depends on itself');
    this.#breakOff(stream, ErrorCode.protocolError);
  }

  /** The peer breaks off. */
  onReset(streamId: number, code: number): void {
    this.#mustHaveBegun(streamId);
    const stream = this.#streams.get(streamId);
    if (stream === undefined) {
      this.#guard.countIdleFrame();
      return;
    }
    this.#guard.countReset();
    stream.closeWith(code);
  }

  /** The peer takes more on a stream. */
  onWindowUpdate(streamId: number, increment: number): void {
    this.#mustHaveBegun(streamId);
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return;
    stream.sendWindow += increment;
    if (increment === 0) this.#breakOff(stream, ErrorCode.protocolError);
    else if (stream.sendWindow > WINDOW_LIMIT) this.#breakOff(stream, ErrorCode.flowControlError);
    else if (stream.hasWaiting) {
      this.#sender.takeTurn(stream);
      this.#sender.sendReady();
    }
  }

  #refusalOf(
    problem: 'malformed' | 'too large' | undefined,
    isSelfDependent: boolean,
    promised: number | undefined,
  ): number | undefined {
    if (problem === 'too large') return ErrorCode.enhanceYourCalm;
    if (problem !== undefined || isSelfDependent || (promised ?? 0) > 0) return ErrorCode.protocolError;
    const isFull = this.#streams.size >= STREAMS_MAX || this.#sender.holdsTooMuch;
    return this.#session.closed || isFull ? ErrorCode.refusedStream : undefined;
  }

  #onTrailers(stream: CallStream, block: Buffer, isLast: boolean): void {
    const { problem } = this.#headers.trailers(block);
    if (stream.isRemoteEnded) this.#breakOff(stream, ErrorCode.streamClosed);
    else if (!isLast || problem !== undefined || !stream.endRemote()) {
      this.#breakOff(stream, ErrorCode.protocolError);
    }
  }

  #onDataOfClosed(streamId: number): void {
    this.#mustHaveBegun(streamId);
    if (this.#broken.has(streamId)) return;
    this.#guard.countReset();
    this.reset(streamId, ErrorCode.streamClosed);
    this.#streams.get(streamId)?.closeWith(ErrorCode.streamClosed);
  }

  #mustHaveBegun(streamId: number): void {
    if (streamId === 0 || streamId > this.#lastId || streamId % 2 === 0) {
      throw protocolError('a frame came for a stream that has not begun');
    }
  }

  /** Ends a stream for a fault of the peer. */
  #breakOff(stream: CallStream, code: number): void {
    this.#guard.countReset();
    stream.close(code);
  }
}
