/** The projector as a process of its own, one of several: it keeps its share of every view up with Kafka. */
import { LedgerService } from '../../gen/quittance/ops/v1/ledger_service_pb.js';
import { ProjectionService } from '../../gen/quittance/ops/v1/projection_service_pb.js';
import { SystemMode } from '../../gen/quittance/ops/v1/system_service_pb.js';
import { WebhookService } from '../../gen/quittance/ops/v1/webhook_service_pb.js';
import { openGuard } from '../../lib/auth/compose-guard.js';
import { composeLog, logAnswers, type OpenLog } from '../../lib/log/compose-log.js';
import { reportLost } from '../../lib/log/epochs/postgres-epochs.js';
import { kafkaBus } from '../../lib/log/kafka-bus.js';
import { checkTopic } from '../../lib/log/kafka-topic.js';
import { createPool, KEYED_PLANS, type Pool } from '../../lib/log/postgres-client.js';
import { sharedRecords } from '../../lib/log/shared-records.js';
import { createHealth } from '../../lib/rpc/health.js';
import { keepHealth } from '../../lib/rpc/health-probe.js';
import type { ComposedService, ServiceParts } from '../../lib/process/run-service.js';
import { type SystemFacts, systemLogOf } from '../../lib/process/system-service.js';
import { composeViews } from '../../lib/views/compose-views.js';
import type { ViewId } from '../../lib/views/view.js';
import { composeProjector } from './compose.js';
import type { ProjectorConfig } from './config.js';
import { openPostgresControl } from './control/postgres-control.js';
import { healthServiceOf } from './health-name.js';
import { projectorMetrics } from './metrics.js';
import { viewFacts } from './system.js';
import { composeVerifier } from '../verifier/compose.js';
import { composeWebhooks } from '../webhooks/compose.js';

const VIEWS: readonly ViewId[] = ['balances', 'history', 'reports'];
const OPERATIONS = [ProjectionService, LedgerService, WebhookService].map(({ typeName }) => typeName);

type Parts = ServiceParts<ProjectorConfig>;

/**
 * Begins to keep the views; a store that is away is waited for.
 * @throws StartError if the topic is not as recorded.
 */
export async function composeProjectorService(parts: Parts): Promise<ComposedService> {
  const { config, log, registry, tracer, closeables } = parts;
  const { databaseUrl, stores, bus } = config;
  const postgres = { connectionString: databaseUrl };
  const name = 'quittance projector';
  const partitionsOf = (pool: Pool) => checkTopic({ ...bus, pool });
  const opened = await composeLog({ postgres, name, max: 6, partitionsOf }, closeables);
  const { pool, reader, wakeups, partitions, partitionOf } = opened;
  const views = composeViews({ stores, databaseUrl, partitions, partitionOf, name, log }, closeables);
  // A projection that fails is told of, and its operators have to be let in to see why.
  const health = createHealth(OPERATIONS, VIEWS.map(healthServiceOf));
  const projector = composeProjector({
    log: reader,
    busOf: busesOf(parts, opened),
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
  await keepHealth(health, [{ services: OPERATIONS, probe: logAnswers(reader) }], closeables);
  const verifying = createPool(postgres, { max: 2, name: 'quittance verify', options: KEYED_PLANS });
  closeables.add('the pool of verifications', () => verifying.end());
  const verifier = composeVerifier({ pool: verifying, views, partitionOf, registry });
  const options = { networks: config.webhookNetworks };
  const webhooks = composeWebhooks({ postgres, registry, logger: log, wakeups, options }, closeables);
  const guard = await openGuard(config.auth, { postgres, log, registry }, closeables);
  const services = [...projector.services, verifier, webhooks];
  const system: SystemFacts = {
    mode: SystemMode.DISTRIBUTED,
    process: 'projector',
    log: async () => systemLogOf(await reader.head()),
    ...viewFacts(projector.operations),
  };
  return { services, health, system, guard };
}

/**
 * One consumer group per topic and view: each view is as far as its own store lets it be. What they share is that an event is
 * decoded once.
 */
function busesOf(
  { config, log }: Parts,
  { partitions, partitionOf }: Pick<OpenLog, 'partitions' | 'partitionOf'>,
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
