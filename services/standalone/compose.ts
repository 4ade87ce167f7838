/** Temporary: connects and asks one question. The lead's composition root replaces it. */
import pg from 'pg';
import type pino from 'pino';
import type { StandaloneConfig } from './config.js';

/** What runs, once composed. */
export type Standalone = {
  drain: () => Promise<void>;
  close: () => Promise<void>;
  addresses: { grpc: string; connect: string };
};

/** @param parts.releasePorts frees the ports that were held since the start: await it right before the doors bind. */
export async function composeStandalone(parts: {
  config: StandaloneConfig;
  postgres: pg.PoolConfig;
  log: pino.Logger;
  releasePorts: () => Promise<void>;
}): Promise<Standalone> {
  const { host, grpcPort, connectPort } = parts.config;
  const pool = new pg.Pool(parts.postgres);
  pool.on('error', (error) => {
    parts.log.warn({ err: error }, 'a connection was lost');
  });
  await pool.query('select 1');
  await parts.releasePorts();
  return {
    drain: () => Promise.resolve(),
    close: () => pool.end(),
    addresses: { grpc: `${host}:${String(grpcPort)}`, connect: `http://${host}:${String(connectPort)}` },
  };
}
