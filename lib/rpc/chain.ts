/** What every call goes through, whichever door it came by: deadline, limits, validation, errors, metrics, log. */
import { setMaxListeners } from 'node:events';
import { create, type DescMessage, isMessage, type Message } from '@bufbuild/protobuf';
import type { Log } from '../base/logging.js';
import { TIMER_MAX_MS } from '../base/pause.js';
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import type { Call } from './call.js';
import { type CallMetrics, codeName } from './call-metrics.js';
import { CallError, fail, reasonName, toCallError } from './errors.js';
import { COMMANDS } from './proto-key.js';
import type { BidiMethod, Method, ServerStreamMethod, Service, UnaryMethod } from './service.js';
import { type StreamLimits, StreamSlots } from './stream-slots.js';
import { traceIdOf } from './trace.js';
import { checkMessage, warmValidators } from './validation.js';

/** Where a call comes from, as its door knows it. */
export interface CallOrigin {
  /** When the caller wants the answer, milliseconds since 1970; undefined: it did not say. */
  readonly deadline_ms: number | undefined;
  /** Aborts when the caller has left. */
  readonly signal: AbortSignal;
  /** The same without a signal, where the door has something cheaper. */
  onLeave?(listener: () => void): void;
  /** The W3C header, if there was one. */
  readonly traceparent: string | undefined;
  /** Which connection the call came over; undefined if the door cannot tell. */
  readonly connection?: string | undefined;
  /** Whether the door can send this answer in the encoding of the caller. */
  fits(answer: Message): boolean;
}

/** A request as the door decoded it, or why it could not. */
export type Decoded = Message | CallError;

/** Runs methods. All that leaves it by throwing is a CallError. */
export interface Chain {
  unary(method: UnaryMethod, request: Decoded, origin: CallOrigin): Promise<Message>;
  serverStream(method: ServerStreamMethod, request: Decoded, origin: CallOrigin): AsyncIterable<Message>;
  bidi(method: BidiMethod, requests: AsyncIterable<Decoded>, origin: CallOrigin): AsyncIterable<Message>;
  /** Compiles the validators of all requests: the first call would take 50 ms and more. */
  warm(services: readonly Service[]): void;
}

export interface ChainOptions extends StreamLimits {
  readonly logger: Log;
  readonly metrics: CallMetrics;
  /** A unary call that says no deadline has this long; one that says a later one, too. Milliseconds. */
  readonly unaryLimit_ms: number;
}

export const DEFAULT_CHAIN_LIMITS = {
  unaryLimit_ms: 60_000,
  streamLimit: 1_000,
  streamsPerConnection: 250,
  streamsForOperations: 50,
};

export function createChain(options: ChainOptions): Chain {
  const slots = new StreamSlots(options);
  return {
    unary: (method, request, origin) => unary(options, method, request, origin),
    serverStream: (method, request, origin) =>
      streaming(options, slots, method, origin, (call) => {
        check(method, request);
        return method.run(checked(request), call);
      }),
    bidi: (method, requests, origin) =>
      // Each message answers for itself: the method checks it when its turn comes.
      streaming(options, slots, method, origin, (call) => method.run(requests, call)),
    warm: (services) => {
      warmValidators(services.flatMap(({ methods }) => methods.map(({ desc }) => desc.input)));
    },
  };
}

async function unary(
  options: ChainOptions,
  method: UnaryMethod,
  request: Decoded,
  origin: CallOrigin,
): Promise<Message> {
  const limit_ms = Date.now() + options.unaryLimit_ms;
  const started = options.metrics.begin(method.name);
  const running = begin(method, origin, limit_ms);
  try {
    check(method, request);
    const answering = method.run(checked(request), running.call);
    const response = await (isCommand(method) ? answering : whileWanted(answering, running.call));
    started.end('OK');
    return asMessage(method.desc.output, response);
  } catch (error) {
    throw failed(options, started, running.call, error);
  } finally {
    running.end();
  }
}

/** The answer, or the reason why nobody waits for it any more: a query that hears no abort is left to itself. */
function whileWanted<T>(answering: Promise<T>, call: Call): Promise<T> {
  return new Promise((resolve, reject) => {
    call.onAbort(reject);
    answering.then(resolve, reject);
  });
}

/** Commands answer for themselves when they are given up: they alone know whether anything was changed. */
function isCommand({ desc }: Method): boolean {
  return desc.input.typeName.startsWith(COMMANDS);
}

async function* streaming(
  options: ChainOptions,
  slots: StreamSlots,
  method: Method,
  origin: CallOrigin,
  run: (call: Call) => AsyncIterable<object>,
): AsyncGenerator<Message> {
  const started = options.metrics.begin(method.name);
  const running = begin(method, origin, undefined);
  let leaveSlot: (() => void) | undefined;
  try {
    leaveSlot = slots.take(method.name, origin.connection);
    for await (const response of run(running.call)) yield asMessage(method.desc.output, response);
    started.end('OK');
  } catch (error) {
    throw failed(options, started, running.call, error);
  } finally {
    leaveSlot?.();
    // A caller who leaves returns the generator: no error, and no end either.
    started.end('CANCELLED');
    running.end();
  }
}

/** Queries ignore unknown fields; commands with them are refused, since a field dropped in silence moves money wrongly. */
function check(method: Method, request: Decoded): void {
  if (request instanceof CallError) throw request;
  checkMessage(method.desc.input, request);
}

function checked(request: Decoded): Message {
  if (request instanceof CallError) throw request;
  return request;
}

/**
 * The call's context: its signal aborts at the deadline, at the server's own limit, and when the caller leaves. Only a
 * deadline that the caller set is shown to the method: what it waits for without one is for the method to say.
 */
function begin(method: Method, origin: CallOrigin, limit_ms: number | undefined) {
  const due_ms = earlier(origin.deadline_ms, limit_ms);
  const deadline_ms = origin.deadline_ms === undefined ? undefined : due_ms;
  const call = new RunningCall(method.name, deadline_ms, origin);
  const leave = () => {
    // grpc-js calls back at the end of every call; an error costs its stack.
    if (call.hasEnded) return;
    call.abort(fail(ErrorReason.CANCELLED, 'the caller has left'));
  };
  const { onLeave } = origin;
  if (onLeave !== undefined) onLeave(leave);
  else if (origin.signal.aborted) leave();
  else origin.signal.addEventListener('abort', leave, { once: true });
  const timer =
    due_ms === undefined
      ? undefined
      : setTimeout(
          () => {
            call.abort(fail(ErrorReason.DEADLINE_EXCEEDED, 'the deadline has passed'));
          },
          Math.min(Math.max(0, due_ms - Date.now()), TIMER_MAX_MS),
        );
  return {
    call,
    end: () => {
      clearTimeout(timer);
      call.hasEnded = true;
      if (onLeave === undefined) origin.signal.removeEventListener('abort', leave);
    },
  };
}

function earlier(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Math.min(one, other);
}

/** A call under way. An AbortSignal costs more than a payment's decision, so it is made only for those who ask for it. */
class RunningCall implements Call {
  readonly actor = 'anonymous';
  readonly traceId: string;
  hasEnded = false;
  private controller: AbortController | undefined;
  private reason: CallError | undefined;
  private listeners: Set<(reason: CallError) => void> | undefined;

  constructor(
    readonly method: string,
    readonly deadline_ms: number | undefined,
    private readonly origin: CallOrigin,
  ) {
    this.traceId = traceIdOf(origin.traceparent);
  }

  fits(answer: Message): boolean {
    return this.origin.fits(answer);
  }

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      // A read that waits for twelve partitions listens twelve times: more than ten listeners are no leak.
      setMaxListeners(0, this.controller.signal);
      if (this.reason !== undefined) this.controller.abort(this.reason);
    }
    return this.controller.signal;
  }

  get aborted(): CallError | undefined {
    return this.reason;
  }

  onAbort(listener: (reason: CallError) => void): () => void {
    if (this.reason !== undefined) listener(this.reason);
    else (this.listeners ??= new Set()).add(listener);
    return () => this.listeners?.delete(listener);
  }

  abort(reason: CallError): void {
    if (this.reason !== undefined || this.hasEnded) return;
    this.reason = reason;
    this.controller?.abort(reason);
    for (const listener of this.listeners ?? []) listener(reason);
  }
}

function failed(
  options: ChainOptions,
  started: ReturnType<CallMetrics['begin']>,
  call: Call,
  error: unknown,
): CallError {
  const failure = toCallError(error);
  started.end(codeName(failure.code));
  const about = { method: call.method, trace_id: call.traceId, reason: reasonName(failure.reason) };
  if (failure.reason === ErrorReason.INTERNAL) {
    options.logger.error({ ...about, err: failure.cause }, 'a call failed by a defect');
  } else {
    options.logger.debug({ ...about, err: failure.cause }, 'a call was answered with an error');
  }
  return failure;
}

/** Methods may answer with what `create` makes a message of. */
function asMessage(schema: DescMessage, response: object): Message {
  return isMessage(response, schema) ? response : create(schema, { ...response });
}
