/** The projector as a process of its own, one of several: it keeps its share of every view up with Kafka. */
import { LedgerService } from '../../gen/quittance/ops/v1/ledger_service_pb.js';
import { ProjectionService } from '../../gen/quittance/ops/v1/projection_service_pb.js';
import { SystemMode } from '../../gen/quittance/ops/v1/system_service_pb.js';
import { WebhookService } from '../../gen/quittance/ops/v1/webhook_service_pb.js';
import { openGuard } from '../../lib/auth/compose-guard.js';
import { reportLost } from '../../lib/log/epochs/postgres-epochs.js';
import { kafkaBus } from '../../lib/log/kafka-bus.js';
import { checkTopic } from '../../lib/log/kafka-topic.js';
import { createPool, KEYED_PLANS, type Pool } from '../../lib/log/postgres-client.js';
import { listenForCommits } from '../../lib/log/postgres-listen.js';
import { postgresLogReader } from '../../lib/log/postgres-log-reader.js';
import { checkLogVersion } from '../../lib/log/postgres-migrate.js';
import type { LogReader } from '../../lib/log/reader.js';
import { sharedRecords } from '../../lib/log/shared-records.js';
import { Wakeups } from '../../lib/log/wakeups.js';
import type { Guard } from '../../lib/rpc/guard.js';
import { createHealth, type Health } from '../../lib/rpc/health.js';
import { HEALTH_INTERVAL_MS, probeHealth } from '../../lib/rpc/health-probe.js';
import { partitioner } from '../../lib/log/partition.js';
import type { ServiceParts } from '../../lib/process/run-service.js';
import { type SystemFacts, systemLogOf } from '../../lib/process/system-service.js';
import type { Service } from '../../lib/rpc/service.js';
import { composeViews, type Views } from '../../lib/views/compose-views.js';
import type { ViewId } from '../../lib/views/view.js';
import { composeProjector } from './compose.js';
import type { ProjectorConfig } from './config.js';
import { openPostgresControl } from './control/postgres-control.js';
import { healthServiceOf } from './health-name.js';
import { projectorMetrics } from './metrics.js';
import { viewFacts } from './system.js';
import { proofMetrics } from '../verifier/metrics.js';
import { ledgerService } from '../verifier/rpc/ledger-service.js';
import { postgresStateTables, postgresStoredLog } from '../verifier/log/postgres-stored-log.js';
import { composeWebhooks } from '../webhooks/compose.js';
import { SHARD } from '../../lib/log/shard.js';

const VIEWS: readonly ViewId[] = ['balances', 'history', 'reports'];
const OPERATIONS = [ProjectionService, LedgerService, WebhookService].map(({ typeName }) => typeName);

type Parts = ServiceParts<ProjectorConfig>;

interface Shared {
  readonly pool: Pool;
  readonly reader: LogReader;
  readonly wakeups: Wakeups;
  readonly partitions: number;
  partitionOf(ledgerId: string): number;
}

/**
 * Begins to keep the views; a store that is away is waited for.
 * @throws StartError if the topic is not as recorded.
 */
export async function composeProjectorService(parts: Parts): Promise<{
  readonly services: readonly Service[];
  readonly health: Health;
  readonly system: SystemFacts;
  readonly guard: Guard | undefined;
}> {
  const { config, log, registry, tracer, closeables } = parts;
  const shared = await openLog(parts);
  const { pool, reader, partitions } = shared;
  const partitionOf = (ledgerId: string) => shared.partitionOf(ledgerId);
  const { stores, databaseUrl } = config;
  const views = composeViews(
    { stores, databaseUrl, partitions, partitionOf, name: 'quittance projector', log },
    closeables,
  );
  // A projection that fails is told of, and its operators have to be let in to see why.
  const health = createHealth(OPERATIONS, VIEWS.map(healthServiceOf));
  const projector = composeProjector({
    log: reader,
    busOf: busesOf(parts, partitions, partitionOf),
    ...views,
    logger: log,
    tracer,
    mostDeadLetters: config.mostDeadLetters,
    control: await openPostgresControl(pool, VIEWS),
    // Which message of Kafka has an event is not known from the log.
    offsetAt: () => -1n,
    reportLost: (point) => reportLost(pool, point),
    onHealth: (service, serving) => {
      health.set(service, serving);
    },
  });
  projectorMetrics(registry, () => projector.figures());
  await projector.start();
  closeables.add('the projections', () => projector.stop());
  const probing = await probeHealth(
    health,
    [{ services: OPERATIONS, probe: async () => (await reader.head()).position >= 0n }],
    HEALTH_INTERVAL_MS,
  );
  closeables.add('the health probe', () => probing.stop());
  const postgres = { connectionString: databaseUrl };
  const { wakeups } = shared;
  const options = { networks: config.webhookNetworks };
  const webhooks = composeWebhooks({ postgres, registry, logger: log, wakeups, options }, closeables);
  const guard = await openGuard(config.auth, { postgres, log, registry }, closeables);
  const services = [...projector.services, verifier(parts, views, partitionOf), webhooks];
  const system: SystemFacts = {
    mode: SystemMode.DISTRIBUTED,
    process: 'projector',
    log: async () => systemLogOf(await reader.head()),
    ...viewFacts(projector.operations),
  };
  return { services, health, system, guard };
}

/** The log and the topic, which must be there. */
async function openLog({ config, closeables }: Parts): Promise<Shared> {
  const { databaseUrl, bus } = config;
  const postgres = { connectionString: databaseUrl };
  const pool = createPool(postgres, { max: 6, name: 'quittance projector', options: KEYED_PLANS });
  closeables.add('the pool of the log', () => pool.end());
  await checkLogVersion(pool);
  const partitions = await checkTopic({ ...bus, pool });
  const wakeups = new Wakeups();
  closeables.add('listening for commits', listenForCommits(postgres, () => wakeups.wake()).stop);
  return {
    pool,
    partitions,
    wakeups,
    partitionOf: partitioner(partitions),
    reader: postgresLogReader(pool, wakeups, SHARD),
  };
}

/**
 * One consumer group per topic and view: each view is as far as its own store lets it be. What they share is that an event is
 * decoded once.
 */
function busesOf(
  { config, log }: Parts,
  partitions: number,
  partitionOf: (ledgerId: string) => number,
): (view: ViewId) => ReturnType<typeof kafkaBus> {
  const { brokers, security, topic } = config.bus;
  const decode = sharedRecords(VIEWS.length);
  return (view) =>
    kafkaBus({
      brokers,
      security,
      topic,
      partitions,
      partitionOf,
      group: `${topic}.${view}`,
      logger: log,
      decode,
    });
}

function verifier(
  { config, registry, closeables }: Parts,
  views: Views,
  partitionOf: (ledgerId: string) => number,
): Service {
  const pool = createPool(
    { connectionString: config.databaseUrl },
    { max: 2, name: 'quittance verify', options: KEYED_PLANS },
  );
  closeables.add('the pool of verifications', () => pool.end());
  const serving = {
    balances: () => views.balances.current(),
    history: () => views.history.current(),
    reports: () => views.reports.current(),
  };
  const stored = postgresStoredLog(pool, SHARD);
  const deps = { stored, state: postgresStateTables(pool), views: serving, partitionOf };
  return ledgerService(deps, proofMetrics(registry, SHARD));
}
