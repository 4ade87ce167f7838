/**
 * `npm run test:stack`: installs and starts one server of each kind in a directory of its own, runs the tests that need
 * them, and stops them. Arguments go to jest.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../lib/process/free-port.js';
import { StartError } from '../../lib/base/start-error.js';
import { clickhouse } from './engines/clickhouse.js';
import { projectRoot, type RunningEngine } from './engines/engine.js';
import { kafka } from './engines/kafka.js';
import { mongodb } from './engines/mongodb.js';
import { redis } from './engines/redis.js';
import { installEngines } from './stack.js';

const ENGINES = {
  QUITTANCE_TEST_KAFKA: kafka,
  QUITTANCE_TEST_REDIS: redis,
  QUITTANCE_TEST_MONGODB: mongodb,
  QUITTANCE_TEST_CLICKHOUSE: clickhouse,
};

async function run(): Promise<number> {
  await installEngines((line) => process.stdout.write(`${line}\n`));
  const directory = mkdtempSync(join(tmpdir(), 'quittance-stack-'));
  const running: RunningEngine[] = [];
  try {
    const variables: Record<string, string> = {};
    for (const [name, engine] of Object.entries(ENGINES)) {
      const place = { host: '127.0.0.1', port: await freePort(), directory: join(directory, engine.name) };
      const one = await engine.start(place);
      running.push(one);
      variables[name] = one.url;
    }
    return await jest(variables);
  } finally {
    await Promise.all(running.map((one) => one.stop()));
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function jest(variables: Record<string, string>): Promise<number> {
  const root = projectRoot();
  const child = spawn(
    process.execPath,
    [
      ...['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
      ...[join(root, 'node_modules', 'jest', 'bin', 'jest.js'), '--config', 'jest.stack.config.mjs'],
      // A test that fails half-way may leave a connection open; that must not hold up who waits for the verdict.
      '--forceExit',
      ...process.argv.slice(2),
    ],
    { cwd: root, stdio: 'inherit', env: { ...process.env, ...variables } },
  );
  // jest ends by the same Ctrl-C; the servers are ours to stop then.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => undefined);
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

try {
  process.exit(await run());
} catch (error) {
  const text =
    error instanceof StartError ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`${text ?? 'unknown error'}\n`);
  process.exit(1);
}
