/** What grpc-js answers by itself, before or beside our handlers: in our form, counted and logged like all calls. */
import type http2 from 'node:http2';
import * as grpc from '@grpc/grpc-js';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { TIMER_MAX_MS } from '../../base/pause.js';
import type { Chain } from '../chain.js';
import { tooLarge, unsupportedEncoding, wrongMessageCount } from '../decode.js';
import { type CallError, fail, toCallError } from '../errors.js';
import { COMMANDS } from '../proto-key.js';
import type { Method, Service } from '../service.js';
import { Frames } from './frames.js';
import { DETAILS, statusOf } from './status.js';

/** What the chain may take longer than the library to answer at the deadline. */
const DEADLINE_GRACE_MS = 100;
/** What grpc-js decompresses. */
const KNOWN_ENCODINGS = ['gzip', 'deflate', 'identity'];

/** Explains the statuses that the library sends without us, and shows the chain calls that never reach their method. */
export function explainLibraryErrors({
  chain,
  services,
}: {
  readonly chain: Chain;
  readonly services: readonly Service[];
}): grpc.ServerInterceptor {
  const methods = new Map<string, Method>(
    services.flatMap((service) =>
      service.methods.map((method): [string, Method] => [`/${method.name}`, method]),
    ),
  );
  return ({ path }, call) => new ExplainedCall(chain, path, methods.get(path), call);
}

/**
 * A call of the library, and the listener between it and the method: the library's own interceptors are made of some twelve
 * objects per call.
 */
class ExplainedCall extends grpc.ServerInterceptingCall implements Listener {
  readonly #chain: Chain;
  readonly #path: string;
  readonly #method: Method | undefined;
  readonly #call: grpc.ServerInterceptingCallInterface;
  readonly #send: (status: PartialStatus) => void;
  #listener: Listener | undefined;
  /** A call that streams both ways reaches its method at once, all others with the end of their message. */
  #isSeen: boolean;
  #hasMessage = false;
  #held: Frames | undefined;
  #isAnswered = false;

  constructor(
    chain: Chain,
    path: string,
    method: Method | undefined,
    call: grpc.ServerInterceptingCallInterface,
  ) {
    super(call);
    this.#chain = chain;
    this.#path = path;
    this.#method = method;
    this.#call = call;
    this.#isSeen = method === undefined || method.kind === 'bidi_streaming';
    this.#send = call.sendStatus.bind(call);
    // The library sends its own statuses at the innermost call, which no interceptor's `sendStatus` sees.
    call.sendStatus = (status) => {
      this.#sendExplained(status);
    };
  }

  override start(listener: Listener): void {
    this.#listener = listener;
    this.#call.start(this);
  }

  /** Our answers have their prefix already. That of a unary call is held back for a moment: its status comes with it. */
  override sendMessage(message: unknown, callback: () => void): void {
    const { stream } = this;
    if (!(message instanceof Frames) || stream === undefined) {
      super.sendMessage(message, callback);
      return;
    }
    if (this.#method?.kind === 'unary') {
      this.#held = message;
      callback();
      if (this.#takeHeld() === undefined) return;
    }
    if (stream.destroyed || stream.closed) return;
    this.#call.sendMetadata(NO_METADATA);
    stream.write(message.bytes, (error) => {
      // A stream that fails says so when it closes.
      if (!error) callback();
    });
  }

  override sendStatus(status: PartialStatus): void {
    const held = this.#takeHeld();
    const { stream } = this;
    if (held === undefined || stream === undefined || status.code !== grpc.status.OK) {
      this.#call.sendStatus(status);
      return;
    }
    if (this.#isAnswered || stream.destroyed || stream.closed) return;
    this.#isAnswered = true;
    this.#call.sendMetadata(NO_METADATA);
    sendAtOnce(stream, held, status);
  }

  onReceiveMetadata(metadata: grpc.Metadata): void {
    this.#listener?.onReceiveMetadata(metadata);
  }

  onReceiveMessage(message: unknown): void {
    this.#hasMessage = true;
    this.#listener?.onReceiveMessage(message);
  }

  onReceiveHalfClose(): void {
    this.#isSeen ||= this.#hasMessage;
    this.#listener?.onReceiveHalfClose();
  }

  /** The library calls this at the end of every call. */
  onCancel(): void {
    if (!this.#isSeen) this.#record(fail(ErrorReason.CANCELLED, 'the caller has left'));
    this.#listener?.onCancel();
  }

  /** The HTTP/2 stream of the call; undefined if the library keeps it elsewhere: then it writes itself. */
  get stream(): http2.ServerHttp2Stream | undefined {
    const stream: unknown = Reflect.get(this.#call, 'stream');
    return isServerStream(stream) ? stream : undefined;
  }

  #takeHeld(): Frames | undefined {
    const held = this.#held;
    this.#held = undefined;
    return held;
  }

  #sendExplained(status: PartialStatus): void {
    if (this.#isAnswered) return;
    if (status.code === grpc.status.OK || (status.metadata?.get(DETAILS).length ?? 0) > 0) {
      this.#send(status);
      return;
    }
    const hasLeft = this.stream?.destroyed === true;
    const failure = libraryError(this.#path, hasLeft ? { code: grpc.status.CANCELLED } : status);
    if (!this.#isSeen) this.#record(failure);
    const { code, details, metadata } = statusOf(failure);
    const explained = { code, details, metadata };
    // The chain answers at the deadline too, and knows what became of the call. Sending after it has no effect.
    if (status.code !== grpc.status.DEADLINE_EXCEEDED) {
      this.#send(explained);
      return;
    }
    setTimeout(() => {
      if (!this.#isAnswered) this.#send(explained);
    }, DEADLINE_GRACE_MS);
  }

  #record(failure: CallError): void {
    if (this.#method === undefined) return;
    this.#isSeen = true;
    show(this.#chain, this.#method, failure);
  }
}

type Listener = Parameters<grpc.ServerInterceptingCallInterface['start']>[0];
type PartialStatus = Parameters<grpc.ServerInterceptingCallInterface['sendStatus']>[0];

const NO_METADATA = new grpc.Metadata();
const OK_TRAILERS = { 'grpc-status': grpc.status.OK, 'grpc-message': 'OK' };

/** One write for an answer and its end, where the library writes, is called back, ends, and is called back again. */
function sendAtOnce(stream: http2.ServerHttp2Stream, { bytes }: Frames, { metadata }: PartialStatus): void {
  if (metadata === null || metadata === undefined) {
    stream.on('wantTrailers', sendOk);
  } else {
    stream.on('wantTrailers', () => {
      stream.sendTrailers(Object.assign(metadata.toHttp2Headers(), OK_TRAILERS));
    });
  }
  stream.end(bytes);
}

function sendOk(this: http2.ServerHttp2Stream): void {
  this.sendTrailers(OK_TRAILERS);
}

/** A message that was broken off is no message to the library; whether its stream is gone tells. */
function isServerStream(stream: unknown): stream is http2.ServerHttp2Stream {
  return typeof stream === 'object' && stream !== null && 'respond' in stream && 'sendTrailers' in stream;
}

/** Shows the chain a call that never reaches its method, for its figures and its log. */
function show(chain: Chain, method: Method, failure: CallError): void {
  const origin = {
    deadline_ms: undefined,
    signal: new AbortController().signal,
    traceparent: undefined,
    fits: () => true,
  };
  const shown =
    method.kind === 'unary'
      ? chain.unary(method, failure, origin)
      : method.kind === 'server_streaming'
        ? chain.serverStream(method, failure, origin)[Symbol.asyncIterator]().next()
        : Promise.resolve();
  shown.catch(() => undefined);
}

/** `path` is empty for a method that is not here. */
function libraryError(
  path: string,
  { code, details }: { code: grpc.status; details?: string | null },
): CallError {
  switch (code) {
    case grpc.status.RESOURCE_EXHAUSTED:
      return tooLarge('the request');
    case grpc.status.CANCELLED:
      return fail(ErrorReason.CANCELLED, 'the caller has left');
    case grpc.status.DEADLINE_EXCEEDED:
      // DEADLINE_EXCEEDED says that nothing was changed, which only the chain can know of a command.
      return path.startsWith(`/${COMMANDS}`)
        ? fail(ErrorReason.OUTCOME_UNKNOWN, 'the deadline has passed; retry with the same request_id')
        : fail(ErrorReason.DEADLINE_EXCEEDED, 'the deadline has passed');
    case grpc.status.UNIMPLEMENTED:
      if (path === '') return fail(ErrorReason.UNKNOWN_METHOD, 'this server has no such method');
      return details?.includes('unsupported encoding') === true
        ? unsupportedEncoding(KNOWN_ENCODINGS)
        : wrongMessageCount(path.slice(1));
    default:
      return isCallersFault(details)
        ? fail(
            ErrorReason.MALFORMED_MESSAGE,
            'the message does not decompress, or grpc-timeout is no timeout',
          )
        : toCallError(new Error(`grpc-js: ${details ?? String(code)}`));
  }
}

/** The library says INTERNAL to these. */
function isCallersFault(details: string | null | undefined): boolean {
  return details === 'Failed to decompress message' || details?.startsWith('Invalid grpc-timeout') === true;
}

const UNITS_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};

/**
 * grpc-js keeps a deadline as an int32 of milliseconds, so that a month ends a call at once. A deadline beyond that is
 * taken from the call before the library reads it: none is later, and the chain has a limit of its own. The library's
 * table of HTTP/2 servers is the one way to see a call first; a test tells if an upgrade closes it.
 */
export function withoutEndlessTimeouts(server: grpc.Server): void {
  const servers: unknown = Reflect.get(server, 'http2Servers');
  if (!(servers instanceof Map)) return;
  for (const each of servers.keys()) {
    (each as http2.Http2Server).prependListener(
      'stream',
      (_stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => {
        const timeout = headers['grpc-timeout'];
        const [, amount, unit] = (typeof timeout === 'string' && /^(\d{1,8})([HMSmun])$/.exec(timeout)) || [];
        if (unit !== undefined && Number(amount) * (UNITS_MS[unit] ?? 0) > TIMER_MAX_MS) {
          delete headers['grpc-timeout'];
        }
      },
    );
  }
}
