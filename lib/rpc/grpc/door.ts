/** The door for backends: gRPC over HTTP/2 on grpc-js. It decodes, hands over to the chain, and encodes. */
import { setMaxListeners } from 'node:events';
import { type DescMessage, type Message } from '@bufbuild/protobuf';
import * as grpc from '@grpc/grpc-js';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import type { GrpcTransport } from '../../base/doors-config.js';
import { pause } from '../../base/pause.js';
import type { Certificates } from '../certificates.js';
import type { CallOrigin, Chain, Decoded } from '../chain.js';
import { fitsInJson } from '../connect/json-size.js';
import { decodeBinary, MESSAGE_MAX_BYTES, tooLarge } from '../decode.js';
import type { Door } from '../door.js';
import { type CallError, fail, toCallError } from '../errors.js';
import { EncodedMessage, FORWARDED, FORWARDED_JSON } from '../passage.js';
import type { BidiMethod, Method, ServerStreamMethod, Service, UnaryMethod } from '../service.js';
import { untilAborted } from '../until-aborted.js';
import { arrivals } from './arrivals.js';
import { frameAround, frameOf, Frames, PREFIX_BYTES } from './frames.js';
import { serverCredentials } from './credentials.js';
import { explainLibraryErrors, withoutEndlessTimeouts } from './library-errors.js';
import { useOwnHttp2 } from './http2/transport.js';
import { statusOf } from './status.js';

/** What the library itself accepts: beyond our own limit, so that it is we who refuse and say why. */
const LIBRARY_MAX_BYTES = 4 * MESSAGE_MAX_BYTES;
/** How long a drain waits for the last answers to be sent to peers that keep their connection. */
const FAREWELL_MS = 250;

export interface GrpcDoorOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** What carries HTTP/2; undefined: our own. */
  readonly transport?: GrpcTransport | undefined;
  /** Undefined: without TLS. */
  readonly certificates?: Certificates | undefined;
  readonly services: readonly Service[];
  readonly chain: Chain;
  /** Around each call: for tests of the protocol. */
  readonly interceptors?: readonly grpc.ServerInterceptor[];
  /** Mounts what is no Service of ours: reflection. */
  readonly mount?: (server: grpc.Server) => void;
}

/** Binds and serves. @throws Error if the port is taken */
export async function openGrpcDoor(options: GrpcDoorOptions): Promise<Door> {
  const server = new grpc.Server({
    'grpc.max_receive_message_length': LIBRARY_MAX_BYTES,
    'grpc.max_send_message_length': -1,
    // Bookkeeping for a debugging service that we do not offer: it costs every message.
    'grpc.enable_channelz': 0,
    'grpc.keepalive_time_ms': 60_000,
    'grpc.keepalive_timeout_ms': 20_000,
    interceptors: [explainLibraryErrors(options), ...(options.interceptors ?? [])],
  });
  const leaving = new AbortController();
  const calls = new OpenCalls();
  // Every open stream listens: more than ten is no leak.
  setMaxListeners(0, leaving.signal);
  for (const { methods } of options.services) {
    for (const method of methods)
      addMethod(server, method, { chain: options.chain, leaving: leaving.signal, calls });
  }
  options.mount?.(server);
  answerUnknownMethods(server);
  const port = await bind(server, options);
  withoutEndlessTimeouts(server);
  if (options.transport !== 'node') useOwnHttp2(server, Date.now);
  return {
    port,
    drain: () => {
      // Streams may stay open for ever: theirs end now, so that unary calls alone are waited for.
      leaving.abort(fail(ErrorReason.NOT_SERVING, 'the server is shutting down; go on elsewhere'));
      const closed = new Promise<void>((resolve) => {
        server.tryShutdown(() => {
          resolve();
        });
      });
      // Peers that keep their connection open without a call are not waited for; last answers have a moment to be sent.
      return Promise.race([closed, calls.ended().then(() => pause(FAREWELL_MS))]);
    },
    close: () => {
      server.forceShutdown();
      return Promise.resolve();
    },
  };
}

/** What the handlers of all methods share. */
interface Mount {
  readonly chain: Chain;
  /** Aborts, with a CallError, when the server shuts down. */
  readonly leaving: AbortSignal;
  readonly calls: OpenCalls;
}

/** How many calls are under way, and when there are none. */
class OpenCalls {
  private open = 0;
  private waiting: (() => void)[] = [];

  begin(): void {
    this.open += 1;
  }

  end(): void {
    this.open -= 1;
    if (this.open > 0) return;
    for (const resume of this.waiting.splice(0)) resume();
  }

  async during(call: Promise<void>): Promise<void> {
    this.begin();
    try {
      await call;
    } finally {
      this.end();
    }
  }

  ended(): Promise<void> {
    return this.open === 0 ? Promise.resolve() : new Promise((resolve) => this.waiting.push(resolve));
  }
}

function bind(server: grpc.Server, { host, port, certificates }: GrpcDoorOptions): Promise<number> {
  const address = `${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
  return new Promise((resolve, reject) => {
    server.bindAsync(address, serverCredentials(certificates), (error, bound) => {
      if (error === null) resolve(bound);
      // The library has no code for what is nearly always a port that is taken.
      else reject(Object.assign(error, { code: 'EADDRINUSE' }));
    });
  });
}

function addMethod(server: grpc.Server, method: Method, mount: Mount): void {
  const definition = {
    path: `/${method.name}`,
    requestStream: method.kind === 'bidi_streaming',
    responseStream: method.kind !== 'unary',
    requestSerialize: unused,
    requestDeserialize:
      mount.chain.passing?.concerns(method) === true
        ? asItIs
        : (bytes: Buffer) => decodeBinary(method.desc.input, bytes),
    // Encoded before the library has it: what fails in its serializer it answers by itself, without our details.
    responseSerialize: unused,
    responseDeserialize: unused,
  };
  server.addService({ [method.desc.name]: definition }, { [method.desc.name]: handlerOf(method, mount) });
}

function handlerOf(method: Method, mount: Mount): grpc.UntypedHandleCall {
  const { chain } = mount;
  const passing = chain.passing?.concerns(method) === true ? chain.passing : undefined;
  switch (method.kind) {
    case 'unary':
      return passing === undefined
        ? (call: grpc.ServerUnaryCall<Decoded, Frames>, callback: grpc.sendUnaryData<Frames>) => {
            runUnary(method, mount, call, callback, (origin) => chain.unary(method, call.request, origin));
          }
        : (call: grpc.ServerUnaryCall<Uint8Array, Frames>, callback: grpc.sendUnaryData<Frames>) => {
            const request = new EncodedMessage(call.request);
            runUnary(method, mount, call, callback, (origin) => passing.unary(method, request, origin));
          };
    case 'server_streaming':
      return (call: grpc.ServerWritableStream<Decoded, Frames>) => {
        void mount.calls.during(runServerStream(method, mount, call));
      };
    case 'bidi_streaming':
      return passing === undefined
        ? (call: grpc.ServerDuplexStream<Decoded, Frames>) => {
            const run = (requests: AsyncIterable<readonly Decoded[]>, origin: CallOrigin) =>
              chain.bidi(method, requests, origin);
            void mount.calls.during(runBidi(method, mount, call, run));
          }
        : (call: grpc.ServerDuplexStream<Uint8Array, Frames>) => {
            const run = (requests: AsyncIterable<readonly Uint8Array[]>, origin: CallOrigin) =>
              passing.bidi(method, requests, origin);
            void mount.calls.during(runBidi(method, mount, call, run));
          };
  }
}

function runUnary(
  method: UnaryMethod,
  { leaving, calls }: Mount,
  call: AnyCall,
  callback: grpc.sendUnaryData<Frames>,
  run: (origin: CallOrigin) => Promise<Message | EncodedMessage>,
): void {
  if (leaving.aborted) {
    callback(statusOf(leaving.reason));
    return;
  }
  calls.begin();
  const answers = new AnswerEncoder(method.desc.output);
  const encoded = run(originOf(call, answers)).then((response) => answers.encode(response));
  encoded.then(
    (bytes) => {
      callback(null, bytes);
      calls.end();
    },
    (error: unknown) => {
      callback(statusOf(error));
      calls.end();
    },
  );
}

async function runServerStream(
  method: ServerStreamMethod,
  { chain, leaving }: Mount,
  call: grpc.ServerWritableStream<Decoded, Frames>,
): Promise<void> {
  // A caller may begin before the shutdown and send its message after: its watch would never learn that it has to end.
  if (leaving.aborted) {
    call.emit('error', statusOf(leaving.reason));
    return;
  }
  const answers = new AnswerEncoder(method.desc.output);
  const { deadline_ms, traceparent, connection, authorization, fits } = originOf(call, answers);
  // A watch ends when its caller leaves, and when the server does.
  const caller = new AbortController();
  const leave = () => {
    caller.abort(null);
  };
  call.on('cancelled', leave);
  leaving.addEventListener('abort', leave, { once: true });
  const origin = { deadline_ms, traceparent, connection, authorization, signal: caller.signal, fits };
  const responses = oneEach(chain.serverStream(method, call.request, origin));
  await send(call, answers, responses, origin, leaving);
  leaving.removeEventListener('abort', leave);
}

async function runBidi<R>(
  method: BidiMethod,
  { leaving }: Mount,
  call: grpc.ServerDuplexStream<R, Frames>,
  run: (
    requests: AsyncIterable<readonly R[]>,
    origin: CallOrigin,
  ) => AsyncIterable<readonly (Message | EncodedMessage)[]>,
): Promise<void> {
  const answers = new AnswerEncoder(method.desc.output);
  const { deadline_ms, traceparent, connection, authorization, isForwarded, signal, fits } = originOf(
    call,
    answers,
  );
  const origin = { deadline_ms, traceparent, connection, authorization, isForwarded, signal, fits };
  const requests = untilAborted(arrivals<R>(call), leaving);
  await send(call, answers, run(requests, origin), origin, leaving);
}

async function* oneEach<T>(responses: AsyncIterable<T>): AsyncGenerator<readonly T[]> {
  for await (const response of responses) yield [response];
}

type Sending<R> = grpc.ServerWritableStream<R, Frames> | grpc.ServerDuplexStream<R, Frames>;

/** Sends as fast as the reader takes. */
async function send<R>(
  call: Sending<R>,
  answers: AnswerEncoder,
  responses: AsyncIterable<readonly (Message | EncodedMessage)[]>,
  { signal }: CallOrigin,
  leaving: AbortSignal,
): Promise<void> {
  try {
    for await (const together of responses) {
      const { frames, failure } = answers.encodeAll(together);
      if (frames !== undefined && !call.write(frames)) await writable(call, signal);
      if (signal.aborted) break;
      if (failure !== undefined) throw failure;
    }
    if (leaving.aborted) throw leaving.reason;
    call.end();
  } catch (error) {
    if (!call.cancelled) call.emit('error', statusOf(leaving.aborted ? leaving.reason : error));
  }
}

function writable<R>(call: Sending<R>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      call.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    if (signal.aborted) {
      resolve();
      return;
    }
    call.on('drain', done);
    signal.addEventListener('abort', done, { once: true });
  });
}

/** What all kinds of calls of grpc-js have. */
interface AnyCall {
  readonly metadata: grpc.Metadata;
  getPeer(): string;
  getDeadline(): grpc.Deadline;
  on(event: 'cancelled', listener: () => void): unknown;
}

function originOf(
  call: AnyCall,
  answers: AnswerEncoder,
): CallOrigin & {
  readonly isForwarded: boolean;
  readonly authorization: () => string | undefined;
  readonly onLeave: (listener: () => void) => void;
} {
  const deadline = call.getDeadline();
  const deadline_ms = typeof deadline === 'number' ? deadline : deadline.getTime();
  const traceparent = call.metadata.get('traceparent')[0];
  const forwarded = call.metadata.get(FORWARDED)[0];
  if (forwarded === FORWARDED_JSON) answers.fitInJson();
  return {
    isForwarded: forwarded !== undefined,
    connection: call.getPeer(),
    deadline_ms: Number.isFinite(deadline_ms) ? deadline_ms : undefined,
    traceparent: typeof traceparent === 'string' ? traceparent : undefined,
    authorization: () => {
      const [given] = call.metadata.get('authorization');
      return typeof given === 'string' ? given : undefined;
    },
    fits: (answer) => answers.fits(answer),
    onLeave: (listener) => {
      call.on('cancelled', listener);
    },
    get signal() {
      const caller = new AbortController();
      call.on('cancelled', () => {
        // With a reason: without one Node makes a DOMException, stack and all.
        caller.abort(null);
      });
      return caller.signal;
    },
  };
}

/**
 * The library answers unknown methods by itself, before its interceptors. Its table of handlers is the one way to answer them
 * in our form; a test tells if an upgrade closes it.
 */
function answerUnknownMethods(server: grpc.Server): void {
  const handlers: unknown = Reflect.get(server, 'handlers');
  if (!(handlers instanceof Map)) return;
  const known = handlers.get.bind(handlers);
  const unknown = {
    type: 'unary',
    path: '',
    serialize: unused,
    deserialize: () => undefined,
    func: (_call: unknown, callback: grpc.sendUnaryData<Message>) => {
      callback(statusOf(fail(ErrorReason.UNKNOWN_METHOD, 'this server has no such method')));
    },
  };
  handlers.get = (path: unknown): unknown => known(path) ?? unknown;
}

/** Encodes the answers of one call. An answer whose size was asked for is not encoded again. */
class AnswerEncoder {
  #measured: { readonly answer: Message; readonly frame: Buffer } | undefined;
  #isJson = false;

  constructor(private readonly schema: DescMessage) {}

  /** The caller reads JSON: another process has sent the call on, and turns the answer into that. */
  fitInJson(): void {
    this.#isJson = true;
  }

  fits(answer: Message): boolean {
    if (this.#isJson && !fitsInJson(this.schema, answer)) return false;
    const frame = frameOf(this.schema, answer);
    this.#measured = { answer, frame };
    return frame.length - PREFIX_BYTES <= MESSAGE_MAX_BYTES;
  }

  /** @throws CallError MESSAGE_TOO_LARGE */
  encode(answer: Message | EncodedMessage): Frames {
    return new Frames(this.#frameOf(answer));
  }

  /** Answers that are sent together; where one cannot be sent, those before it, and why. */
  encodeAll(answers: readonly (Message | EncodedMessage)[]): {
    readonly frames: Frames | undefined;
    readonly failure: CallError | undefined;
  } {
    const frames: Buffer[] = [];
    let failure: CallError | undefined;
    try {
      for (const answer of answers) frames.push(this.#frameOf(answer));
    } catch (error) {
      failure = toCallError(error);
    }
    const [only] = frames;
    if (only === undefined) return { frames: undefined, failure };
    return { frames: new Frames(frames.length === 1 ? only : Buffer.concat(frames)), failure };
  }

  #frameOf(answer: Message | EncodedMessage): Buffer {
    const frame = this.#measuredFrame(answer) ?? this.#newFrame(answer);
    this.#measured = undefined;
    if (frame.length - PREFIX_BYTES > MESSAGE_MAX_BYTES) throw tooLarge('the answer');
    return frame;
  }

  #measuredFrame(answer: Message | EncodedMessage): Buffer | undefined {
    return this.#measured?.answer === answer ? this.#measured.frame : undefined;
  }

  #newFrame(answer: Message | EncodedMessage): Buffer {
    return answer instanceof EncodedMessage ? frameAround(answer.bytes) : frameOf(this.schema, answer);
  }
}

function asItIs(bytes: Buffer): Buffer {
  return bytes;
}

function unused(): never {
  throw new Error('only servers are made from this definition');
}
