/**
 * The server's side of one connection of HTTP/2 (RFC 9113), as far as gRPC uses it. It ties the socket to what is received
 * (FrameReader), the calls (CallTable) and what is sent (Sender).
 */
import { Buffer } from 'node:buffer';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { CallStream } from './call-stream.js';
import { CallTable, type CallTableOptions } from './call-table.js';
import { ErrorCode, Http2Error } from './errors.js';
import { FrameReader } from './frame-reader.js';
import { PING_BYTES } from './frames.js';
import { MisuseGuard } from './misuse-guard.js';
import { Sender } from './sender.js';

/** How long the peer has to take our last words. */
const FAREWELL_MS = 1_000;

const NOTHING = Buffer.alloc(0);

/** Called when a ping is answered, or will not be. */
type PingCallback = (error: Error | null, duration_ms: number, payload: Buffer) => void;

export interface SessionOptions {
  readonly socket: Socket;
  /** Takes each call that begins. */
  readonly onStream: CallTableOptions['onStream'];
  /** Milliseconds. */
  readonly now: () => number;
}

/** Emits `close`. */
export class ServerSession extends EventEmitter {
  readonly socket: Socket;
  readonly encrypted: boolean;
  /** No more calls are taken. */
  closed = false;
  destroyed = false;
  readonly sender: Sender;
  readonly calls: CallTable;
  readonly #now: () => number;
  /** Those that are open. */
  readonly #streams = new Map<number, CallStream>();
  readonly #reader: FrameReader;
  readonly #pings = new Map<string, { readonly sent_ms: number; readonly callback: PingCallback }>();
  #pingCount = 0;

  constructor({ socket, onStream, now }: SessionOptions) {
    super();
    this.socket = socket;
    this.encrypted = socket instanceof TLSSocket;
    this.#now = now;
    const guard = new MisuseGuard(now);
    const sender = new Sender(socket, this.#streams);
    const calls = new CallTable({ session: this, streams: this.#streams, sender, guard, onStream });
    this.sender = sender;
    this.calls = calls;
    this.#reader = new FrameReader({ session: this, calls, sender, guard });
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#receive(chunk);
    });
    socket.on('drain', () => {
      sender.onDrain();
    });
    socket.on('end', () => {
      this.destroy();
    });
    socket.on('error', () => {
      this.destroy();
    });
    socket.on('close', () => {
      this.destroy();
    });
    sender.greet();
  }

  /** Asks whether the peer is there. @returns whether it could be asked */
  ping(callback: PingCallback): boolean {
    if (this.destroyed) return false;
    const payload = Buffer.alloc(PING_BYTES);
    this.#pingCount += 1;
    payload.writeDoubleBE(this.#pingCount);
    this.#pings.set(payload.toString('latin1'), { sent_ms: this.#now(), callback });
    this.sender.sendPing(payload);
    return true;
  }

  onPingAnswered(payload: Buffer): void {
    const key = payload.toString('latin1');
    const ping = this.#pings.get(key);
    this.#pings.delete(key);
    ping?.callback(null, this.#now() - ping.sent_ms, payload);
  }

  goaway(
    code: number = ErrorCode.noError,
    lastId: number = this.calls.lastId,
    data: Uint8Array = NOTHING,
  ): void {
    if (!this.destroyed) this.sender.sendGoAway(code, lastId, data);
  }

  /** Takes no more calls, and ends when those under way have ended. */
  close(callback?: () => void): void {
    if (callback !== undefined) this.once('close', callback);
    if (this.closed) return;
    this.closed = true;
    this.goaway();
    if (this.#streams.size === 0) this.leave();
  }

  /** Ends the connection, since no call is under way and none is taken. */
  leave(): void {
    if (this.destroyed) return;
    this.sender.flush();
    this.destroy();
  }

  /** Breaks off all calls and the connection. */
  destroy(code: number = ErrorCode.noError): void {
    if (this.destroyed) return;
    if (code !== ErrorCode.noError) this.goaway(code);
    this.sender.finish();
    this.destroyed = true;
    this.closed = true;
    for (const stream of [...this.#streams.values()]) stream.closeWith(ErrorCode.cancel);
    for (const { callback } of this.#pings.values()) {
      callback(new Error('the connection was closed'), 0, NOTHING);
    }
    this.#pings.clear();
    this.#reader.release();
    this.#hangUp();
    this.emit('close');
  }

  #receive(chunk: Buffer): void {
    if (this.destroyed) return;
    try {
      this.#reader.read(chunk);
    } catch (error) {
      if (!(error instanceof Http2Error)) throw error;
      this.#fail(error);
    }
  }

  #fail(error: Http2Error): void {
    this.goaway(error.code, this.calls.lastId, Buffer.from(error.message));
    this.destroy();
  }

  /** Closes the socket when the last words are sent. A peer that does not read holds it no longer than a moment. */
  #hangUp(): void {
    const { socket } = this;
    socket.destroySoon();
    if (socket.destroyed) return;
    const timer = setTimeout(() => {
      socket.destroy();
    }, FAREWELL_MS);
    socket.once('close', () => {
      clearTimeout(timer);
    });
  }
}
