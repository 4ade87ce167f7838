/**
 * Another process of ours, to which calls are sent on as the bytes that came. Deadline, trace and the encoding of the caller go
 * with them; answers and errors come back as they are.
 */
import { randomBytes } from 'node:crypto';
import { fromBinary } from '@bufbuild/protobuf';
import * as grpc from '@grpc/grpc-js';
import { StatusSchema } from '../../../gen/google/rpc/status_pb.js';
import type { Call } from '../call.js';
import { type CallError, callErrorOf } from '../errors.js';
import { FORWARDED, FORWARDED_BINARY, FORWARDED_JSON, type PassedCall } from '../passage.js';
import { DETAILS } from './status.js';

/** The connection broke, or the process was given up: whether it has taken the call is not known. */
export class PeerLost extends Error {
  override readonly name = 'PeerLost';
}

const OPTIONS: grpc.ClientOptions = {
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  'grpc.enable_channelz': 0,
  'grpc.enable_http_proxy': 0,
  'grpc.enable_retries': 0,
  'grpc.use_local_subchannel_pool': 1,
  // A connection on which nothing comes any more must not hold calls: the process may be cut off.
  'grpc.keepalive_time_ms': 1_000,
  'grpc.keepalive_timeout_ms': 2_000,
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.min_reconnect_backoff_ms': 50,
  'grpc.max_reconnect_backoff_ms': 200,
};

export class GrpcPeer {
  readonly #client: grpc.Client;
  readonly #calls = new Set<grpc.Call>();

  /** @param address host:port */
  constructor(
    readonly address: string,
    credentials: grpc.ChannelCredentials,
  ) {
    this.#client = new grpc.Client(address, credentials, OPTIONS);
  }

  /** Resolves to whether the process is connected; a connection that is not there yet has this long to be made. */
  isReady(limit_ms: number): Promise<boolean> {
    if (this.#client.getChannel().getConnectivityState(true) === grpc.connectivityState.READY) {
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      this.#client.waitForReady(Date.now() + limit_ms, (error) => {
        resolve(error === undefined);
      });
    });
  }

  /** The answer, as the process has encoded it. @throws CallError as the process says; PeerLost */
  unary(passed: PassedCall, request: Uint8Array): Promise<Uint8Array> {
    const { call } = passed;
    return new Promise((resolve, reject) => {
      const sent = this.#client.makeUnaryRequest(
        `/${call.method}`,
        asBuffer,
        asItIs,
        request,
        metadataOf(passed),
        optionsOf(call),
        (error, answer) => {
          this.#calls.delete(sent);
          stopListening();
          if (error !== null) reject(failureOf(error));
          else if (answer === undefined) reject(new PeerLost('the process has sent no answer'));
          else resolve(answer);
        },
      );
      this.#calls.add(sent);
      const stopListening = call.onAbort(() => {
        sent.cancel();
      });
    });
  }

  /** The answers, as the process has encoded them. @throws CallError as the process says; PeerLost */
  async *stream(passed: PassedCall, requests: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const { call } = passed;
    const sent = this.#client.makeBidiStreamRequest(
      `/${call.method}`,
      asBuffer,
      asItIs,
      metadataOf(passed),
      optionsOf(call),
    );
    this.#calls.add(sent);
    const stopListening = call.onAbort(() => {
      sent.cancel();
    });
    // The stream itself reports what it fails by.
    sendAll(sent, requests).catch(() => {
      sent.cancel();
    });
    try {
      for await (const answer of sent) {
        if (answer instanceof Uint8Array) yield answer;
      }
    } catch (error) {
      throw isServiceError(error) ? failureOf(error) : error;
    } finally {
      this.#calls.delete(sent);
      stopListening();
      sent.cancel();
    }
  }

  /** Gives up what is under way. */
  abandon(): void {
    for (const call of this.#calls) call.cancel();
  }

  close(): void {
    this.abandon();
    this.#client.close();
  }
}

async function sendAll(
  sent: grpc.ClientDuplexStream<Uint8Array, Uint8Array>,
  requests: AsyncIterable<Uint8Array>,
): Promise<void> {
  for await (const request of requests) {
    if (sent.destroyed) return;
    if (!sent.write(request)) await writable(sent);
  }
  sent.end();
}

/** Resolves when more may be written, and at the end of the call. */
function writable(sent: grpc.ClientDuplexStream<Uint8Array, Uint8Array>): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const event of ['drain', 'close', 'error', 'end']) sent.off(event, done);
      resolve();
    };
    for (const event of ['drain', 'close', 'error', 'end']) sent.on(event, done);
  });
}

function metadataOf({ call, isJson, authorization }: PassedCall): grpc.Metadata {
  const metadata = new grpc.Metadata();
  if (authorization !== undefined) metadata.set('authorization', authorization);
  metadata.set(FORWARDED, isJson ? FORWARDED_JSON : FORWARDED_BINARY);
  metadata.set('traceparent', traceparentOf(call));
  return metadata;
}

/** A span of its own where the call has none: the header wants one. */
function traceparentOf({ traceId, span }: Call): string {
  return span === undefined ? `00-${traceId}-${spanId()}-00` : `00-${traceId}-${span.spanId}-01`;
}

function optionsOf({ deadline_ms }: Call): grpc.CallOptions {
  return deadline_ms === undefined ? {} : { deadline: deadline_ms };
}

/** Eight random bytes, of which one is not zero. */
function spanId(): string {
  const bytes = randomBytes(8);
  bytes[0] = (bytes[0] ?? 0) | 1;
  return bytes.toString('hex');
}

/** The error that the process has sent; PeerLost for one that the library made. */
function failureOf(error: grpc.ServiceError): CallError | PeerLost {
  const details = error.metadata.get(DETAILS)[0];
  const failure = details instanceof Uint8Array ? callErrorOf(fromBinary(StatusSchema, details)) : undefined;
  return failure ?? new PeerLost(error.message, { cause: error });
}

function isServiceError(error: unknown): error is grpc.ServiceError {
  return error instanceof Error && 'metadata' in error && error.metadata instanceof grpc.Metadata;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function asItIs(bytes: Buffer): Buffer {
  return bytes;
}
