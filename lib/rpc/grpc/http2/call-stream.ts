/**
 * One call on a connection: the part of node's ServerHttp2Stream that grpc-js and our door use. It is no stream of Node, since
 * those are some ten objects per call.
 */
import { Buffer } from 'node:buffer';
import { DEFAULT_WINDOW } from './frames.js';
import type { OutgoingHeaders } from './header-encoder.js';
import { ErrorCode } from './errors.js';
import type { ServerSession } from './server-session.js';

type Listener = (chunk: Buffer) => void;

/** What waits until the peer takes more. */
interface Waiting {
  readonly bytes: Buffer;
  sent: number;
  readonly callback: ((error?: Error) => void) | undefined;
}

const NOTHING = Buffer.alloc(0);
/** So many chunks of a call wait one by one. */
const CHUNKS_MAX = 64;

export class CallStream {
  /** Both sides have ended, or one has broken off. */
  closed = false;
  rstCode: number = ErrorCode.noError;
  /** How much the peer takes. */
  sendWindow: number;
  /** How much the peer may still send. */
  receiveWindow = DEFAULT_WINDOW;
  isRemoteEnded: boolean;
  #isFlowing = false;
  #isDelivering = false;
  #hasSaidEnd = false;
  #arrived: Buffer[] | undefined;
  #consumed_bytes = 0;
  #missing_bytes: number | undefined;
  #waiting: Waiting[] | undefined;
  #wantsTrailers = false;
  #isEnding = false;
  /** All that was written is sent, and what follows it was asked for. */
  #isFinished = false;
  #onData: Listener | undefined;
  #onEnd: Listener | undefined;
  #onWantTrailers: Listener | undefined;
  #onClose: Listener | undefined;
  #onCloseToo: Listener[] | undefined;

  constructor(
    readonly session: ServerSession,
    readonly id: number,
    sendWindow: number,
    contentLength: number | undefined,
    isBodiless: boolean,
  ) {
    this.sendWindow = sendWindow;
    this.isRemoteEnded = isBodiless;
    this.#missing_bytes = contentLength;
  }

  get destroyed(): boolean {
    return this.closed;
  }

  on(event: string, listener: Listener): this {
    switch (event) {
      case 'data':
        this.#onData = listener;
        break;
      case 'end':
        this.#onEnd = listener;
        break;
      case 'wantTrailers':
        this.#onWantTrailers = listener;
        break;
      case 'close':
        if (this.#onClose === undefined) this.#onClose = listener;
        else (this.#onCloseToo ??= []).push(listener);
        break;
    }
    // A fault of a stream ends in `close`, with its `rstCode`.
    return this;
  }

  /** Each event that is waited for happens once. */
  once(event: string, listener: Listener): this {
    return this.on(event, listener);
  }

  pause(): this {
    this.#isFlowing = false;
    return this;
  }

  resume(): this {
    this.#isFlowing = true;
    this.#deliver();
    return this;
  }

  respond(
    headers: OutgoingHeaders,
    options?: { readonly endStream?: boolean; readonly waitForTrailers?: boolean },
  ): void {
    if (this.closed) return;
    this.#wantsTrailers = options?.waitForTrailers === true;
    const isLast = options?.endStream === true;
    this.session.sender.sendHeaders(this.id, headers, isLast);
    if (isLast) this.#endLocal();
  }

  sendTrailers(headers: OutgoingHeaders): void {
    if (this.closed) return;
    this.session.sender.sendHeaders(this.id, headers, true);
    this.#endLocal();
  }

  /** @param callback called when the peer had room for all of it; never if the stream is closed before */
  write(bytes: Buffer, callback?: (error?: Error) => void): boolean {
    if (this.closed || this.#isEnding) return false;
    if (!this.hasWaiting && this.session.sender.sendWhole(this, bytes)) {
      callback?.();
      return true;
    }
    (this.#waiting ??= []).push({ bytes, sent: 0, callback });
    this.session.sender.hold(this, bytes.length);
    return false;
  }

  end(bytes?: Buffer): void {
    if (bytes !== undefined) this.write(bytes);
    if (this.closed || this.#isEnding) return;
    this.#isEnding = true;
    if (!this.hasWaiting) this.#finish();
  }

  /** Breaks off. */
  close(code: number): void {
    if (this.closed) return;
    this.session.calls.reset(this.id, code);
    this.closeWith(code);
  }

  /** Sends what one frame takes of what waits, and asks for another turn if there is more. */
  sendSome(): void {
    const head = this.#waiting?.[0];
    if (head === undefined || this.#waiting === undefined) return;
    head.sent += this.session.sender.sendPart(this, head.bytes, head.sent);
    if (head.sent === head.bytes.length) {
      this.#waiting.shift();
      head.callback?.();
    }
    if (this.hasWaiting) this.session.sender.takeTurn(this);
    else if (this.#isEnding) this.#finish();
  }

  get hasWaiting(): boolean {
    return this.#waiting !== undefined && this.#waiting.length > 0;
  }

  /** What of its answers waits. */
  get waiting_bytes(): number {
    let bytes = 0;
    for (const { bytes: each, sent } of this.#waiting ?? []) bytes += each.length - sent;
    return bytes;
  }

  /** @returns whether it may come: no more than `content-length` says */
  arrive(payload: Buffer): boolean {
    if (this.#missing_bytes !== undefined) {
      this.#missing_bytes -= payload.length;
      if (this.#missing_bytes < 0) return false;
    }
    if (payload.length === 0) return true;
    if (this.#isFlowing && !this.#isDelivering && this.#arrived === undefined) this.#hand(payload);
    else this.#keep(payload);
    return true;
  }

  /** @returns whether it may end here: not with less than `content-length` says */
  endRemote(): boolean {
    if (this.#missing_bytes !== undefined && this.#missing_bytes !== 0) return false;
    this.isRemoteEnded = true;
    this.#deliver();
    return true;
  }

  /** The session has no more to do with it. */
  closeWith(code: number): void {
    if (this.closed) return;
    this.closed = true;
    this.rstCode = code;
    this.session.calls.forget(this);
    const listener = this.#onClose;
    const others = this.#onCloseToo;
    this.#onClose = undefined;
    this.#onCloseToo = undefined;
    listener?.call(this, NOTHING);
    for (const each of others ?? []) each.call(this, NOTHING);
    this.#waiting = undefined;
    this.#arrived = undefined;
  }

  #deliver(): void {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    while (this.#isFlowing && this.#arrived !== undefined) {
      const chunk = this.#arrived.shift();
      if (this.#arrived.length === 0) this.#arrived = undefined;
      if (chunk !== undefined) this.#hand(chunk);
    }
    this.#isDelivering = false;
    if (!this.#isFlowing || !this.isRemoteEnded || this.#hasSaidEnd || this.closed) return;
    this.#hasSaidEnd = true;
    this.#onEnd?.(NOTHING);
  }

  /** Many small chunks become one: each is an object that is larger than what it holds. */
  #keep(chunk: Buffer): void {
    const arrived = (this.#arrived ??= []);
    arrived.push(chunk);
    if (arrived.length >= CHUNKS_MAX) this.#arrived = [Buffer.concat(arrived)];
  }

  #hand(chunk: Buffer): void {
    this.#consumed_bytes += chunk.length;
    if (this.#consumed_bytes >= DEFAULT_WINDOW / 2 && !this.isRemoteEnded && !this.closed) {
      this.receiveWindow += this.#consumed_bytes;
      this.session.sender.widen(this.id, this.#consumed_bytes);
      this.#consumed_bytes = 0;
    }
    this.#onData?.(chunk);
  }

  #finish(): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    if (this.#wantsTrailers) {
      this.#onWantTrailers?.call(this, NOTHING);
      return;
    }
    if (this.closed) return;
    this.session.sender.sendEnd(this.id);
    this.#endLocal();
  }

  #endLocal(): void {
    this.#isEnding = true;
    // What the peer still sends is of no use: this asks it to stop, and says that nothing is wrong (RFC 9113, 8.1).
    if (!this.isRemoteEnded) this.session.calls.reset(this.id, ErrorCode.noError);
    this.closeWith(ErrorCode.noError);
  }
}
