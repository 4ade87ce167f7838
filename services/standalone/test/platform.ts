/** The whole platform as it is composed for the embedded default, on a test database, with clients on both doors. */
import { type Client, createClient, type Transport } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import type { DescService } from '@bufbuild/protobuf';
import { pino } from 'pino';
import type { DoorsConfig } from '../../../lib/base/doors-config.js';
import { patientTransport } from '../../../test/patient-transport.js';
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.js';
import { spawnProjector } from '../../../test/projector-thread.js';
import { composeStandalone, type Standalone, type StandaloneParts } from '../compose.js';

export interface TestPlatform {
  readonly standalone: Standalone;
  readonly database: TestDatabase;
  /** `http://127.0.0.1:port` of the Connect door. */
  readonly connectUrl: string;
  /** `127.0.0.1:port` of the gRPC door. */
  readonly grpcAddress: string;
  /** Of the process that knows the health of a service. */
  healthAddress(service: string): string;
  /** A client over gRPC. Its unary calls wait for as long as a busy machine needs, unless they say how long. */
  grpc<S extends DescService>(service: S): Client<S>;
  /** The same over Connect, JSON. */
  connect<S extends DescService>(service: S): Client<S>;
  stop(): Promise<void>;
}

export async function startPlatform({
  auth,
  console,
  consoleLogin,
  limits,
  tls,
  tracesTo,
  database: given,
  log = pino({ level: 'silent' }),
  prepare,
  ...options
}: Partial<
  Pick<StandaloneParts, 'readDeadline_ms' | 'spawnProjector' | 'dataDirectory' | 'log' | 'webhooks'>
> &
  Pick<DoorsConfig, 'auth' | 'console' | 'consoleLogin' | 'limits' | 'tls'> & {
    /** Where its log and its views lie; by default a new one. */
    readonly database?: TestDatabase;
    /** Runs before the platform starts. */
    readonly prepare?: (database: TestDatabase) => Promise<void>;
    /** Where all traces are sent. */
    readonly tracesTo?: string;
  } = {}): Promise<TestPlatform> {
  const database = given ?? (await createTestDatabase());
  await prepare?.(database);
  const sampling = { ratio: 1, isParentBased: true };
  const tracing =
    tracesTo === undefined ? undefined : { url: tracesTo, serviceName: undefined, sampling, delay_ms: 100 };
  const standalone = await composeStandalone({
    config: {
      host: '127.0.0.1',
      grpcPort: 0,
      connectPort: 0,
      logLevel: 'silent',
      warnings: [],
      corsOrigins: ['http://console.example'],
      allowedHosts: [],
      auth,
      console,
      consoleLogin,
      limits,
      tls,
      tracing,
    },
    postgres: database.config,
    log,
    releasePorts: () => Promise.resolve(),
    spawnProjector: () => spawnProjector(tracing),
    ...options,
  });
  const { grpc: grpcAddress, connect: connectUrl } = standalone.addresses;
  const transports: Record<'grpc' | 'connect', Transport> = {
    grpc: patientTransport(createGrpcTransport({ baseUrl: `http://${grpcAddress}` })),
    connect: patientTransport(
      createConnectTransport({ baseUrl: connectUrl, httpVersion: '1.1', useBinaryFormat: false }),
    ),
  };
  return {
    standalone,
    database,
    connectUrl,
    grpcAddress,
    healthAddress: () => grpcAddress,
    grpc: (service) => createClient(service, transports.grpc),
    connect: (service) => createClient(service, transports.connect),
    stop: async () => {
      await standalone.drain();
      await standalone.close();
      await database.drop();
    },
  };
}
