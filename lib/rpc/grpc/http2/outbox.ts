/** Gathers the frames that are made in one turn into one write to the socket. */
import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { FRAME_HEADER_BYTES, writeFrameHeader } from './frames.js';

/** A connection that says little keeps little. */
const SLAB_MIN_BYTES = 1_024;
const SLAB_MAX_BYTES = 64 * 1_024;

const NOTHING = Buffer.alloc(0);

export class Outbox {
  readonly #socket: Socket;
  readonly #onFlush: () => void;
  #slab: Buffer = NOTHING;
  #slab_bytes = SLAB_MIN_BYTES;
  #from = 0;
  #to = 0;
  #isScheduled = false;

  /** @param onFlush called after what was gathered has been given to the socket */
  constructor(socket: Socket, onFlush: () => void) {
    this.#socket = socket;
    this.#onFlush = onFlush;
  }

  /** What the peer has not taken yet. */
  get waiting_bytes(): number {
    return this.#socket.writableLength + this.#to - this.#from;
  }

  /** Where `reserve` has made room. */
  get slab(): Buffer {
    return this.#slab;
  }

  /** Makes room in `slab`, to be filled at once. @returns where it begins */
  reserve(size_bytes: number): number {
    if (this.#to + size_bytes > this.#slab.length) {
      this.#write();
      this.#slab_bytes = Math.min(2 * this.#slab_bytes, SLAB_MAX_BYTES);
      this.#slab = Buffer.allocUnsafeSlow(Math.max(this.#slab_bytes, size_bytes));
      this.#from = 0;
      this.#to = 0;
    }
    const at = this.#to;
    this.#to = at + size_bytes;
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      setImmediate(flushOf, this);
    }
    return at;
  }

  /** Gives back what is not needed of the last reservation. */
  endAt(at: number): void {
    this.#to = at;
  }

  frame(type: number, flags: number, streamId: number, payload: Uint8Array): void {
    const at = this.reserve(FRAME_HEADER_BYTES + payload.length);
    writeFrameHeader(this.#slab, at, payload.length, type, flags, streamId);
    this.#slab.set(payload, at + FRAME_HEADER_BYTES);
  }

  flush(): void {
    this.#isScheduled = false;
    this.#write();
    this.#onFlush();
  }

  /** An idle connection holds no memory for what it may say. */
  release(): void {
    if (this.#to !== this.#from) return;
    this.#slab = NOTHING;
    this.#slab_bytes = SLAB_MIN_BYTES;
    this.#from = 0;
    this.#to = 0;
  }

  #write(): void {
    if (this.#to === this.#from) return;
    const bytes = this.#slab.subarray(this.#from, this.#to);
    this.#from = this.#to;
    if (this.#socket.writable) this.#socket.write(bytes);
  }
}

function flushOf(outbox: Outbox): void {
  outbox.flush();
}
