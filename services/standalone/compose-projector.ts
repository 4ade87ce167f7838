/** Composes the projector of the embedded process, which runs in a thread of its own. */
import type { MessagePort } from 'node:worker_threads';
import type { PoolConfig } from 'pg';
import type { LevelWithSilent } from 'pino';
import { reportLost } from '../../lib/log/epochs/postgres-epochs.js';
import { LogTail } from '../../lib/log/log-tail.js';
import { logBus } from '../../lib/log/postgres-bus.js';
import { createPool, KEYED_PLANS } from '../../lib/log/postgres-client.js';
import { postgresLogReader } from '../../lib/log/postgres-log-reader.js';
import { openTracer, type Tracer } from '../../lib/observe/tracing.js';
import type { TracingConfig } from '../../lib/base/tracing-config.js';
import { versionOf } from '../../lib/process/version.js';
import { SHARD } from '../../lib/log/shard.js';
import { Wakeups } from '../../lib/log/wakeups.js';
import { postgresBalances } from '../../lib/views/balances/postgres/balances.js';
import { postgresHistory } from '../../lib/views/history/postgres/history.js';
import { postgresReports, REPORT_PLANS } from '../../lib/views/reports/postgres/reports.js';
import { composeProjector } from '../projector/compose.js';
import { soloControl } from '../projector/control/solo-control.js';
import type { FromThread, ThreadStart } from '../projector/thread/messages.js';
import { serveThread, type ThreadedProjector } from '../projector/thread/serve-thread.js';
import { threadLog } from '../projector/thread/thread-log.js';

/** What spans say that they come from, if the configuration does not. */
export const SERVICE_NAME = 'quittance';

/** What the composition needs, as plain data. */
export interface ProjectorThreadParts {
  readonly postgres: PoolConfig;
  readonly logLevel: LevelWithSilent;
  readonly mostDeadLetters: number | undefined;
}

/** What the thread is given when it is made, before there is a log. */
export interface ProjectorThreadData {
  /** Undefined: traces are off. */
  readonly tracing: TracingConfig | undefined;
}

/** Serves the process until it asks for the end. */
export async function runProjectorThread(port: MessagePort, { tracing }: ProjectorThreadData): Promise<void> {
  const tracer = await openTracer(tracing, SERVICE_NAME, versionOf());
  serveThread<ProjectorThreadParts>(port, (start, send) => composeThread(start, tracer, send));
}

function composeThread(
  { parts: { postgres, logLevel, mostDeadLetters }, paused }: ThreadStart<ProjectorThreadParts>,
  tracer: Tracer | undefined,
  send: (message: FromThread) => void,
): ThreadedProjector {
  const { pools, close } = openPools(postgres);
  const wakeups = new Wakeups();
  const log = postgresLogReader(pools.log, wakeups, SHARD);
  const tail = new LogTail(log, wakeups);
  const bus = logBus(tail);
  const projector = composeProjector({
    log,
    busOf: () => bus,
    balances: postgresBalances(pools.project),
    history: postgresHistory(pools.project),
    reports: postgresReports(pools.reports),
    logger: threadLog(logLevel, (line) => send({ kind: 'log', line })),
    tracer,
    mostDeadLetters,
    control: soloControl(paused),
    reportLost: (point) => reportLost(pools.log, point),
    onHealth: (service, isServing) => send({ kind: 'health', service, isServing }),
  });
  return {
    projector,
    handOver: (flush) => tail.handOver(flush),
    grown: () => wakeups.wake(),
    forked: () => tail.forked(),
    close: async () => {
      await Promise.all([close(), tracer?.close()]);
    },
  };
}

/** A connection for each view and some for rebuilds. Reports are planned differently from the rest. */
function openPools(postgres: PoolConfig) {
  const name = 'quittance projector';
  const pools = {
    log: createPool(postgres, { max: 4, name: 'quittance projector log', options: KEYED_PLANS }),
    project: createPool(postgres, { max: 6, name, options: KEYED_PLANS, statementTimeout_ms: 30_000 }),
    reports: createPool(postgres, {
      max: 4,
      name: 'quittance projector reports',
      options: REPORT_PLANS,
      statementTimeout_ms: 30_000,
    }),
  };
  const close = async () => {
    await Promise.all(Object.values(pools).map((pool) => pool.end()));
  };
  return { pools, close };
}
