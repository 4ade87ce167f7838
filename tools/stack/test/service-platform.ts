/**
 * The platform as it is distributed, for the same end-to-end tests that the embedded one passes: jest.stack.config.mjs puts
 * platform.ts or platform-on-postgres.ts in the place of services/standalone/test/platform.ts. The services are its own, and
 * so are its topic, databases and keys; the servers are those that `npm run test:stack` has started.
 */
import { rmSync } from 'node:fs';
import { basename } from 'node:path';
import { Redis } from 'ioredis';
import { createTestDatabase } from '../../../test/postgres.js';
import { stackRun, stackServer } from '../../../test/stack-servers.js';
import { leftoversIn, makeRunDirectory } from '../run-directories.js';
import { startServices } from '../service-set.js';
import type { RunningService } from '../services.js';
import type { StackOptions } from '../options.js';
import { type Access, openAccess } from './access.js';

export interface TestPlatform extends Access {
  /** URL of the console. */
  readonly consoleUrl: string;
  stop(): Promise<void>;
}

/** Starts the services; `npm run test:stack` has built them. */
export async function startServicePlatform(
  history: StackOptions['history'],
  { tracesTo }: { readonly tracesTo?: string } = {},
): Promise<TestPlatform> {
  const database = await createTestDatabase();
  const directory = makeRunDirectory(stackRun());
  const leftovers = leftoversIn(directory);
  const started: RunningService[] = [];
  const stop = async () => {
    await Promise.all(started.map((service) => service.stop()));
    await database.drop();
    rmSync(directory, { recursive: true, force: true, maxRetries: 10 });
  };
  try {
    const services = await startServices({
      directory,
      projectors: 1,
      queries: 2,
      ports: 'free',
      origins: ['http://console.example'],
      variables: {
        ...(await storesOf(directory)),
        QUITTANCE_DATABASE_URL: database.url,
        QUITTANCE_HISTORY_STORE: history,
        ...(tracesTo === undefined ? {} : tracingOf(tracesTo)),
      },
      log: () => undefined,
      onStart: (service) => {
        started.push(service);
        leftovers.add(service.pid);
      },
    });
    const access = await openAccess(services, database);
    return {
      ...access,
      consoleUrl: services.queries[0]?.addresses.console ?? '',
      stop: async () => {
        await access.close();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function tracingOf(url: string): Record<string, string> {
  return { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url, OTEL_BSP_SCHEDULE_DELAY: '100' };
}

/** A topic and databases that no other platform has. They go when the servers stop. */
async function storesOf(directory: string): Promise<Record<string, string>> {
  // Random, and made of what a topic and a database may be named.
  const name = basename(directory).replaceAll('-', '_');
  return {
    QUITTANCE_KAFKA_BROKERS: stackServer('KAFKA'),
    QUITTANCE_KAFKA_TOPIC: name,
    QUITTANCE_REDIS_URL: `${stackServer('REDIS')}/${String(await nextRedisDatabase())}`,
    QUITTANCE_MONGODB_URL: withPath(stackServer('MONGODB'), name),
    QUITTANCE_CLICKHOUSE_URL: withPath(stackServer('CLICKHOUSE'), name),
  };
}

/** Redis numbers its databases; its first one counts how many are in use. */
async function nextRedisDatabase(): Promise<number> {
  const redis = new Redis(stackServer('REDIS'));
  try {
    return await redis.incr('test-databases');
  } finally {
    redis.disconnect();
  }
}

function withPath(url: string, path: string): string {
  const changed = new URL(url);
  changed.pathname = path;
  return changed.href;
}
