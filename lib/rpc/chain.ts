/** What every call goes through, whichever door it came by: deadline, limits, validation, errors, metrics, log. */
import { setMaxListeners } from 'node:events';
import type { Message } from '@bufbuild/protobuf';
import type { Log } from '../base/logging.js';
import { TIMER_MAX_MS } from '../base/pause.js';
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import { admittedRequests } from './admitted-requests.js';
import type { Call } from './call.js';
import type { CallLimits } from './call-limits.js';
import { type CallMetrics, codeName } from './call-metrics.js';
import { checkedRequest } from './checked-request.js';
import { type CallError, fail, reasonName, toCallError } from './errors.js';
import type { Caller, Guard } from './guard.js';
import type { EncodedMessage, Passage, PassedCall } from './passage.js';
import { asMessage, passDecoded, passEncoded, streamDecoded, streamEncoded } from './passing.js';
import { COMMANDS } from './proto-key.js';
import type { BidiMethod, Method, ServerStreamMethod, Service, UnaryMethod } from './service.js';
import { type StreamLimits, StreamSlots } from './stream-slots.js';
import { traceIdOf } from './trace.js';
import { type Span, type SpanPoint, spanPointOf, type Tracer } from '../observe/tracing.js';
import { warmValidators } from './validation.js';
import { pacedRequests, runWithin, streamWithin } from './within-limits.js';

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
  /** The header of this name: asked for only where callers are authenticated. */
  authorization?(): string | undefined;
  /** Which connection the call came over; undefined if the door cannot tell. */
  readonly connection?: string | undefined;
  /** Whether another process has sent the call on to this one. */
  readonly isForwarded?: boolean;
  /** Whether the caller reads JSON. */
  readonly isJson?: boolean;
  /** Whether the door can send this answer in the encoding of the caller. */
  fits(answer: Message): boolean;
}

/** A request as the door decoded it, or why it could not. */
export type Decoded = Message | CallError;

/** Runs methods. All that leaves it by throwing is a CallError. */
export interface Chain {
  unary(method: UnaryMethod, request: Decoded, origin: CallOrigin): Promise<Message>;
  serverStream(method: ServerStreamMethod, request: Decoded, origin: CallOrigin): AsyncIterable<Message>;
  bidi(
    method: BidiMethod,
    requests: AsyncIterable<readonly Decoded[]>,
    origin: CallOrigin,
  ): AsyncIterable<readonly Message[]>;
  /** For doors that have requests as bytes; undefined where every call is answered here. */
  readonly passing: PassingChain | undefined;
  /** Compiles the validators of all requests: the first call would take 50 ms and more. */
  warm(services: readonly Service[]): void;
}

/** Runs methods that another process may answer: then their messages are not decoded here. */
export interface PassingChain {
  concerns(method: Method): boolean;
  unary(method: UnaryMethod, request: EncodedMessage, origin: CallOrigin): Promise<Message | EncodedMessage>;
  bidi(
    method: BidiMethod,
    requests: AsyncIterable<readonly Uint8Array[]>,
    origin: CallOrigin,
  ): AsyncIterable<readonly (Message | EncodedMessage)[]>;
}

export interface ChainOptions extends StreamLimits {
  readonly logger: Log;
  readonly metrics: CallMetrics;
  /** Absent where traces are off. */
  readonly tracer?: Tracer | undefined;
  /** A unary call that says no deadline has this long; one that says a later one, too. Milliseconds. */
  readonly unaryLimit_ms: number;
  /** Sends calls on to another process; absent where all are answered here. */
  readonly passage?: Passage | undefined;
  /** Says who calls and what they may do; absent where everybody may do everything. */
  readonly guard?: Guard | undefined;
  /** How much callers may ask for; absent where there are no limits. */
  readonly limits?: CallLimits | undefined;
}

export const DEFAULT_CHAIN_LIMITS = {
  unaryLimit_ms: 60_000,
  streamLimit: 1_000,
  streamsPerConnection: 250,
  streamsForOperations: 50,
};

export function createChain(options: ChainOptions): Chain {
  const slots = new StreamSlots(options);
  const { passage, limits } = options;
  return {
    unary: (method, request, origin) => {
      const answer = passageOf(passage, method);
      return unary(
        options,
        method,
        origin,
        answer === undefined
          ? (call) => runWithin(limits, method, checkedRequest(method, request, call), call)
          : (call) => passDecoded(answer, method, request, passedOf(call, origin, limits)),
        (response) => asMessage(method.desc.output, response),
      );
    },
    serverStream: (method, request, origin) =>
      streaming(
        { options, slots, method, origin },
        (call) => streamWithin(limits, method, checkedRequest(method, request, call), call),
        (response) => asMessage(method.desc.output, response),
      ),
    bidi: (method, requests, origin) => {
      const answer = passageOf(passage, method);
      return streaming(
        { options, slots, method, origin },
        answer === undefined
          ? // Each message answers for itself: the method checks it when its turn comes.
            (call) =>
              method.run(pacedRequests(limits, method, admittedRequests(method, requests, call), call), call)
          : (call) => streamDecoded(answer, method, requests, passedOf(call, origin, limits)),
        (responses) => responses.map((response) => asMessage(method.desc.output, response)),
      );
    },
    passing: passage === undefined ? undefined : passingOf(options, slots, passage),
    warm: (services) => {
      warmValidators(services.flatMap(({ methods }) => methods.map(({ desc }) => desc.input)));
    },
  };
}

function passageOf(passage: Passage | undefined, method: Method): Passage | undefined {
  return passage?.concerns(method) === true ? passage : undefined;
}

function passingOf(options: ChainOptions, slots: StreamSlots, passage: Passage): PassingChain {
  const asItIs = <T>(answer: T) => answer;
  return {
    concerns: (method) => passage.concerns(method),
    unary: (method, request, origin) =>
      unary(
        options,
        method,
        origin,
        (call) => passEncoded(passage, method, request, passedOf(call, origin, options.limits)),
        asItIs,
      ),
    bidi: (method, requests, origin) =>
      streaming(
        { options, slots, method, origin },
        (call) => streamEncoded(passage, method, requests, passedOf(call, origin, options.limits)),
        asItIs,
      ),
  };
}

function passedOf(call: Call, origin: CallOrigin, limits: CallLimits | undefined): PassedCall {
  const { isForwarded = false, isJson = false } = origin;
  return { call, isForwarded, isJson, authorization: call.caller && origin.authorization?.(), limits };
}

async function unary<R extends object, T>(
  options: ChainOptions,
  method: UnaryMethod,
  origin: CallOrigin,
  answer: (call: Call) => Promise<R>,
  finish: (response: R) => T,
): Promise<T> {
  const limit_ms = Date.now() + options.unaryLimit_ms;
  const started = options.metrics.begin(method.name);
  const running = begin(options, method, origin, limit_ms);
  try {
    if (options.guard !== undefined) await admit(options.guard, running.call, origin);
    const answering = answer(running.call);
    const response = await (isCommand(method) ? answering : whileWanted(answering, running.call));
    started.end('OK');
    return finish(response);
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

interface Streamed {
  readonly options: ChainOptions;
  readonly slots: StreamSlots;
  readonly method: Method;
  readonly origin: CallOrigin;
}

async function* streaming<R extends object, T>(
  { options, slots, method, origin }: Streamed,
  run: (call: Call) => AsyncIterable<R>,
  finish: (response: R) => T,
): AsyncGenerator<T> {
  const started = options.metrics.begin(method.name);
  const running = begin(options, method, origin, undefined);
  let leaveSlot: (() => void) | undefined;
  let stopListening: (() => void) | undefined;
  try {
    if (options.guard !== undefined) await admit(options.guard, running.call, origin);
    leaveSlot = slots.take(method.name, origin.connection);
    if (method.kind === 'server_streaming') stopListening = endWithCaller(running.call);
    for await (const response of run(running.call)) yield finish(response);
    started.end('OK');
  } catch (error) {
    throw failed(options, started, running.call, error);
  } finally {
    leaveSlot?.();
    stopListening?.();
    // A caller who leaves returns the generator: no error, and no end either.
    started.end('CANCELLED');
    running.end();
  }
}

/**
 * The call's context: its signal aborts at the deadline, at the server's own limit, and when the caller leaves. Only a
 * deadline that the caller set is shown to the method: what it waits for without one is for the method to say.
 */
function begin({ tracer }: ChainOptions, method: Method, origin: CallOrigin, limit_ms: number | undefined) {
  const due_ms = earlier(origin.deadline_ms, limit_ms);
  const deadline_ms = origin.deadline_ms === undefined ? undefined : due_ms;
  const call = new RunningCall(method.name, deadline_ms, origin, tracer);
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
      call.ownSpan?.end();
      if (onLeave === undefined) origin.signal.removeEventListener('abort', leave);
    },
  };
}

function earlier(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Math.min(one, other);
}

/** @throws CallError UNAUTHENTICATED */
async function admit(guard: Guard, call: RunningCall, origin: CallOrigin): Promise<void> {
  const caller = guard.identify(call, origin.authorization?.());
  call.caller = caller instanceof Promise ? await caller : caller;
}

/** A watch ends when the credentials of its caller do; a stream of commands answers what it has taken first. */
function endWithCaller(call: RunningCall): (() => void) | undefined {
  return call.caller?.onEnd((reason) => {
    call.abort(reason);
  });
}

/** Who calls where callers are not authenticated. */
const ANONYMOUS = 'anonymous';

/** A call under way. An AbortSignal costs more than a payment's decision, so it is made only for those who ask for it. */
class RunningCall implements Call {
  readonly traceId: string;
  readonly ownSpan: Span | undefined;
  caller: Caller | undefined;
  hasEnded = false;
  private controller: AbortController | undefined;
  private reason: CallError | undefined;
  private listeners: Set<(reason: CallError) => void> | undefined;

  constructor(
    readonly method: string,
    readonly deadline_ms: number | undefined,
    private readonly origin: CallOrigin,
    tracer: Tracer | undefined,
  ) {
    const { traceparent } = origin;
    this.traceId = traceIdOf(traceparent);
    // Its trace has the id that events and logs carry, also where no caller has begun it.
    this.ownSpan = tracer?.start({
      name: method,
      kind: 'server',
      parent: spanPointOf(traceparent),
      traceId: this.traceId,
      attributes: { 'rpc.method': method },
    });
  }

  get span(): SpanPoint | undefined {
    return this.ownSpan?.point;
  }

  get actor(): string {
    return this.caller?.actor ?? ANONYMOUS;
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
  call: RunningCall,
  error: unknown,
): CallError {
  const failure = toCallError(error);
  const reason = reasonName(failure.reason);
  started.end(codeName(failure.code), reason);
  call.ownSpan?.failed(reason);
  const about = { method: call.method, trace_id: call.traceId, reason };
  if (failure.reason === ErrorReason.INTERNAL) {
    options.logger.error({ ...about, err: failure.cause }, 'a call failed by a defect');
  } else {
    options.logger.debug({ ...about, err: failure.cause }, 'a call was answered with an error');
  }
  return failure;
}
