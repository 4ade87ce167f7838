/** The command service as a process of its own: it decides, and relays what it has decided to Kafka. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { AccountCommandService } from '../../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { ScheduleService } from '../../gen/quittance/command/v1/schedule_service_pb.js';
import { TransactionCommandService } from '../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { SystemMode } from '../../gen/quittance/ops/v1/system_service_pb.js';
import { openGuard } from '../../lib/auth/compose-guard.js';
import { composeWakeups } from '../../lib/log/compose-log.js';
import { reportLost } from '../../lib/log/epochs/postgres-epochs.js';
import { kafkaPublisher } from '../../lib/log/kafka-publisher.js';
import { recordedPartitions } from '../../lib/log/kafka-topic.js';
import { createPool, KEYED_PLANS } from '../../lib/log/postgres-client.js';
import { postgresLogReader } from '../../lib/log/postgres-log-reader.js';
import { migrateLog } from '../../lib/log/postgres-migrate.js';
import { postgresRelayCursor } from '../../lib/log/postgres-relay.js';
import type { Wakeups } from '../../lib/log/wakeups.js';
import type { SystemFacts } from '../../lib/process/system-service.js';
import { createHealth, type Health } from '../../lib/rpc/health.js';
import { keepHealth } from '../../lib/rpc/health-probe.js';
import { partitioner } from '../../lib/log/partition.js';
import type { TlsConfig } from '../../lib/base/tls-config.js';
import type { ComposedService, ServiceParts } from '../../lib/process/run-service.js';
import { systemClock } from '../../lib/base/time.js';
import { composeCommand, DEFAULT_LIMITS } from './compose.js';
import type { CommandConfig } from './config.js';
import { commandMetrics, leaseMetrics } from './metrics.js';
import { relayMetrics } from './relay/metrics.js';
import { Relay } from './relay/relay.js';
import { SHARD } from '../../lib/log/shard.js';
import { peerCredentials } from '../../lib/rpc/grpc/credentials.js';
import { GrpcPeer } from '../../lib/rpc/grpc/peer.js';
import { CommandPassage } from './standing/command-passage.js';
import type { Duty } from './standing/duties.js';
import { commandFacts, leaseFact, relayFact } from './system.js';

const COMMANDS = [
  LedgerCommandService,
  AccountCommandService,
  TransactionCommandService,
  ScheduleService,
].map(({ typeName }) => typeName);
/** The name under which grpc.health.v1 knows the relay. It does not keep commands from being taken. */
export const RELAY_HEALTH = 'quittance.relay';

type Parts = ServiceParts<CommandConfig>;

/** Migrates, catches up with the log, begins to decide and to relay. */
export async function composeCommandService(parts: Parts): Promise<ComposedService> {
  const { config, log, registry, tracer, closeables } = parts;
  const postgres = { connectionString: config.databaseUrl };
  const wakeups = composeWakeups(postgres, closeables);
  const health = createHealth(COMMANDS, [RELAY_HEALTH]);
  const relaying = await composeRelay(parts, postgres, wakeups, health);
  const { services, standing, context, measured } = await composeCommand(
    {
      postgres,
      clock: systemClock,
      wakeups,
      logger: log,
      tracer,
      shard: SHARD,
      limits: DEFAULT_LIMITS,
      address: config.address,
      duties: [relaying.duty],
      onHalt: () => {
        for (const service of COMMANDS) health.set(service, false);
      },
    },
    closeables,
  );
  if (standing === undefined) throw new Error('a command service has an address, and so a standing');
  commandMetrics(registry, measured);
  leaseMetrics(registry, standing);
  const { executor } = context;
  // A process without the lease takes commands too, as long as it knows where to send them.
  const probe = async () => executor.isServing || standing.place.at === 'peer';
  await keepHealth(health, [{ services: COMMANDS, probe }], closeables);
  const connect = await connector(config.tls);
  const passage = new CommandPassage({ standing, services: COMMANDS, connect });
  closeables.add('the connection to the holder of the lease', () => {
    passage.close();
  });
  const guard = await openGuard(config.auth, { postgres, log, registry }, closeables);
  const system: SystemFacts = {
    mode: SystemMode.DISTRIBUTED,
    process: 'command',
    ...commandFacts(measured),
    lease: () => leaseFact(standing),
    relay: () => relayFact(relaying.running()),
  };
  const handOver = async () => {
    await standing.handOver();
  };
  return { services, health, system, guard, passage, handOver };
}

/** How the holder of the lease is called: with what lies in the files when the process starts to call it. */
async function connector(tls: TlsConfig | undefined): Promise<(address: string) => GrpcPeer> {
  if (tls === undefined) {
    const plain = peerCredentials(undefined, undefined);
    return (address) => new GrpcPeer(address, plain);
  }
  const own = () => ({
    certificate: readFileSync(tls.certificatePath),
    key: readFileSync(tls.keyPath),
    clientCa: undefined,
  });
  const ca = tls.peerCaPath === undefined ? undefined : await readFile(tls.peerCaPath);
  return (address) => new GrpcPeer(address, peerCredentials(own(), ca));
}

/** The duty, and the relay that runs here, if one does. */
interface Relaying {
  readonly duty: Duty;
  running(): Relay | undefined;
}

/** The relay is a duty of the holder of the lease. Kafka itself is not asked: while it is away commands are taken all the same. */
async function composeRelay(
  { config, log, registry, tracer, closeables }: Parts,
  postgres: { readonly connectionString: string },
  wakeups: Wakeups,
  health: Health,
): Promise<Relaying> {
  const pool = createPool(postgres, { max: 3, name: 'quittance relay', options: KEYED_PLANS });
  closeables.add('the pool of the relay', () => pool.end());
  const { brokers, security, topic } = config.bus;
  await migrateLog(pool, systemClock());
  const partitions = await recordedPartitions(pool, topic);
  const metrics = relayMetrics(registry);
  // Where another process relays nothing is wrong here.
  health.set(RELAY_HEALTH, true);
  let running: Relay | undefined;
  const duty: Duty = {
    name: 'relay',
    begin: () => {
      const relay = new Relay({
        wakeups,
        partitions,
        partitionOf: partitioner(partitions),
        logger: log,
        tracer,
        topic,
        log: postgresLogReader(pool, wakeups, SHARD),
        cursor: postgresRelayCursor(pool, topic),
        reportLost: (point) => reportLost(pool, point),
        open: kafkaPublisher({ brokers, security, topic, shard: SHARD }),
        onHealth: (isUp) => {
          health.set(RELAY_HEALTH, isUp);
        },
        onSent: (messages, events) => metrics.sent(messages, events),
        onError: () => metrics.failed(),
      });
      metrics.watch(relay);
      running = relay;
      relay.start();
      return Promise.resolve(async () => {
        metrics.watch(undefined);
        running = undefined;
        await relay.stop();
        health.set(RELAY_HEALTH, true);
      });
    },
  };
  return { duty, running: () => running };
}
