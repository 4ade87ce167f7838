/** Hears of every commit to the log, of this process and of others. */
import pg from 'pg';
import { pause } from '../base/pause.js';
import { keepalive } from './postgres-client.js';

const RETRY_MS = 500;
const POSITION = /^\d{1,19}$/;

/** Called with the position of the last event of a commit; undefined if the notification does not say it. */
export type OnCommit = (position: bigint | undefined) => void;

/**
 * Listens until it is stopped; a lost connection is made again. Only a hint is lost meanwhile: readers poll.
 */
export function listenForCommits(
  config: pg.ClientConfig,
  onCommit: OnCommit,
): { readonly stop: () => Promise<void> } {
  const stopping = new AbortController();
  const ended = listen(config, onCommit, stopping.signal);
  return {
    stop: async () => {
      stopping.abort();
      await ended;
    },
  };
}

async function listen(config: pg.ClientConfig, onCommit: OnCommit, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const client = new pg.Client({ ...config, application_name: 'quittance listen', ...keepalive() });
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
    client.on('notification', ({ payload = '' }) => {
      onCommit(POSITION.test(payload) ? BigInt(payload) : undefined);
    });
    try {
      await client.connect();
      await client.query('listen quittance_log');
      await ended;
    } catch {
      await pause(RETRY_MS, signal);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}
