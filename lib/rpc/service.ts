/** A method is written once, as a function of (request, call); the doors mount what `implement` makes of it. */
import type {
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  Message,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import type { Call } from './call.js';
import type { CallError } from './errors.js';

/** The function that implements one method of a service. Responses are messages, or what `create` makes one of. */
export type MethodFunction<M> =
  M extends DescMethodUnary<infer I, infer O>
    ? (request: MessageShape<I>, call: Call) => Promise<MessageInitShape<O>>
    : M extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageShape<I>, call: Call) => AsyncIterable<MessageInitShape<O>>
      : M extends DescMethodBiDiStreaming<infer I, infer O>
        ? (
            requests: AsyncIterable<readonly (MessageShape<I> | CallError)[]>,
            call: Call,
          ) => AsyncIterable<readonly MessageInitShape<O>[]>
        : never;

/** One function for each method of the service, under the method's local name (`getBalance`). */
export type Implementation<S extends DescService> = {
  readonly [K in keyof S['method']]: MethodFunction<S['method'][K]>;
};

interface AnyMethod {
  readonly desc: DescMethod;
  /** `package.Service/Method`, as in Call.method. */
  readonly name: string;
}

/** A method that answers one message to one message, its types erased. */
export interface UnaryMethod extends AnyMethod {
  readonly kind: 'unary';
  readonly run: (request: Message, call: Call) => Promise<object>;
}

/** A method that answers a stream to one message, its types erased. */
export interface ServerStreamMethod extends AnyMethod {
  readonly kind: 'server_streaming';
  readonly run: (request: Message, call: Call) => AsyncIterable<object>;
}

/**
 * A method that answers a stream to a stream, its types erased. Messages that arrive together come together, and so may
 * answers be sent: to wait for each alone costs more than to decide a payment.
 */
export interface BidiMethod extends AnyMethod {
  readonly kind: 'bidi_streaming';
  /** A message that could not be decoded comes as the error that it is, in its place. */
  readonly run: (
    requests: AsyncIterable<readonly (Message | CallError)[]>,
    call: Call,
  ) => AsyncIterable<readonly object[]>;
}

/** A method as the doors see it. */
export type Method = UnaryMethod | ServerStreamMethod | BidiMethod;

/** A service as the doors see it. */
export interface Service {
  readonly desc: DescService;
  readonly methods: readonly Method[];
}

/**
 * Pairs a service's description with its functions, for the doors to mount.
 * @throws TypeError if a method has no function, or streams from the client only (the contracts have none of those).
 */
export function implement<S extends DescService>(desc: S, implementation: Implementation<S>): Service {
  return { desc, methods: desc.methods.map((method) => erase(method, implementation)) };
}

/** The one place that forgets types: Implementation<S> has proved them against the same description before. */
function erase(desc: DescMethod, implementation: object): Method {
  const found: unknown = Reflect.get(implementation, desc.localName);
  const name = `${desc.parent.typeName}/${desc.name}`;
  if (typeof found !== 'function') throw new TypeError(`${name} is not implemented`);
  const run: unknown = found.bind(implementation);
  switch (desc.methodKind) {
    case 'unary':
      return { kind: 'unary', desc, name, run: run as UnaryMethod['run'] };
    case 'server_streaming':
      return { kind: 'server_streaming', desc, name, run: run as ServerStreamMethod['run'] };
    case 'bidi_streaming':
      return { kind: 'bidi_streaming', desc, name, run: run as BidiMethod['run'] };
    case 'client_streaming':
      throw new TypeError(`${name} streams from the client only, which the doors do not offer`);
  }
}
