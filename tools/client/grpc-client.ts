/** A small gRPC client over the generated descriptions, for the tools. */
import {
  create,
  type DescMessage,
  type DescMethodBiDiStreaming,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { Client, type ClientDuplexStream, credentials, Metadata } from '@grpc/grpc-js';

/** The limit of the server's own messages. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

export interface GrpcClient {
  /** One call. @throws grpc-js' ServiceError; `callErrorOf` reads it. */
  unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    deadline_ms?: number,
  ): Promise<MessageShape<O>>;
  /** A stream of answers; breaking out of the loop cancels the call. */
  serverStream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
    deadline_ms?: number,
  ): AsyncIterable<MessageShape<O>>;
  /** A stream both ways, without a deadline: the caller has to watch its progress. */
  duplex<I extends DescMessage, O extends DescMessage>(
    method: DescMethodBiDiStreaming<I, O>,
  ): ClientDuplexStream<MessageShape<I>, MessageShape<O>>;
  /** Ends the connection. */
  close(): void;
}

/** Connects lazily, without TLS, to `host:port`. */
export function grpcClient(address: string): GrpcClient {
  const client = new Client(address, credentials.createInsecure(), {
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    // A server that restarts is found again quickly.
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1000,
  });
  return {
    unary: (method, request, deadline_ms = 10_000) =>
      new Promise((resolve, reject) => {
        const { path, encode, decode } = wireOf(method);
        const options = { deadline: Date.now() + deadline_ms };
        const message = create(method.input, request);
        client.makeUnaryRequest(path, encode, decode, message, new Metadata(), options, (error, answer) => {
          if (error !== null) reject(error);
          else if (answer === undefined) reject(new Error(`${path} answered nothing`));
          else resolve(answer);
        });
      }),
    serverStream: (method, request, deadline_ms = 60_000) => {
      const { path, encode, decode } = wireOf(method);
      const options = { deadline: Date.now() + deadline_ms };
      const message = create(method.input, request);
      return client.makeServerStreamRequest(path, encode, decode, message, new Metadata(), options);
    },
    duplex: (method) => {
      const { path, encode, decode } = wireOf(method);
      return client.makeBidiStreamRequest(path, encode, decode, new Metadata());
    },
    close: () => client.close(),
  };
}

function wireOf<I extends DescMessage, O extends DescMessage>(method: {
  readonly input: I;
  readonly output: O;
  readonly name: string;
  readonly parent: { readonly typeName: string };
}) {
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    encode: (message: MessageShape<I>): Buffer => Buffer.from(toBinary(method.input, message)),
    decode: (bytes: Buffer): MessageShape<O> => fromBinary(method.output, bytes),
  };
}
