/** The PostgreSQL that npm brings, as the embedded platform starts it. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { startPostgresEngine } from '../../../services/standalone/engines/postgres-engine.js';
import { identify, isRunning, waitUntilGone } from '../../../services/standalone/engines/process-table.js';
import type { RunningEngine } from './engine.js';

/** Two processes of each service have up to 90 connections. Those of a process that was lost are there until the server notices. */
const CONNECTIONS = 200;
/** How long a process that was killed may still be there: on a busy machine the system takes a while. */
const END_LIMIT_ms = 10_000;

/**
 * Starts it. It listens on a socket in its own directory: only users who may read that can connect.
 * @param variables of its environment, beside what it always has
 */
export async function startPostgres(
  directory: string,
  logFile: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<RunningEngine> {
  mkdirSync(join(directory, 'log'), { recursive: true, mode: 0o700 });
  const engine = await startPostgresEngine({
    dataDir: directory,
    variables,
    settings: { max_connections: String(CONNECTIONS) },
    log: pino({ level: 'info' }, pino.destination({ dest: logFile, mkdir: true, sync: true })),
  });
  const { host, port, user, database, password } = engine.connection;
  const secret = password === undefined ? '' : `:${encodeURIComponent(password)}`;
  const place = host.startsWith('/')
    ? `/${database}?host=${encodeURIComponent(host)}&port=${String(port)}`
    : `${host}:${String(port)}/${database}`;
  return {
    name: 'postgres',
    pid: engine.pid,
    died: engine.died.then(() => new Error(`postgres (process ${String(engine.pid)}) has ended`)),
    url: `postgresql://${user}${secret}@${place}`,
    stop: () => engine.stop(),
    kill: async () => {
      const server = identify(engine.pid);
      if (isRunning(server)) process.kill(engine.pid, 'SIGKILL');
      await waitUntilGone(server, END_LIMIT_ms);
    },
  };
}
