/** The embedded composition root: command, projector and query in one process, over one PostgreSQL, behind two doors. */
import type { Worker } from 'node:worker_threads';
import type { DescService } from '@bufbuild/protobuf';
import type { PoolConfig } from 'pg';
import type pino from 'pino';
import type { Registry } from 'prom-client';
import { AccountCommandService } from '../../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { ScheduleService } from '../../gen/quittance/command/v1/schedule_service_pb.js';
import { TransactionCommandService } from '../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { LedgerService } from '../../gen/quittance/ops/v1/ledger_service_pb.js';
import { ProjectionService } from '../../gen/quittance/ops/v1/projection_service_pb.js';
import { SystemMode } from '../../gen/quittance/ops/v1/system_service_pb.js';
import { WebhookService } from '../../gen/quittance/ops/v1/webhook_service_pb.js';
import { AccountQueryService } from '../../gen/quittance/query/v1/account_query_service_pb.js';
import { EventQueryService } from '../../gen/quittance/query/v1/event_query_service_pb.js';
import { LedgerQueryService } from '../../gen/quittance/query/v1/ledger_query_service_pb.js';
import { ReportQueryService } from '../../gen/quittance/query/v1/report_query_service_pb.js';
import { TransactionQueryService } from '../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { openGuard } from '../../lib/auth/compose-guard.js';
import { composeWakeups, logAnswers } from '../../lib/log/compose-log.js';
import { createPool, KEYED_PLANS, type Pool } from '../../lib/log/postgres-client.js';
import { postgresLogReader } from '../../lib/log/postgres-log-reader.js';
import { type Closeables, createCloseables, unwindOnFailure } from '../../lib/base/closeables.js';
import { consoleSite } from '../../lib/process/console-site.js';
import { openDoors, type OpenDoors } from '../../lib/process/doors.js';
import type { SystemFacts } from '../../lib/process/system-service.js';
import type { DoorsConfig } from '../../lib/base/doors-config.js';
import { diskMetrics, processRegistry } from '../../lib/observe/process-metrics.js';
import { versionOf } from '../../lib/process/version.js';
import { createHealth, type Health } from '../../lib/rpc/health.js';
import { keepHealth } from '../../lib/rpc/health-probe.js';
import type { Service } from '../../lib/rpc/service.js';
import { systemClock } from '../../lib/base/time.js';
import { postgresBalances } from '../../lib/views/balances/postgres/balances.js';
import { HISTORY_PLANS, postgresHistory } from '../../lib/views/history/postgres/history.js';
import { postgresReports, REPORT_PLANS } from '../../lib/views/reports/postgres/reports.js';
import { type CommandPart, composeCommand, DEFAULT_LIMITS } from '../command/compose.js';
import { commandMetrics } from '../command/metrics.js';
import { commandFacts } from '../command/system.js';
import { healthServiceOf } from '../projector/health-name.js';
import { projectorMetrics } from '../projector/metrics.js';
import type { ProjectionOperations } from '../projector/operations.js';
import { viewFacts } from '../projector/system.js';
import { projectionService } from '../projector/rpc/projection-service.js';
import { ProjectorThread } from '../projector/thread/projector-thread.js';
import { composeVerifier } from '../verifier/compose.js';
import type { ViewId } from '../../lib/views/view.js';
import { composeQuery } from '../query/compose.js';
import { ReadFigures, readMetrics } from '../query/metrics.js';
import { composeWebhooks, type WebhookOptions } from '../webhooks/compose.js';
import { SHARD } from '../../lib/log/shard.js';
import { openTracer, type Tracer } from '../../lib/observe/tracing.js';
import { type ProjectorThreadParts, SERVICE_NAME } from './compose-projector.js';

/** What runs, once composed. */
export type Standalone = OpenDoors & { close: () => Promise<void> };

export interface StandaloneParts {
  readonly config: DoorsConfig;
  readonly postgres: PoolConfig;
  readonly log: pino.Logger;
  /** Frees the ports that were held since the start; awaited right before the doors bind. */
  readonly releasePorts: () => Promise<void>;
  /** Makes a thread for the projector. */
  readonly spawnProjector: () => Worker;
  /** Where the data lies: how full its disk is, is a metric. */
  readonly dataDirectory?: string | undefined;
  /** See readMostDeadLetters. */
  readonly mostDeadLetters?: number | undefined;
  /** See QueryDeps. */
  readonly readDeadline_ms?: number | undefined;
  readonly webhooks?: WebhookOptions | undefined;
}

const VIEWS: readonly ViewId[] = ['balances', 'history', 'reports'];
/** The embedded log is one partition. */
const partitionOf = () => 0;

const COMMAND_SERVICES = [
  LedgerCommandService,
  AccountCommandService,
  TransactionCommandService,
  ScheduleService,
].map(typeNameOf);
const READ_SERVICES = [
  LedgerQueryService,
  AccountQueryService,
  TransactionQueryService,
  ReportQueryService,
  EventQueryService,
  ProjectionService,
  LedgerService,
  WebhookService,
].map(typeNameOf);
const HEALTH_NAMES = [...COMMAND_SERVICES, ...READ_SERVICES, ...VIEWS.map(healthServiceOf)];

function typeNameOf({ typeName }: DescService): string {
  return typeName;
}

export function composeStandalone(parts: StandaloneParts): Promise<Standalone> {
  const closeables = createCloseables();
  return unwindOnFailure(closeables, async () => {
    const registry = processRegistry(versionOf());
    if (parts.dataDirectory !== undefined) diskMetrics(registry, parts.dataDirectory);
    const { config, postgres, log, releasePorts } = parts;
    const tracer = await openTracer(config.tracing, SERVICE_NAME, versionOf());
    if (tracer !== undefined) closeables.add('traces', () => tracer.close());
    const { services, health, system } = await composeServices(parts, { registry, tracer }, closeables);
    const guard = await openGuard(config.auth, { postgres, log, registry }, closeables);
    const site = consoleSite(config.console ?? 'off', {
      hasAuth: config.auth !== undefined,
      login: config.consoleLogin,
    });
    const behind = { services, health, system, registry, log, tracer, guard, site };
    const doors = await openDoors(config, behind, releasePorts, closeables);
    return { ...doors, close: () => closeables.close() };
  });
}

async function composeServices(
  parts: StandaloneParts,
  { registry, tracer }: { readonly registry: Registry; readonly tracer: Tracer | undefined },
  closeables: Closeables,
): Promise<{ services: Service[]; health: Health; system: SystemFacts }> {
  const { postgres, log, readDeadline_ms } = parts;
  const health = createHealth(HEALTH_NAMES);
  const projector = openProjector(parts, health, registry);
  closeables.add('projector', () => projector.stop());
  const wakeups = composeWakeups(postgres, closeables, (position) => {
    projector.committed(position);
  });
  const command = await composeCommand(
    {
      postgres,
      clock: systemClock,
      wakeups,
      logger: log,
      tracer,
      shard: SHARD,
      limits: DEFAULT_LIMITS,
      onCommitted: (events) => projector.handOver(events),
      onEpoch: () => projector.forked(),
      onHalt: () => {
        for (const service of COMMAND_SERVICES) health.set(service, false);
      },
    },
    closeables,
  );
  commandMetrics(registry, command.measured);
  const pools = openPools(postgres, closeables);
  const reader = postgresLogReader(pools.log, wakeups, SHARD);
  await projector.start();
  const reading = { ...viewsOn(pools.query, pools), readDeadline_ms };
  const figures = new ReadFigures();
  readMetrics(registry, figures);
  const query = composeQuery({ log: reader, partitionOf, figures, tracer, ...reading });
  const viewsToVerify = viewsOn(pools.verify, pools);
  const verifier = composeVerifier({ pool: pools.verify, views: viewsToVerify, partitionOf, registry });
  const sending = { postgres, registry, logger: log, wakeups, options: parts.webhooks };
  const webhooks = composeWebhooks(sending, closeables);
  const answers = logAnswers(reader);
  const probes = [
    {
      services: COMMAND_SERVICES,
      probe: async () => command.context.executor.isServing && (await answers()),
    },
    { services: READ_SERVICES, probe: answers },
  ];
  await keepHealth(health, probes, closeables);
  const operations = [projectionService(projector), verifier, webhooks];
  return {
    services: [...command.services, ...query, ...operations],
    health,
    system: systemOf(command, projector),
  };
}

function systemOf({ measured }: CommandPart, projector: ProjectionOperations): SystemFacts {
  return {
    mode: SystemMode.EMBEDDED,
    process: 'standalone',
    ...commandFacts(measured),
    ...viewFacts(projector),
  };
}

/** The thread loads its program while the write side is composed. */
function openProjector(
  { config, postgres, log, spawnProjector, mostDeadLetters }: StandaloneParts,
  health: Health,
  registry: Registry,
): ProjectorThread<ProjectorThreadParts> {
  const projector = new ProjectorThread<ProjectorThreadParts>({
    spawn: spawnProjector,
    parts: { postgres, logLevel: config.logLevel, mostDeadLetters },
    views: VIEWS,
    logger: log,
    onHealth: (service, isServing) => {
      health.set(service, isServing);
    },
  });
  projectorMetrics(registry, () => projector.figures());
  return projector;
}

/** Look-ups of history and of reports plan differently from each other and from the rest: each has a pool of its own. */
function viewsOn(pool: Pool, { history, reports }: { readonly history: Pool; readonly reports: Pool }) {
  return {
    balances: postgresBalances(pool),
    history: postgresHistory(history),
    reports: postgresReports(reports),
  };
}

/** One pool per duty: a slow report must not keep a projection from its connection. */
function openPools(postgres: PoolConfig, closeables: Closeables) {
  const pools = {
    log: createPool(postgres, { max: 6, name: 'quittance log', options: KEYED_PLANS }),
    query: createPool(postgres, { max: 8, name: 'quittance query' }),
    history: createPool(postgres, { max: 6, name: 'quittance history', options: HISTORY_PLANS }),
    reports: createPool(postgres, {
      max: 6,
      name: 'quittance reports',
      options: REPORT_PLANS,
      statementTimeout_ms: 30_000,
    }),
    verify: createPool(postgres, { max: 2, name: 'quittance verify', options: KEYED_PLANS }),
  };
  closeables.add('read pools', async () => {
    await Promise.all(Object.values(pools).map((pool) => pool.end()));
  });
  return pools;
}
