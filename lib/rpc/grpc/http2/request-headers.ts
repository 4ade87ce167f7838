/** The fields of a request as node:http2 gives them, and whether they may be sent at all (RFC 9113, 8.2 and 8.3). */
import { ENTRY_OVERHEAD_BYTES } from './header-decoder.js';

/** By name. Fields that came several times are joined. */
export type RequestHeaders = Record<string, string | undefined>;

/** More than this, as HPACK counts it, is refused. */
export const HEADER_LIST_MAX_BYTES = 65_536;

const REQUEST_PSEUDO_HEADERS = new Set([':method', ':scheme', ':path', ':authority']);
/** They concern one connection of HTTP/1, and have no meaning here. */
const CONNECTION_HEADERS = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);
/** Of these node:http2 keeps the first. */
const SINGLE_HEADERS = new Set([
  'authorization',
  'content-length',
  'content-type',
  'host',
  'proxy-authorization',
  'user-agent',
]);
/** Lower-case letters, digits, and what else RFC 9110 allows in a name. */
const NAME_CHARACTERS = new Uint8Array(256);
for (const character of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") {
  NAME_CHARACTERS[character.charCodeAt(0)] = 1;
}
const ENDS_A_LINE = /[\0\r\n]/;

/** What a block said, and what is wrong with it. */
export interface Fields {
  readonly headers: RequestHeaders;
  readonly problem: 'malformed' | 'too large' | undefined;
  /** What `content-length` promises. */
  readonly contentLength: number | undefined;
}

/** Gathers the fields of one block. */
export class FieldsBuilder {
  readonly #isTrailers: boolean;
  readonly #headers: RequestHeaders = Object.create(null) as RequestHeaders;
  #problem: Fields['problem'];
  #size_bytes = 0;
  #hasRegular = false;

  constructor(isTrailers: boolean) {
    this.#isTrailers = isTrailers;
  }

  add(name: string, value: string): void {
    this.#size_bytes += name.length + value.length + ENTRY_OVERHEAD_BYTES;
    // The rest is read for the table of the connection alone.
    if (this.#size_bytes > HEADER_LIST_MAX_BYTES) this.#problem ??= 'too large';
    if (this.#problem !== undefined) return;
    if (!this.#isAllowed(name, value)) {
      this.#problem = 'malformed';
      return;
    }
    const before = this.#headers[name];
    if (before === undefined) this.#headers[name] = value;
    else if (!SINGLE_HEADERS.has(name)) {
      this.#headers[name] = `${before}${name === 'cookie' ? '; ' : ', '}${value}`;
    }
  }

  build(): Fields {
    const headers = this.#headers;
    const length = headers['content-length'];
    const isWhole = this.#isTrailers || (headers[':method'] && headers[':scheme'] && headers[':path']);
    const isNumber = length === undefined || /^\d{1,15}$/.test(length);
    return {
      headers,
      problem: this.#problem ?? (isWhole && isNumber ? undefined : 'malformed'),
      contentLength: length === undefined ? undefined : Number(length),
    };
  }

  #isAllowed(name: string, value: string): boolean {
    if (ENDS_A_LINE.test(value)) return false;
    if (name.startsWith(':')) {
      return (
        !this.#isTrailers &&
        !this.#hasRegular &&
        REQUEST_PSEUDO_HEADERS.has(name) &&
        this.#headers[name] === undefined
      );
    }
    this.#hasRegular = true;
    if (!isName(name) || CONNECTION_HEADERS.has(name)) return false;
    return name !== 'te' || value === 'trailers';
  }
}

function isName(name: string): boolean {
  for (let at = 0; at < name.length; at += 1) {
    if (NAME_CHARACTERS[name.charCodeAt(at)] !== 1) return false;
  }
  return name.length > 0;
}
