/** From the environment to a running Quittance, and back. */
import { readFileSync } from 'node:fs';
import type pg from 'pg';
import type pino from 'pino';
import { createCloseables, unwindOnFailure, type Closeables } from '../../lib/platform/closeables.js';
import { bannerText } from './banner.js';
import { composeStandalone, type Standalone } from './compose.js';
import { readConfig, type Environment, type StandaloneConfig } from './config.js';
import { openDataDir } from './data-dir.js';
import { startPostgresEngine } from './engines/postgres-engine.js';
import { openLog } from './log-files.js';
import { holdPorts } from './ports.js';
import { runUntilSignal, watchForEnd, type EndWatch, type Host } from './shutdown.js';
import { StartError } from './start-error.js';

/** `process`, as far as it is used here. */
export type StandaloneHost = Host & {
  env: Environment;
  stdout: { isTTY?: boolean; write: (text: string) => unknown };
  stderr: { write: (text: string) => unknown };
};

type Running = {
  standalone: Standalone;
  failed: Promise<Error> | undefined;
  log: pino.Logger;
  watch: EndWatch;
};

const DRAIN_MS = 10_000;

/** Runs until a signal. What the operator can put right is one line on the standard error. @returns the exit code. */
export async function runStandalone(host: StandaloneHost): Promise<number> {
  const closeables = createCloseables();
  try {
    const running = await unwindOnFailure(closeables, () => start(host, closeables));
    return await runUntilSignal({
      watch: running.watch,
      log: running.log,
      drain: () => running.standalone.drain(),
      stop: () => closeables.close(),
      drain_ms: DRAIN_MS,
      ...(running.failed ? { failed: running.failed } : {}),
    });
  } catch (error) {
    if (error instanceof Interrupted) return 0;
    const text =
      error instanceof StartError ? error.message : error instanceof Error ? error.stack : String(error);
    host.stderr.write(`${text ?? 'unknown error'}\n`);
    return 1;
  }
}

/** Ctrl-C before the start was through: no failure. */
class Interrupted extends Error {}

async function start(host: StandaloneHost, closeables: Closeables): Promise<Running> {
  const config = readConfig(host.env);
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
  const { postgres, failed } = await openPostgres(config, closeables, watch, log);
  unlessInterrupted(watch);
  const standalone = await composeStandalone({ config, postgres, log, releasePorts: ports.release });
  closeables.add('the services', () => standalone.close());
  announce(host, log, {
    version: versionOf(),
    dataDirectory: dataDir.path,
    addresses: standalone.addresses,
    next: nextOf(standalone),
  });
  return { standalone, failed, log, watch };
}

function unlessInterrupted(watch: EndWatch): void {
  if (watch.signal.aborted) throw new Interrupted();
}

function wantedPorts(config: StandaloneConfig): Parameters<typeof holdPorts>[0] {
  const { host, grpcPort, connectPort } = config;
  return [
    { name: 'gRPC', host, port: grpcPort, variable: 'QUITTANCE_GRPC_PORT', protocol: 'other' },
    { name: 'Connect', host, port: connectPort, variable: 'QUITTANCE_CONNECT_PORT', protocol: 'http' },
  ];
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
function announce(host: StandaloneHost, log: pino.Logger, banner: Parameters<typeof bannerText>[0]): void {
  if (host.stdout.isTTY === true) {
    host.stdout.write(bannerText(banner));
    return;
  }
  log.info(banner, 'ready');
}

function nextOf(standalone: Standalone): string[] {
  return [
    `npx buf curl --http2-prior-knowledge --protocol grpc --list-methods http://${standalone.addresses.grpc}`,
    'npm run demo',
  ];
}

/** The same two levels up from the source and, below dist, from what is built: package.json is found in either. */
function versionOf(): string {
  for (const up of ['../../package.json', '../../../package.json']) {
    try {
      const read: unknown = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8'));
      if (typeof read === 'object' && read !== null && 'version' in read) return String(read.version);
    } catch {
      // The next place.
    }
  }
  return 'unknown';
}
