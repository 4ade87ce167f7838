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
import { composeLog, logAnswers } from '../../lib/log/compose-log.js';
import { recordedPartitions } from '../../lib/log/kafka-topic.js';
import type { Pool } from '../../lib/log/postgres-client.js';
import { createHealth } from '../../lib/rpc/health.js';
import { type HealthProbe, keepHealth } from '../../lib/rpc/health-probe.js';
import { consoleSite } from '../../lib/process/console-site.js';
import type { ComposedService, ServiceParts } from '../../lib/process/run-service.js';
import { type SystemFacts, systemLogOf } from '../../lib/process/system-service.js';
import type { Site } from '../../lib/rpc/connect/site.js';
import { composeViews, type Views } from '../../lib/views/compose-views.js';
import { composeQuery } from './compose.js';
import type { QueryConfig } from './config.js';
import { currentBalances } from './current-balances.js';
import { ReadFigures, readMetrics } from './metrics.js';
import type { Generations, ReadableView } from './serving-view.js';
import { viewFacts } from './system.js';

const ACCOUNTS = AccountQueryService.typeName;
const EVENTS = EventQueryService.typeName;
const OF_HISTORY = [LedgerQueryService.typeName, TransactionQueryService.typeName];
const REPORTS = ReportQueryService.typeName;

type Parts = ServiceParts<QueryConfig>;

/** Begins to answer; a store that is away is told of by the services that need it. */
export async function composeQueryService(parts: Parts): Promise<ComposedService> {
  const { config, log, registry, tracer, closeables } = parts;
  const { databaseUrl, stores, topic } = config;
  const postgres = { connectionString: databaseUrl };
  const name = 'quittance query';
  const partitionsOf = (pool: Pool) => recordedPartitions(pool, topic);
  const { reader, partitions, partitionOf } = await composeLog(
    { postgres, name, max: 8, partitionsOf },
    closeables,
  );
  const views = composeViews({ stores, databaseUrl, partitions, partitionOf, name, log }, closeables);
  const figures = new ReadFigures();
  readMetrics(registry, figures);
  const services = composeQuery({ log: reader, partitions, partitionOf, figures, tracer, ...views });
  // Without one of the views the others are read all the same.
  const health = createHealth([EVENTS], [ACCOUNTS, ...OF_HISTORY, REPORTS]);
  const ofLog = { services: [EVENTS], probe: logAnswers(reader) };
  await keepHealth(health, [ofLog, ...probesOf(views)], closeables);
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
