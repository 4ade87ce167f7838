/**
 * Before a jest run: builds what tests start as processes of their own, and starts one PostgreSQL for the whole run, by the engine
 * that Quittance runs on. Test files get databases of their own from postgres.ts.
 *
 * JavaScript, since jest loads this file before it can load TypeScript of ours; it takes the engine from what it has built.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { pino } from 'pino';

const PREFIX = 'qjest-';

const SETTINGS = {
  // The data is deleted after the run, so it need not survive a crash of the machine.
  fsync: 'off',
  full_page_writes: 'off',
  // Each test file has platforms of its own.
  max_connections: '200',
  shared_buffers: '64MB',
  max_wal_size: '1GB',
};

/** Starts the server and names it to the workers: QUITTANCE_TEST_POSTGRES = {"host", "port", "user"}. */
export default async function globalSetup({ rootDir }) {
  build(rootDir);
  const engines = await loadEngines(rootDir);
  const base = realpathSync(tmpdir());
  await removeLeftOvers(base, engines);
  const dataDir = mkdtempSync(join(base, `${PREFIX}${String(process.pid)}-`));
  mkdirSync(join(dataDir, 'log'));
  try {
    const log = pino({ enabled: false });
    const engine = await engines.startPostgresEngine({ dataDir, log, settings: SETTINGS, isKept: false });
    const { host, port, user, password } = engine.connection;
    process.env['QUITTANCE_TEST_POSTGRES'] = JSON.stringify({ host, port, user, password });
    globalThis.quittanceStopTestPostgres = async () => {
      await engine.stop();
      remove(dataDir);
    };
  } catch (error) {
    remove(dataDir);
    throw error;
  }
}

function build(rootDir) {
  const { status } = spawnSync(process.execPath, [join(rootDir, 'scripts/build.mjs')], { stdio: 'inherit' });
  if (status !== 0) throw new Error('the build failed');
}

async function loadEngines(rootDir) {
  const load = (name) =>
    import(pathToFileURL(join(rootDir, 'dist/services/standalone/engines', `${name}.js`)).href);
  const [{ startPostgresEngine, stopLeftOverPostgres }, { isAlive }] = await Promise.all([
    load('postgres-engine'),
    load('process-table'),
  ]);
  return { startPostgresEngine, stopLeftOverPostgres, isAlive };
}

/** Stops and removes the server of a run that was killed: the directory's name holds the process id of that run. */
async function removeLeftOvers(base, { stopLeftOverPostgres, isAlive }) {
  for (const name of readdirSync(base)) {
    const owner = Number(/^qjest-(\d+)-/.exec(name)?.[1] ?? Number.NaN);
    if (!Number.isInteger(owner) || isAlive(owner)) continue;
    try {
      await stopLeftOverPostgres(join(base, name));
      remove(join(base, name));
    } catch {
      // It belongs to another user, who has to remove it.
    }
  }
}

function remove(directory) {
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}
