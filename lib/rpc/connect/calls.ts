/** The methods as connect-es serves them: Connect, gRPC and gRPC-Web from one handler each, which calls the chain. */
import {
  type DescMethod,
  type DescMethodBiDiStreaming,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type JsonWriteOptions,
  type Message,
} from '@bufbuild/protobuf';
import { createConnectRouter, createContextKey, type HandlerContext } from '@connectrpc/connect';
import type { UniversalHandler } from '@connectrpc/connect/protocol';
import { encodeMessage } from '../../base/codec/binary.js';
import type { CallOrigin, Chain, Decoded } from '../chain.js';
import { MESSAGE_MAX_BYTES, tooLarge } from '../decode.js';
import type { CallError } from '../errors.js';
import { toCallError } from '../errors.js';
import type { BidiMethod, Method, ServerStreamMethod, Service, UnaryMethod } from '../service.js';
import { untilAborted } from '../until-aborted.js';
import { connectError } from './connect-error.js';
import { fitsInJson, JSON_FIELDS } from './json-size.js';
import { ACCEPTED_COMPRESSION } from './requests.js';

/** What the door knows of one call while connect-es encodes its answers. */
export interface Arrival {
  readonly origin: CallOrigin;
  readonly isJson: boolean;
  /** The message of a call that takes one. */
  only(): Promise<Decoded>;
  /** The messages of a call that streams both ways. */
  all(): AsyncIterable<Decoded>;
}

/** Where the handlers find the arrival of their call. */
export const arrivalKey = createContextKey<Arrival | undefined>(undefined);

/** The handler of one method. */
export interface Route {
  readonly method: Method;
  readonly handler: UniversalHandler;
}

/** Runs each step of a call: for tests of the protocols, which set headers, trailers and errors of their own. */
export type Around = <T>(context: HandlerContext, step: () => Promise<T>) => Promise<T>;

const asItIs: Around = (_context, step) => step();

export interface RouteOptions {
  readonly services: readonly Service[];
  readonly chain: Chain;
  /** Aborts, with a CallError, when the server shuts down. */
  readonly leaving: AbortSignal;
  readonly around?: Around;
}

/** The encoder of text is the one place where the size of an answer is known before it is sent. */
const WRITE_JSON: Partial<JsonWriteOptions> & { textEncoder: { encode(text: string): Uint8Array } } = {
  ...JSON_FIELDS,
  textEncoder: {
    encode: (text) => {
      const bytes = Buffer.from(text);
      if (bytes.length > MESSAGE_MAX_BYTES) throw connectError(tooLarge('the answer'));
      return bytes;
    },
  },
};

/** Whether the answer, in the encoding of the caller, is small enough to be sent. */
export function fits({ output }: DescMethod, isJson: boolean, answer: Message): boolean {
  return isJson ? fitsInJson(output, answer) : encodeMessage(output, answer).length <= MESSAGE_MAX_BYTES;
}

/** The handlers of all methods, by path. */
export function routesOf({ services, chain, leaving, around = asItIs }: RouteOptions): Map<string, Route> {
  const router = createConnectRouter({
    acceptCompression: [...ACCEPTED_COMPRESSION],
    jsonOptions: WRITE_JSON,
  });
  const routes = new Map<string, Route>();
  for (const method of services.flatMap(({ methods }) => methods)) {
    const { desc } = method;
    if (method.kind === 'unary' && isUnary(desc)) {
      const answer = unary(method, chain);
      router.rpc(desc, (request, context) => around(context, () => answer(request, context)));
    } else if (method.kind === 'server_streaming' && isServerStreaming(desc)) {
      router.rpc(desc, stepped(serverStream(method, chain, leaving), around));
    } else if (method.kind === 'bidi_streaming' && isBidi(desc)) {
      router.rpc(desc, stepped(bidi(method, chain, leaving), around));
    }
    const handler = router.handlers.at(-1);
    if (handler?.method !== desc) throw new TypeError(`${method.name} is not of the kind that it says`);
    routes.set(handler.requestPath, { method, handler });
  }
  return routes;
}

function isUnary(desc: DescMethod): desc is DescMethodUnary {
  return desc.methodKind === 'unary';
}

function isServerStreaming(desc: DescMethod): desc is DescMethodServerStreaming {
  return desc.methodKind === 'server_streaming';
}

function isBidi(desc: DescMethod): desc is DescMethodBiDiStreaming {
  return desc.methodKind === 'bidi_streaming';
}

function arrivalOf({ values }: HandlerContext): Arrival {
  const arrival = values.get(arrivalKey);
  if (arrival === undefined) throw new Error('a call came by another way than the door');
  return arrival;
}

function unary(method: UnaryMethod, chain: Chain) {
  return async (_empty: Message, context: HandlerContext): Promise<Message> => {
    const { only, origin, isJson } = arrivalOf(context);
    try {
      return sendable(method, await chain.unary(method, await only(), origin), isJson);
    } catch (error) {
      throw connectError(toCallError(error));
    }
  };
}

function serverStream(method: ServerStreamMethod, chain: Chain, leaving: AbortSignal) {
  return (_empty: Message, context: HandlerContext): AsyncIterable<Message> => {
    const arrival = arrivalOf(context);
    const answers = async function* (): AsyncGenerator<Message> {
      yield* chain.serverStream(method, await arrival.only(), arrival.origin);
    };
    return sent(method, answers(), arrival, leaving);
  };
}

function bidi(method: BidiMethod, chain: Chain, leaving: AbortSignal) {
  return (_empty: AsyncIterable<Message>, context: HandlerContext): AsyncIterable<Message> => {
    const arrival = arrivalOf(context);
    const requests = untilAborted(oneEach(arrival.all()), leaving);
    const answers = oneByOne(chain.bidi(method, requests, arrival.origin));
    return sent(method, answers, arrival, leaving);
  };
}

/** connect-es gives and takes messages one by one. */
async function* oneEach<T>(messages: AsyncIterable<T>): AsyncGenerator<readonly T[]> {
  for await (const message of messages) yield [message];
}

async function* oneByOne<T>(groups: AsyncIterable<readonly T[]>): AsyncGenerator<T> {
  for await (const group of groups) yield* group;
}

/** A stream whose every step runs within `around`. */
function stepped<I>(run: (input: I, context: HandlerContext) => AsyncIterable<Message>, around: Around) {
  if (around === asItIs) return run;
  return (input: I, context: HandlerContext): AsyncIterable<Message> => {
    const answers = run(input, context)[Symbol.asyncIterator]();
    return {
      [Symbol.asyncIterator]: () => ({
        next: () => around(context, () => answers.next()),
        return: async () => {
          await answers.return?.();
          return { done: true, value: undefined };
        },
      }),
    };
  };
}

/** The answers of a stream on their way out; errors in our form. */
function sent(
  method: Method,
  answers: AsyncIterator<Message>,
  { isJson, origin: { signal } }: Arrival,
  leaving: AbortSignal,
): AsyncIterable<Message> {
  // connect-es waits for a reader to take more, and never learns that the reader has left instead.
  const abandon = () => {
    answers.return?.().catch(() => undefined);
  };
  const end = () => {
    signal.removeEventListener('abort', abandon);
  };
  if (signal.aborted) abandon();
  else signal.addEventListener('abort', abandon, { once: true });
  const next = async (): Promise<IteratorResult<Message>> => {
    try {
      const result = await answers.next();
      if (result.done !== true) return { done: false, value: sendable(method, result.value, isJson) };
      leaving.throwIfAborted();
      end();
      return result;
    } catch (error) {
      end();
      abandon();
      throw connectError(toCallError(leaving.aborted ? leaving.reason : error));
    }
  };
  return {
    [Symbol.asyncIterator]: () => ({
      next,
      return: async () => {
        end();
        await answers.return?.();
        return { done: true, value: undefined };
      },
    }),
  };
}

/** @throws CallError MESSAGE_TOO_LARGE. In JSON the encoder of text says so. */
function sendable({ desc }: Method, answer: Message, isJson: boolean): Message {
  if (!isJson && encodeMessage(desc.output, answer).length > MESSAGE_MAX_BYTES) throw tooLarge('the answer');
  return answer;
}

/** A call that failed before its messages were read. */
export function failedArrival(failure: CallError, origin: CallOrigin, isJson: boolean): Arrival {
  return {
    origin,
    isJson,
    only: () => Promise.resolve(failure),
    all: async function* () {
      yield failure;
    },
  };
}
