/** Opens both doors over the same services: what each process that serves does at the end of its composition. */
import type { Registry } from 'prom-client';
import { addressOf } from './address.js';
import { registerGauges } from '../observe/gauges.js';
import { CertificateFiles } from '../rpc/certificates.js';
import type { Tracer } from '../observe/tracing.js';
import { callMetrics } from '../rpc/call-metrics.js';
import { CallLimits } from '../rpc/call-limits.js';
import { type Chain, createChain, DEFAULT_CHAIN_LIMITS } from '../rpc/chain.js';
import type { Closeables } from '../base/closeables.js';
import { openConnectDoor } from '../rpc/connect/door.js';
import type { DoorsConfig } from '../base/doors-config.js';
import type { LimitsConfig } from '../base/limits-config.js';
import type { TlsConfig } from '../base/tls-config.js';
import { openGrpcDoor } from '../rpc/grpc/door.js';
import type { Guard } from '../rpc/guard.js';
import type { Health } from '../rpc/health.js';
import type { Log } from '../base/logging.js';
import { startError, type WantedPort } from './ports.js';
import { type SystemFacts, systemService } from './system-service.js';
import { addReflection } from '../rpc/reflection.js';
import type { Passage } from '../rpc/passage.js';
import type { Service } from '../rpc/service.js';
import type { Site } from '../rpc/connect/site.js';

/** What is behind the doors. */
export interface Behind {
  /** Without grpc.health.v1, which `health` brings, and without the SystemService. */
  readonly services: readonly Service[];
  readonly health: Health;
  /** What the process says of itself beside its doors. */
  readonly system: SystemFacts;
  readonly registry: Registry;
  readonly log: Log;
  /** Absent where traces are off. */
  readonly tracer?: Tracer | undefined;
  /** Sends calls on to another process; absent where all are answered here. */
  readonly passage?: Passage | undefined;
  /** Says who calls and what they may do; absent where callers are not authenticated. */
  readonly guard?: Guard | undefined;
  /** What the Connect door serves to browsers beside calls; absent: nothing. */
  readonly site?: Site | undefined;
  /** Gives what only this process does to another one, before its doors close. */
  readonly handOver?: (() => Promise<void>) | undefined;
}

/** Where a process is reached. */
export interface Addresses {
  /** host:port */
  readonly grpc: string;
  /** http://host:port */
  readonly connect: string;
  /** URL of the console; absent where it is off. */
  readonly console?: string;
}

/** Both doors, open. */
export interface OpenDoors {
  readonly addresses: Addresses;
  /** NOT_SERVING, no new calls; resolves when those under way have ended. */
  drain(): Promise<void>;
}

/** The ports that the doors will take. */
export function wantedPorts({ host, grpcPort, connectPort }: DoorsConfig): readonly [WantedPort, WantedPort] {
  return [
    { name: 'gRPC', host, port: grpcPort, variable: 'QUITTANCE_GRPC_PORT' },
    { name: 'Connect', host, port: connectPort, variable: 'QUITTANCE_CONNECT_PORT' },
  ];
}

/**
 * Binds and serves, validators warm.
 * @param releasePorts frees the ports that were held since the start; awaited right before the doors bind.
 * @throws StartError if a port is taken.
 */
export async function openDoors(
  config: DoorsConfig,
  behind: Behind,
  releasePorts: () => Promise<void>,
  closeables: Closeables,
): Promise<OpenDoors> {
  const { health, registry, log, guard, site, handOver } = behind;
  const reached: { addresses?: Addresses } = {};
  const own = [...behind.services, health.service];
  const services = [...own, systemService(config, behind.system, own, () => reached.addresses)];
  registerHealth(registry, health);
  const chain = openChain(config, behind);
  chain.warm(services);
  const certificates = await openCertificates(config.tls, log, registry, closeables);
  await releasePorts();
  const [grpcPort, connectPort] = wantedPorts(config);
  const { host } = config;
  const grpc = await openGrpcDoor({
    host,
    port: config.grpcPort,
    transport: config.grpcTransport,
    certificates,
    services,
    chain,
    mount: (server) => addReflection(server, services),
  }).catch((error: unknown) => {
    throw startError(grpcPort, error);
  });
  closeables.add('the gRPC door', () => grpc.close());
  const connect = await openConnectDoor({
    host,
    port: config.connectPort,
    certificates,
    services,
    chain,
    health,
    registry,
    guard,
    site,
    corsOrigins: config.corsOrigins,
    allowedHosts: config.allowedHosts,
    logger: log,
  }).catch((error: unknown) => {
    throw startError(connectPort, error);
  });
  closeables.add('the Connect door', () => connect.close());
  const url = `${config.tls === undefined ? 'http' : 'https'}://${addressOf(host, connect.port)}`;
  const ofDoors = { grpc: addressOf(host, grpc.port), connect: url };
  const addresses = site === undefined ? ofDoors : { ...ofDoors, console: `${url}${site.prefix}` };
  reached.addresses = addresses;
  return {
    addresses,
    drain: async () => {
      // Calls go on meanwhile, and reach the process that has taken over.
      await handOver?.();
      health.shutdown();
      await Promise.all([grpc.drain(), connect.drain()]);
    },
  };
}

function openChain({ limits }: DoorsConfig, { registry, log, tracer, passage, guard }: Behind): Chain {
  return createChain({
    logger: log,
    metrics: callMetrics(registry),
    tracer,
    passage,
    guard,
    limits: openLimits(limits, registry),
    ...DEFAULT_CHAIN_LIMITS,
  });
}

/** Undefined where no limit is set: then calls are not counted by caller. */
function openLimits(config: LimitsConfig | undefined, registry: Registry): CallLimits | undefined {
  if (config === undefined || Object.values(config).every((limit) => limit === 0)) return undefined;
  return new CallLimits(config, registry);
}

async function openCertificates(
  tls: TlsConfig | undefined,
  log: Log,
  registry: Registry,
  closeables: Closeables,
): Promise<CertificateFiles | undefined> {
  if (tls === undefined) return undefined;
  const files = await CertificateFiles.open(tls, log);
  closeables.add('the watch over the certificate', () => files.stop());
  files.register(registry);
  return files;
}

function registerHealth(registry: Registry, health: Health): void {
  registerGauges(registry, {
    name: 'quittance_health_serving',
    help: 'Whether a service serves: 1 or 0. The process as a whole has the service "all".',
    labelNames: ['service'],
    samples: () =>
      health
        .all()
        .map(([service, isUp]) => [{ service: service === '' ? 'all' : service }, isUp ? 1 : 0] as const),
  });
}
