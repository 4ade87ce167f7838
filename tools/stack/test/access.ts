/** How a test calls a distributed platform: by one address per protocol in front of all its services. */
import type { DescService } from '@bufbuild/protobuf';
import { type Client, createClient, type Transport } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import type pg from 'pg';
import { patientTransport } from '../../../test/patient-transport.js';
import type { ServiceSet } from '../service-set.js';
import { openGateway } from './gateway.js';

export interface Access {
  /** Of the log. */
  readonly database: { readonly config: pg.PoolConfig };
  /** `http://127.0.0.1:port` before the Connect doors of all services. */
  readonly connectUrl: string;
  /** `127.0.0.1:port` before the gRPC doors of all services. */
  readonly grpcAddress: string;
  /** Of the process that knows the health of a service. */
  healthAddress(service: string): string;
  /** A client over gRPC. Its unary calls wait for as long as a busy machine needs, unless they say how long. */
  grpc<S extends DescService>(service: S): Client<S>;
  /** The same over Connect, JSON. */
  connect<S extends DescService>(service: S): Client<S>;
}

export async function openAccess(
  { command, projectors, queries }: ServiceSet,
  database: Access['database'],
): Promise<Access & { close(): Promise<void> }> {
  const gateway = await openGateway({
    command: [command.addresses],
    projector: projectors.map(({ addresses }) => addresses),
    query: queries.map(({ addresses }) => addresses),
  });
  const transports: Record<'grpc' | 'connect', Transport> = {
    grpc: patientTransport(createGrpcTransport({ baseUrl: `http://${gateway.grpc}` })),
    connect: patientTransport(
      createConnectTransport({ baseUrl: gateway.connect, httpVersion: '1.1', useBinaryFormat: false }),
    ),
  };
  return {
    database,
    connectUrl: gateway.connect,
    grpcAddress: gateway.grpc,
    healthAddress: (service) => {
      const one = /^quittance\.(projection|ops)\./.test(service) ? projectors[0] : command;
      return (service.startsWith('quittance.query.') ? queries[0] : one)?.addresses.grpc ?? '';
    },
    grpc: (service) => createClient(service, transports.grpc),
    connect: (service) => createClient(service, transports.connect),
    close: () => gateway.close(),
  };
}
