/** The PostgreSQL that npm brings, as the embedded platform starts it. */
import { pino } from 'pino';
import { startPostgresEngine } from '../../../services/standalone/engines/postgres-engine.js';
import type { RunningEngine } from './engine.js';

/** Starts it. It listens on a socket in its own directory: only users who may read that can connect. */
export async function startPostgres(directory: string, logFile: string): Promise<RunningEngine> {
  const engine = await startPostgresEngine({
    dataDir: directory,
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
    died: engine.died,
    url: `postgresql://${user}${secret}@${place}`,
    stop: () => engine.stop(),
    kill: async () => {
      process.kill(engine.pid, 'SIGKILL');
    },
  };
}
