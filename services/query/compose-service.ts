/**
 * The query service as a process of its own, one of any number: it answers from the views, and from the log.
 */
import { AccountQueryService } from '../../gen/quittance/query/v1/account_query_service_pb.js';
import { EventQueryService } from '../../gen/quittance/query/v1/event_query_service_pb.js';
import { LedgerQueryService } from '../../gen/quittance/query/v1/ledger_query_service_pb.js';
import { ReportQueryService } from '../../gen/quittance/query/v1/report_query_service_pb.js';
import { TransactionQueryService } from '../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { SystemMode } from '../../gen/quittance/ops/v1/system_service_pb.js';
import { openGuard } from '../../lib/auth/compose-guard.js';
import { recordedPartitions } from '../../lib/log/kafka-topic.js';
import { createPool, KEYED_PLANS } from '../../lib/log/postgres-client.js';
import { listenForCommits } from '../../lib/log/postgres-listen.js';
import { postgresLogReader } from '../../lib/log/postgres-log-reader.js';
import { checkLogVersion } from '../../lib/log/postgres-migrate.js';
import { Wakeups } from '../../lib/log/wakeups.js';
import type { Guard } from '../../lib/rpc/guard.js';
import { createHealth, type Health } from '../../lib/rpc/health.js';
import { HEALTH_INTERVAL_MS, type HealthProbe, probeHealth } from '../../lib/rpc/health-probe.js';
import { partitioner } from '../../lib/log/partition.js';
import { consoleSite } from '../../lib/process/console-site.js';
import type { ServiceParts } from '../../lib/process/run-service.js';
import { type SystemFacts, systemLogOf } from '../../lib/process/system-service.js';
import type { Site } from '../../lib/rpc/connect/site.js';
import type { Service } from '../../lib/rpc/service.js';
import { composeViews, type Views } from '../../lib/views/compose-views.js';
import { composeQuery } from './compose.js';
import type { QueryConfig } from './config.js';
import { currentBalances } from './current-balances.js';
import { ReadFigures, readMetrics } from './metrics.js';
import type { Generations, ReadableView } from './serving-view.js';
import { viewFacts } from './system.js';
import { SHARD } from '../../lib/log/shard.js';

const ACCOUNTS = AccountQueryService.typeName;
const EVENTS = EventQueryService.typeName;
const OF_HISTORY = [LedgerQueryService.typeName, TransactionQueryService.typeName];
const REPORTS = ReportQueryService.typeName;

type Parts = ServiceParts<QueryConfig>;

/** Begins to answer; a store that is away is told of by the services that need it. */
export async function composeQueryService(parts: Parts): Promise<{
  readonly services: readonly Service[];
  readonly health: Health;
  readonly system: SystemFacts;
  readonly guard: Guard | undefined;
  readonly site: Site | undefined;
}> {
  const { config, log, registry, tracer, closeables } = parts;
  const postgres = { connectionString: config.databaseUrl };
  const pool = createPool(postgres, { max: 8, name: 'quittance query', options: KEYED_PLANS });
  closeables.add('the pool of the log', () => pool.end());
  await checkLogVersion(pool);
  const partitions = await recordedPartitions(pool, config.topic);
  const partitionOf = partitioner(partitions);
  const wakeups = new Wakeups();
  closeables.add('listening for commits', listenForCommits(postgres, () => wakeups.wake()).stop);
  const reader = postgresLogReader(pool, wakeups, SHARD);
  const { stores, databaseUrl } = config;
  const views = composeViews(
    { stores, databaseUrl, partitions, partitionOf, name: 'quittance query', log },
    closeables,
  );
  const figures = new ReadFigures();
  readMetrics(registry, figures);
  const services = composeQuery({ log: reader, partitions, partitionOf, figures, tracer, ...views });
  // Without one of the views the others are read all the same.
  const health = createHealth([EVENTS], [ACCOUNTS, ...OF_HISTORY, REPORTS]);
  const ofLog = { services: [EVENTS], probe: async () => (await reader.head()).position >= 0n };
  const probing = await probeHealth(health, [ofLog, ...probesOf(views)], HEALTH_INTERVAL_MS);
  closeables.add('the health probe', () => probing.stop());
  const guard = await openGuard(config.auth, { postgres, log, registry }, closeables);
  const system: SystemFacts = {
    mode: SystemMode.DISTRIBUTED,
    process: 'query',
    log: async () => systemLogOf(await reader.head()),
    ...viewFacts(views, partitions),
  };
  return { services, health, system, guard, site: siteOf(config) };
}

/** Only where the page has the addresses of the other processes: commands and operations are not answered here. */
function siteOf({
  console: mode = 'off',
  consoleDoors: doors,
  auth,
  consoleLogin: login,
}: QueryConfig): Site | undefined {
  return doors === undefined ? undefined : consoleSite(mode, { hasAuth: auth !== undefined, login, doors });
}

/** A store answers when it gives the checkpoint of its view. */
function probesOf({ balances, history, reports }: Views): HealthProbe[] {
  const answers = (generations: Generations<ReadableView>) => async () => {
    await (await generations.current()).checkpoint(0);
    return true;
  };
  return [
    { services: [ACCOUNTS], probe: answers(currentBalances(balances, history)) },
    { services: OF_HISTORY, probe: answers(history) },
    { services: [REPORTS], probe: answers(reports) },
  ];
}
