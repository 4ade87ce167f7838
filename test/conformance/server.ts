/** The reference server that connectconformance starts: reads what is wanted, opens a door, says where it is. */
import { fromBinary, create, toBinary } from '@bufbuild/protobuf';
import { ConnectError, type HandlerContext } from '@connectrpc/connect';
import * as grpc from '@grpc/grpc-js';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { StatusSchema } from '../../gen/google/rpc/status_pb.js';
import { callMetrics } from '../../lib/rpc/call-metrics.js';
import { createChain, DEFAULT_CHAIN_LIMITS } from '../../lib/rpc/chain.js';
import { openConnectDoor } from '../../lib/rpc/connect/door.js';
import { openGrpcDoor } from '../../lib/rpc/grpc/door.js';
import { createHealth } from '../../lib/rpc/health.js';
import {
  ServerCompatRequestSchema,
  ServerCompatResponseSchema,
} from './gen/connectrpc/conformance/v1/server_compat_pb.js';
import { type Aside, aside, conformanceService } from './service.js';

const HEAD_BYTES = 4;
const HOST = '127.0.0.1';
const logger = pino({ enabled: false });
const registry = new Registry();
const chain = createChain({ logger, metrics: callMetrics(registry), ...DEFAULT_CHAIN_LIMITS });

const asides = new WeakMap<HandlerContext, Aside>();

/** Headers, trailers and errors of the suite at the Connect door. */
async function around<T>(context: HandlerContext, step: () => Promise<T>): Promise<T> {
  let store = asides.get(context);
  if (store === undefined) {
    const query = context.requestMethod === 'GET' ? [...new URL(context.url).searchParams] : [];
    store = {
      requestHeaders: [...context.requestHeader],
      query,
      headers: [],
      trailers: [],
      error: undefined,
    };
    asides.set(context, store);
  }
  const { trailers } = store;
  try {
    return await aside.run(store, step);
  } catch (error) {
    if (store.error === undefined) throw error;
    const { code, message, details } = store.error;
    const wanted = new ConnectError(message ?? '', code as number);
    wanted.details = details.map(({ typeUrl, value }) => ({
      type: typeUrl.slice(typeUrl.lastIndexOf('/') + 1),
      value: new Uint8Array(value),
    }));
    throw wanted;
  } finally {
    const isNew = store.trailers !== trailers;
    if (isNew) {
      for (const { name, value } of store.headers)
        for (const each of value) context.responseHeader.append(name, each);
      for (const { name, value } of store.trailers)
        for (const each of value) context.responseTrailer.append(name, each);
    }
  }
}

/** The same at the gRPC door. */
const interceptor: grpc.ServerInterceptor = (_definition, call) => {
  let store: Aside | undefined;
  let hasSentHeaders = false;
  const withHeaders = (metadata: grpc.Metadata) => {
    for (const { name, value } of store?.headers ?? []) for (const each of value) add(metadata, name, each);
    hasSentHeaders = true;
    return metadata;
  };
  const within = (step: () => void) => {
    if (store === undefined) step();
    else aside.run(store, step);
  };
  return new grpc.ServerInterceptingCall(call, {
    start: (next) => {
      next({
        onReceiveMetadata: (metadata, forward) => {
          const requestHeaders = Object.keys(metadata.getMap()).flatMap((name) =>
            metadata.get(name).map((value): [string, string] => [name, textOf(value)]),
          );
          store = { requestHeaders, query: [], headers: [], trailers: [], error: undefined };
          within(() => {
            forward(metadata);
          });
        },
        onReceiveMessage: (message, forward) => {
          within(() => {
            forward(message);
          });
        },
        onReceiveHalfClose: (forward) => {
          within(forward);
        },
      });
    },
    sendMetadata: (metadata, next) => {
      next(withHeaders(metadata));
    },
    sendStatus: (status, next) => {
      const error = store?.error;
      const metadata = error === undefined ? (status.metadata ?? new grpc.Metadata()) : new grpc.Metadata();
      for (const { name, value } of store?.trailers ?? [])
        for (const each of value) add(metadata, name, each);
      if (!hasSentHeaders && (store?.headers.length ?? 0) > 0)
        call.sendMetadata(withHeaders(new grpc.Metadata()));
      if (error === undefined) {
        next({ ...status, metadata });
        return;
      }
      const { code, message, details } = error;
      const packed = toBinary(StatusSchema, create(StatusSchema, { code, message: message ?? '', details }));
      metadata.set('grpc-status-details-bin', Buffer.from(packed));
      next({ code: code as number, details: message ?? '', metadata });
    },
  });
};

function add(metadata: grpc.Metadata, name: string, value: string): void {
  metadata.add(name, name.endsWith('-bin') ? Buffer.from(value, 'base64') : value);
}

function textOf(value: grpc.MetadataValue): string {
  return typeof value === 'string' ? value : value.toString('base64').replace(/=+$/, '');
}

async function wantedMessage() {
  let bytes = Buffer.alloc(0);
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    bytes = Buffer.concat([bytes, chunk]);
    if (bytes.length >= HEAD_BYTES && bytes.length >= HEAD_BYTES + bytes.readUInt32BE(0)) break;
  }
  return fromBinary(ServerCompatRequestSchema, bytes.subarray(HEAD_BYTES));
}

await wantedMessage();
const services = [conformanceService];
const address = { host: HOST, port: 0, services, chain };
const door =
  process.argv[2] === 'grpc'
    ? await openGrpcDoor({ ...address, interceptors: [interceptor] })
    : await openConnectDoor({
        ...address,
        around,
        logger,
        registry,
        health: createHealth([]),
        corsOrigins: [],
        allowedHosts: [],
      });
const answer = toBinary(
  ServerCompatResponseSchema,
  create(ServerCompatResponseSchema, { host: HOST, port: door.port }),
);
const head = Buffer.alloc(HEAD_BYTES);
head.writeUInt32BE(answer.length);
process.stdout.write(Buffer.concat([head, answer]));
// The suite ends the server with its input.
process.on('SIGTERM', () => {
  process.exit(0);
});
