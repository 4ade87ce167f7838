/** Posts to the URLs of webhooks over HTTP/1.1: only to addresses that are allowed, never further by a redirect, never for long. */
import type { LookupAddress, LookupOptions } from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { AddressRule } from './addresses.js';

/** What became of a request. */
export type Outcome = { readonly isDelivered: true } | ({ readonly isDelivered: false } & Refusal);

/** Why an event was not taken. */
export interface Refusal {
  /** For people; nothing of a body is in it. */
  readonly failure: string;
  /** The receiver wants no more: 410 Gone. */
  readonly isGone: boolean;
  /** How long the receiver wants to be left alone, milliseconds. */
  readonly retryAfter_ms: number;
}

export interface Post {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Sender {
  /** Posts once; never rejects. When the signal aborts the request is broken off. */
  post(post: Post, signal: AbortSignal): Promise<Outcome>;
  /** Closes the connections that wait for the next request. */
  close(): void;
}

/** Resolves a name to all its addresses, as dns.lookup does. */
export type LookUp = (
  name: string,
  options: LookupOptions & { readonly all: true },
  found: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export interface SenderOptions {
  readonly rule: AddressRule;
  /** From the first step to the last byte of the answer. */
  readonly timeout_ms: number;
  readonly lookUp: LookUp;
  /** Certificates of CAs in place of those that Node knows, PEM. */
  readonly ca?: Uint8Array | undefined;
}

/** A connection is kept for the next event of the same receiver; most servers close theirs after 5 s. */
const IDLE_MS = 4_000;
/** Of an answer nothing is needed but its status: a body is read up to here, so that the connection can be used again. */
const BODY_MAX_BYTES = 65_536;
const HEADERS_MAX_BYTES = 16_384;
const MS_PER_SECOND = 1_000;
const GONE = 410;

class NotAllowed extends Error {
  override readonly name = 'NotAllowed';
}
class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

export function httpSender({ rule, timeout_ms, lookUp, ca }: SenderOptions): Sender {
  const options = { keepAlive: true, timeout: IDLE_MS };
  const secured = ca === undefined ? options : { ...options, ca: Buffer.from(ca) };
  const agents = { 'http:': new http.Agent(options), 'https:': new https.Agent(secured) };
  const lookups = { 'http:': guarded(rule, false, lookUp), 'https:': guarded(rule, true, lookUp) };

  const open = (target: URL, { headers, body }: Post): http.ClientRequest => {
    const isEncrypted = target.protocol === 'https:';
    const protocol = isEncrypted ? 'https:' : 'http:';
    const host = target.hostname.replace(/^\[(.*)\]$/, '$1');
    // Only names are looked up.
    if (isIP(host) !== 0 && !rule.allows(host, isEncrypted)) throw new NotAllowed();
    return (isEncrypted ? https : http).request(target, {
      method: 'POST',
      headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
      agent: agents[protocol],
      lookup: lookups[protocol],
      maxHeaderSize: HEADERS_MAX_BYTES,
    });
  };

  const post = async (request: Post, signal: AbortSignal): Promise<Outcome> => {
    const first = await attempt(() => open(new URL(request.url), request), request.body, timeout_ms, signal);
    // The receiver had closed the connection before the request was on it.
    if (first !== 'connection was closed') return first;
    const second = await attempt(() => open(new URL(request.url), request), request.body, timeout_ms, signal);
    return second === 'connection was closed' ? failed('the connection broke') : second;
  };

  return {
    post,
    close: () => {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

/** Gives a connection the addresses that it may go to, and no other: so a name cannot change between a check and its use. */
function guarded(rule: AddressRule, isEncrypted: boolean, lookUp: LookUp): LookupFunction {
  return (name, options, found) => {
    lookUp(name, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        found(error, []);
        return;
      }
      const allowed = addresses.filter(({ address }) => rule.allows(address, isEncrypted));
      const [first] = allowed;
      if (first === undefined) found(new NotAllowed(), []);
      else if (options.all === true) found(null, allowed);
      else found(null, first.address, first.family);
    });
  };
}

function attempt(
  open: () => http.ClientRequest,
  body: string,
  timeout_ms: number,
  signal: AbortSignal,
): Promise<Outcome | 'connection was closed'> {
  return new Promise((resolve) => {
    let request: http.ClientRequest;
    try {
      signal.throwIfAborted();
      request = open();
    } catch (error) {
      resolve(failed(textOf(error)));
      return;
    }
    const limit = setTimeout(() => request.destroy(new NoAnswer()), timeout_ms);
    const interrupt = () => {
      request.destroy();
    };
    signal.addEventListener('abort', interrupt, { once: true });
    request.on('error', (error: NodeJS.ErrnoException) => {
      const wasClosed = request.reusedSocket && error.code === 'ECONNRESET' && !signal.aborted;
      resolve(wasClosed ? 'connection was closed' : failed(textOf(error)));
    });
    request.on('response', (response) => {
      resolve(outcomeOf(response));
      skipBody(request, response);
    });
    request.on('close', () => {
      clearTimeout(limit);
      signal.removeEventListener('abort', interrupt);
      resolve(failed('the connection broke'));
    });
    request.end(body);
  });
}

function skipBody(request: http.ClientRequest, response: http.IncomingMessage): void {
  let read_bytes = 0;
  response.on('error', () => undefined);
  response.on('data', (chunk: Buffer) => {
    read_bytes += chunk.length;
    if (read_bytes > BODY_MAX_BYTES) request.destroy();
  });
}

function outcomeOf({ statusCode = 0, headers }: http.IncomingMessage): Outcome {
  if (statusCode >= 200 && statusCode < 300) return { isDelivered: true };
  const isRedirect = statusCode >= 300 && statusCode < 400;
  return {
    isDelivered: false,
    failure: `HTTP ${String(statusCode)}${isRedirect ? ', and redirects are not followed' : ''}`,
    isGone: statusCode === GONE,
    retryAfter_ms: retryAfterOf(headers['retry-after']),
  };
}

/** Seconds; a date is not waited for. */
function retryAfterOf(header: string | undefined): number {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) * MS_PER_SECOND : 0;
}

function failed(failure: string): Outcome {
  return { isDelivered: false, failure, isGone: false, retryAfter_ms: 0 };
}

const TEXTS: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'connection refused'],
  ['ECONNRESET', 'the connection broke'],
  ['EPIPE', 'the connection broke'],
  ['ENOTFOUND', 'the name has no address'],
  ['EAI_AGAIN', 'the name cannot be resolved now'],
  ['EHOSTUNREACH', 'the host cannot be reached'],
  ['ENETUNREACH', 'the network cannot be reached'],
  ['ETIMEDOUT', 'no answer in time'],
  ['EPROTO', 'TLS: the handshake failed'],
  ['HPE_HEADER_OVERFLOW', 'the headers of the answer are too large'],
]);

/** The failure in plain words: what a library says of it may name our inside. */
function textOf(error: unknown): string {
  if (error instanceof NotAllowed) return 'the address is not allowed';
  if (error instanceof NoAnswer) return 'no answer in time';
  // No test of its class: within jest the errors of Node's own modules are of another realm.
  const found = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  const code = typeof found === 'string' ? found : '';
  const text = TEXTS.get(code);
  if (text !== undefined) return text;
  if (code.startsWith('HPE_')) return 'the answer is not HTTP';
  if (/^[A-Z_]*(CERT|TLS|SSL|ISSUER|SIGNATURE)[A-Z_]*$/.test(code)) return `TLS: ${code}`;
  return 'the request failed';
}
