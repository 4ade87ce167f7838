/** Starts Quittance as the environment says, and stops it. */
import type { Worker } from 'node:worker_threads';
import type pg from 'pg';
import type pino from 'pino';
import type { Closeables } from '../../lib/base/closeables.js';
import { withSecretFiles } from '../../lib/base/secret-files.js';
import type { CommandText } from '../../lib/process/command-line.js';
import { wantedPorts } from '../../lib/process/doors.js';
import { holdPorts } from '../../lib/process/ports.js';
import {
  type ProcessHost,
  runProcess,
  type RunningProcess,
  unlessInterrupted,
} from '../../lib/process/run-process.js';
import { type EndWatch, watchForEnd } from '../../lib/process/shutdown.js';
import { versionOf } from '../../lib/process/version.js';
import { bannerText, nextCommands } from './banner.js';
import { readConfig, type StandaloneConfig, VARIABLE_HELP } from './config.js';
import { openDataDir } from './data-dir.js';
import { startPostgresEngine } from './engines/postgres-engine.js';
import { openLog } from './log-files.js';
import { spawnProjector } from './spawn-projector.js';

const HELP: CommandText = {
  name: 'npm start --',
  summary:
    'Runs the whole of Quittance in this process, on a PostgreSQL that npm brought, until Ctrl-C. ' +
    'It takes no options; environment variables change what it does.',
  environment: VARIABLE_HELP,
  examples: [
    ['npm start', 'gRPC on port 50051, Connect on port 8081, data in ./.quittance'],
    ['QUITTANCE_DATA_DIR=/srv/ledger npm start', 'data elsewhere'],
    [
      'QUITTANCE_GRPC_PORT=9001 QUITTANCE_CONNECT_PORT=9002 npm start',
      'a second one beside the first needs its own data too',
    ],
  ],
  notes: [
    'Then: npm run demo plays traffic, npm run reset deletes the data. See README.md and docs/operations.md.',
  ],
};

/** Runs until a signal. What the operator can put right is one line on the standard error. @returns the exit code. */
export function runStandalone(host: ProcessHost): Promise<number> {
  return runProcess(host, HELP, (closeables) => start(host, closeables));
}

async function start(host: ProcessHost, closeables: Closeables): Promise<RunningProcess> {
  const config = readConfig(withSecretFiles(host.env));
  const dataDir = openDataDir(config.dataDir);
  closeables.add('the data directory', dataDir.release);
  const toTerminal = host.stdout.isTTY === true;
  const log = openLog({
    directory: dataDir.logPath,
    level: config.logLevel,
    toTerminal,
  });
  const watch = watchForEnd(host, log);
  closeables.add('the watch over signals', watch.dispose);
  watch.onAbandon(dataDir.release);
  for (const warning of config.warnings) log.warn(warning);

  const ports = await holdPorts(wantedPorts(config));
  closeables.add('the ports', ports.release);
  unlessInterrupted(watch);
  // The programs of both threads are loaded while PostgreSQL starts.
  const nextThread = spawnAhead(closeables, () => spawnProjector({ tracing: config.tracing }));
  const loading = import('./compose.js');
  const { postgres, failed } = await openPostgres(config, closeables, watch, log);
  const { composeStandalone } = await loading;
  unlessInterrupted(watch);
  log.info('starting the services…');
  const standalone = await composeStandalone({
    config,
    postgres,
    log,
    releasePorts: ports.release,
    spawnProjector: nextThread,
    dataDirectory: dataDir.path,
    mostDeadLetters: config.mostDeadLetters,
    webhooks: { networks: config.webhookNetworks },
  });
  closeables.add('the services', () => standalone.close());
  announce(host, log, {
    version: versionOf(),
    dataDirectory: dataDir.path,
    addresses: standalone.addresses,
    next: nextCommands(config.host, standalone.addresses),
  });
  return { drain: () => standalone.drain(), failed, log, watch };
}

/** Makes the first thread of the projector now, and the others when they are asked for. */
function spawnAhead(closeables: Closeables, spawn: () => Worker): () => Worker {
  let ahead: Worker | undefined = spawn();
  closeables.add('the thread of the projector', async () => {
    await ahead?.terminate();
  });
  return () => {
    const thread = ahead ?? spawn();
    ahead = undefined;
    return thread;
  };
}

async function openPostgres(
  config: StandaloneConfig,
  closeables: Closeables,
  watch: EndWatch,
  log: pino.Logger,
): Promise<{ postgres: pg.PoolConfig; failed: Promise<Error> | undefined }> {
  if (config.databaseUrl !== undefined) {
    return { postgres: { connectionString: config.databaseUrl }, failed: undefined };
  }
  const engine = await startPostgresEngine({ dataDir: config.dataDir, log });
  closeables.add('PostgreSQL', engine.stop);
  watch.onAbandon(engine.abandon);
  return { postgres: engine.connection, failed: engine.died };
}

/** A terminal gets the block; a program that reads our output gets a line like the others. */
function announce(host: ProcessHost, log: pino.Logger, banner: Parameters<typeof bannerText>[0]): void {
  if (host.stdout.isTTY === true) {
    host.stdout.write(bannerText(banner));
    return;
  }
  log.info(banner, 'ready');
}
