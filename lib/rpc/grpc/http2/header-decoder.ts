/** Reads header blocks (RFC 7541). One per connection: what was sent once may come back as a number. */
import type { Buffer } from 'node:buffer';
import { ErrorCode, Http2Error } from './errors.js';
import { decodeHuffman } from './huffman.js';
import { STATIC_TABLE } from './static-table.js';

/** What a client may keep here, in bytes as HPACK counts them; the size that both sides start with. */
export const TABLE_MAX_BYTES = 4_096;
/** What HPACK adds to name and value of each entry. */
export const ENTRY_OVERHEAD_BYTES = 32;
/** Integers beyond this are no length or index of anything here. */
const INTEGER_MAX = 2 ** 28;

/** Takes the fields of a block in their order. */
export type FieldSink = (name: string, value: string) => void;

interface Entry {
  readonly name: string;
  readonly value: string;
  readonly size_bytes: number;
}

export class HeaderDecoder {
  /** The newest is last. */
  #entries: Entry[] = [];
  #size_bytes = 0;
  #limit_bytes = TABLE_MAX_BYTES;
  #version = 0;
  #bytes: Buffer | undefined;
  #at = 0;
  #end = 0;

  /** Changes with each block that changes what numbers stand for. */
  get version(): number {
    return this.#version;
  }

  /** @throws Http2Error if the block is not one: what later blocks mean is then not known either. */
  decode(block: Buffer, sink: FieldSink): void {
    this.#bytes = block;
    this.#at = 0;
    this.#end = block.length;
    let mayResize = true;
    while (this.#at < this.#end) {
      const byte = block[this.#at] ?? 0;
      if ((byte & 0xe0) === 0x20) {
        if (!mayResize) throw invalid('changes its table after a field');
        this.#resize(this.#integer(5));
        continue;
      }
      mayResize = false;
      if ((byte & 0x80) !== 0) {
        const index = this.#integer(7);
        sink(this.#nameAt(index), this.#valueAt(index));
        continue;
      }
      const isKept = (byte & 0x40) !== 0;
      const index = this.#integer(isKept ? 6 : 4);
      const name = index === 0 ? this.#text() : this.#nameAt(index);
      const value = this.#text();
      if (isKept) this.#keep(name, value);
      sink(name, value);
    }
    this.#bytes = undefined;
  }

  #integer(prefixBits: number): number {
    const mask = (1 << prefixBits) - 1;
    let value = this.#byte() & mask;
    if (value < mask) return value;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (value > INTEGER_MAX || shift > 28) throw invalid('has an integer that is too large');
      if ((byte & 0x80) === 0) return value;
    }
  }

  #text(): string {
    const isHuffman = ((this.#bytes?.[this.#at] ?? 0) & 0x80) !== 0;
    const length = this.#integer(7);
    const start = this.#at;
    const end = start + length;
    if (end > this.#end || this.#bytes === undefined) throw invalid('ends within a text');
    this.#at = end;
    return isHuffman ? decodeHuffman(this.#bytes, start, end) : this.#bytes.toString('latin1', start, end);
  }

  #byte(): number {
    if (this.#at >= this.#end) throw invalid('ends within an integer');
    const byte = this.#bytes?.[this.#at] ?? 0;
    this.#at += 1;
    return byte;
  }

  #nameAt(index: number): string {
    return STATIC_TABLE[index - 1]?.[0] ?? this.#entryAt(index).name;
  }

  #valueAt(index: number): string {
    return STATIC_TABLE[index - 1]?.[1] ?? this.#entryAt(index).value;
  }

  #entryAt(index: number): Entry {
    const entry = this.#entries[this.#entries.length - (index - STATIC_TABLE.length)];
    if (entry === undefined) throw invalid('has the number of no entry');
    return entry;
  }

  #keep(name: string, value: string): void {
    this.#version += 1;
    const size_bytes = name.length + value.length + ENTRY_OVERHEAD_BYTES;
    this.#shrinkTo(this.#limit_bytes - size_bytes);
    if (size_bytes > this.#limit_bytes) return;
    this.#entries.push({ name, value, size_bytes });
    this.#size_bytes += size_bytes;
  }

  #resize(limit_bytes: number): void {
    if (limit_bytes > TABLE_MAX_BYTES) throw invalid('makes its table larger than was allowed');
    this.#version += 1;
    this.#limit_bytes = limit_bytes;
    this.#shrinkTo(limit_bytes);
  }

  #shrinkTo(limit_bytes: number): void {
    while (this.#size_bytes > limit_bytes) {
      const oldest = this.#entries.shift();
      if (oldest === undefined) return;
      this.#size_bytes -= oldest.size_bytes;
    }
  }
}

function invalid(what: string): Http2Error {
  return new Http2Error(ErrorCode.compressionError, `a header block ${what}`);
}
