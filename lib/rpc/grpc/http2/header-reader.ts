/** Reads the headers of requests. A client sends the same block again and again: the last ones are remembered by their bytes. */
import type { Buffer } from 'node:buffer';
import { HeaderDecoder } from './header-decoder.js';
import { type Fields, FieldsBuilder } from './request-headers.js';

const REMEMBERED_MAX = 16;
const REMEMBERED_BLOCK_MAX_BYTES = 2_048;

export class HeaderReader {
  readonly #decoder = new HeaderDecoder();
  /** What these bytes mean as long as the table of the connection stays as it is. */
  readonly #remembered = new Map<string, Fields>();

  /** @throws Http2Error */
  request(block: Buffer): Fields {
    if (block.length > REMEMBERED_BLOCK_MAX_BYTES) return this.#read(block, false);
    const key = block.toString('latin1');
    const known = this.#remembered.get(key);
    if (known !== undefined) return known;
    const { version } = this.#decoder;
    const fields = this.#read(block, false);
    if (this.#decoder.version === version) {
      if (this.#remembered.size >= REMEMBERED_MAX) this.#remembered.clear();
      this.#remembered.set(key, fields);
    }
    return fields;
  }

  /** @throws Http2Error */
  trailers(block: Buffer): Fields {
    return this.#read(block, true);
  }

  #read(block: Buffer, isTrailers: boolean): Fields {
    const { version } = this.#decoder;
    const fields = new FieldsBuilder(isTrailers);
    this.#decoder.decode(block, (name, value) => {
      fields.add(name, value);
    });
    if (this.#decoder.version !== version) this.#remembered.clear();
    return fields.build();
  }
}
