/** Wakes this process's readers when another process has committed. */
import pg from 'pg';
import type { Wakeups } from './wakeups.js';

const RETRY_MS = 500;

/**
 * Listens until it is stopped; a lost connection is made again. Only a hint is lost meanwhile: readers poll.
 */
export function listenForCommits(
  config: pg.ClientConfig,
  wakeups: Wakeups,
): { readonly stop: () => Promise<void> } {
  const stopping = new AbortController();
  const ended = listen(config, wakeups, stopping.signal);
  return {
    stop: async () => {
      stopping.abort();
      await ended;
    },
  };
}

async function listen(config: pg.ClientConfig, wakeups: Wakeups, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const client = new pg.Client({ ...config, application_name: 'quittance listen', keepAlive: true });
    const ended = new Promise<void>((resolve) => {
      client.once('end', () => {
        resolve();
      });
      signal.addEventListener(
        'abort',
        () => {
          resolve();
        },
        { once: true },
      );
    });
    client.on('error', () => undefined);
    client.on('notification', () => {
      wakeups.wake();
    });
    try {
      await client.connect();
      await client.query('listen quittance_log');
      await ended;
    } catch {
      await wakeups.wait(RETRY_MS, signal);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}
