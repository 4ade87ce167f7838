/**
 * The platform as it is distributed, for the same end-to-end tests that the embedded one passes: jest.stack.config.mjs puts
 * this in the place of services/standalone/test/platform.ts.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DescService } from '@bufbuild/protobuf';
import { type Client, createClient, type Transport } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import type pg from 'pg';
import { type Stack, startStack, type StartOptions } from '../stack.js';
import { openGateway } from './gateway.js';

export interface TestPlatform {
  readonly stack: Stack;
  readonly database: { readonly config: pg.PoolConfig };
  /** `http://127.0.0.1:port` before the Connect doors of all services. */
  readonly connectUrl: string;
  /** `127.0.0.1:port` before the gRPC doors of all services. */
  readonly grpcAddress: string;
  /** Of the process that knows the health of a service. */
  healthAddress(service: string): string;
  /** A client over gRPC. */
  grpc<S extends DescService>(service: S): Client<S>;
  /** A client over Connect, JSON. */
  connect<S extends DescService>(service: S): Client<S>;
  stop(): Promise<void>;
}

/** Starts it in a directory of its own; `npm run test:stack` has installed the servers and built the services. */
export async function startPlatform(change: Partial<StartOptions> = {}): Promise<TestPlatform> {
  const directory = mkdtempSync(join(tmpdir(), 'quittance-e2e-'));
  const stack = await startStack({
    ...{ directory, projectors: 1, queries: 2, history: 'mongodb', offset: 0, fresh: false },
    ...{ freePorts: true, log: () => undefined },
    variables: { QUITTANCE_CORS_ORIGINS: 'http://console.example' },
    ...change,
  });
  const gateway = await openGateway({
    command: [stack.command.addresses],
    projector: stack.projectors.map(({ addresses }) => addresses),
    query: stack.queries.map(({ addresses }) => addresses),
  });
  const transports: Record<'grpc' | 'connect', Transport> = {
    grpc: createGrpcTransport({ baseUrl: `http://${gateway.grpc}` }),
    connect: createConnectTransport({
      ...{ baseUrl: gateway.connect, httpVersion: '1.1', useBinaryFormat: false },
    }),
  };
  return {
    stack,
    database: { config: { connectionString: stack.engines.postgres.url } },
    connectUrl: gateway.connect,
    grpcAddress: gateway.grpc,
    healthAddress: (service) => {
      const one = /^quittance\.(projection|ops)\./.test(service) ? stack.projectors[0] : stack.command;
      return (service.startsWith('quittance.query.') ? stack.queries[0] : one)?.addresses.grpc ?? '';
    },
    grpc: (service) => createClient(service, transports.grpc),
    connect: (service) => createClient(service, transports.connect),
    stop: async () => {
      await gateway.close();
      await stack.stop();
      rmSync(directory, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}
