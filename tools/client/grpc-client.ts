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
import {
  type ChannelCredentials,
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
} from '@grpc/grpc-js';

/** The limit of the server's own messages. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

export interface GrpcClient {
  /** One call. @throws grpc-js' ServiceError; `callErrorOf` reads it. */
  unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    deadline_ms?: number,
  ): Promise<MessageShape<O>>;
  /** A stream of answers; breaking out of the loop cancels the call, and so does the signal: the loop then throws CANCELLED. */
  serverStream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
    deadline_ms?: number,
    signal?: AbortSignal,
  ): AsyncIterable<MessageShape<O>>;
  /** A stream both ways, without a deadline: the caller has to watch its progress. */
  duplex<I extends DescMessage, O extends DescMessage>(
    method: DescMethodBiDiStreaming<I, O>,
  ): ClientDuplexStream<MessageShape<I>, MessageShape<O>>;
  /** Ends the connection. */
  close(): void;
}

/** How a server is known, and who calls. */
export interface GrpcAccess {
  /** Sent as bearer with every call. */
  readonly token?: string | undefined;
  readonly tls?: boolean;
  /** The certificates (PEM) by which the server is known; without them those that Node knows. */
  readonly ca?: Buffer | undefined;
}

/** Connects lazily to `host:port`; without TLS and credentials unless `access` says so. */
export function grpcClient(address: string, access: GrpcAccess = {}): GrpcClient {
  const client = new Client(address, channelOf(access), {
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
        client.makeUnaryRequest(
          path,
          encode,
          decode,
          message,
          metadataOf(access),
          options,
          (error, answer) => {
            if (error !== null) reject(error);
            else if (answer === undefined) reject(new Error(`${path} answered nothing`));
            else resolve(answer);
          },
        );
      }),
    serverStream: (method, request, deadline_ms = 60_000, signal) => {
      const { path, encode, decode } = wireOf(method);
      const options = { deadline: Date.now() + deadline_ms };
      const message = create(method.input, request);
      const stream = client.makeServerStreamRequest(
        path,
        encode,
        decode,
        message,
        metadataOf(access),
        options,
      );
      const cancel = () => stream.cancel();
      signal?.addEventListener('abort', cancel, { once: true });
      stream.once('close', () => signal?.removeEventListener('abort', cancel));
      return stream;
    },
    duplex: (method) => {
      const { path, encode, decode } = wireOf(method);
      return client.makeBidiStreamRequest(path, encode, decode, metadataOf(access));
    },
    close: () => client.close(),
  };
}

function channelOf({ tls, ca }: GrpcAccess): ChannelCredentials {
  return tls === true ? credentials.createSsl(ca ?? null) : credentials.createInsecure();
}

function metadataOf({ token }: GrpcAccess): Metadata {
  const metadata = new Metadata();
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
  return metadata;
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
