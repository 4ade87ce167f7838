/** A whole Quittance in the test's own process, on a database of its own and free ports. */
import pino from 'pino';
import { composeStandalone } from '../services/standalone/compose.js';
import { createTestDatabase } from './postgres.js';
import { spawnProjector } from './projector-thread.js';

/** A server for tests. Stop it in `afterAll`. */
export interface TestServer {
  /** `host:port` of the gRPC door. */
  readonly grpc: string;
  /** `http://host:port` of the Connect door. */
  readonly connect: string;
  stop(): Promise<void>;
}

/** Starts one. */
export async function startTestServer(): Promise<TestServer> {
  const database = await createTestDatabase();
  const standalone = await composeStandalone({
    config: {
      host: '127.0.0.1',
      grpcPort: 0,
      connectPort: 0,
      corsOrigins: [],
      allowedHosts: [],
      logLevel: 'silent',
      warnings: [],
    },
    postgres: database.config,
    log: pino({ level: 'silent' }),
    releasePorts: () => Promise.resolve(),
    spawnProjector: () => spawnProjector(),
  });
  return {
    ...standalone.addresses,
    stop: async () => {
      await standalone.drain();
      await standalone.close();
      await database.drop();
    },
  };
}
