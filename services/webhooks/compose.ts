/** Wires webhooks to PostgreSQL, the log and HTTP: the methods that manage them, and their deliveries. */
import { randomUUID } from 'node:crypto';
import type { PoolConfig } from 'pg';
import type { Registry } from 'prom-client';
import type { Closeables } from '../../lib/base/closeables.js';
import type { Log } from '../../lib/base/logging.js';
import { systemClock } from '../../lib/base/time.js';
import { createPool, KEYED_PLANS } from '../../lib/log/postgres-client.js';
import { postgresLogReader } from '../../lib/log/postgres-log-reader.js';
import { SHARD } from '../../lib/log/shard.js';
import type { Wakeups } from '../../lib/log/wakeups.js';
import { versionOf } from '../../lib/process/version.js';
import type { Service } from '../../lib/rpc/service.js';
import { addressRule } from './addresses.js';
import { Dispatcher } from './dispatcher.js';
import { WebhookFigures } from './figures.js';
import { webhookMetrics } from './metrics.js';
import { namesByDns } from './names.js';
import { pauseAfter_ms } from './pauses.js';
import { postgresDeliveries } from './postgres-deliveries.js';
import { postgresWebhooks } from './postgres-webhooks.js';
import { webhookService } from './rpc/webhook-service.js';
import { httpSender, type LookUp } from './sender.js';

export interface WebhookParts {
  readonly postgres: PoolConfig;
  readonly registry: Registry;
  readonly logger: Log;
  /** Woken by commits. */
  readonly wakeups: Wakeups;
  readonly options?: WebhookOptions | undefined;
}

export interface WebhookOptions {
  /** See readWebhookNetworks. Default: none. */
  readonly networks?: readonly string[] | undefined;
  /** Resolves names in place of namesByDns. */
  readonly lookUp?: LookUp | undefined;
  /** How long a request may take, milliseconds. */
  readonly timeout_ms?: number | undefined;
  /** See pauseAfter_ms. */
  readonly pauseAfter_ms?: ((attempts: number) => number) | undefined;
}

/** How long a request may take, from the look-up of the name on. */
const TIMEOUT_MS = 10_000;
/** How long a process has a webhook without a word: somewhat longer than a request may take. */
const LEASE_SHARE = 1.5;
/** Others may wait for a free place. */
const TURN_MS = 10_000;
/** Receivers that are slow to answer hold so many places at most for their time. */
const SERVED_MAX = 128;

/** Begins to deliver, with connections of its own: no read waits for a delivery. Ends through `closeables`. */
export function composeWebhooks(parts: WebhookParts, closeables: Closeables): Service {
  const { postgres, registry, logger, wakeups, options = {} } = parts;
  const pool = createPool(postgres, { max: 4, name: 'quittance webhooks', options: KEYED_PLANS });
  closeables.add('the pool of webhooks', () => pool.end());
  const rule = addressRule(options.networks ?? []);
  const lookUp = options.lookUp ?? namesByDns();
  const timeout_ms = options.timeout_ms ?? TIMEOUT_MS;
  const sender = httpSender({ rule, timeout_ms, lookUp });
  closeables.add('the connections to receivers', () => {
    sender.close();
  });
  const log = postgresLogReader(pool, wakeups, SHARD);
  const store = postgresWebhooks(pool);
  const figures = new WebhookFigures();
  webhookMetrics(registry, figures, () => store.totals());
  const dispatcher = new Dispatcher({
    store: postgresDeliveries(pool),
    log,
    sender,
    figures,
    logger,
    clock: systemClock,
    commits: wakeups,
    holder: randomUUID(),
    userAgent: `Quittance/${versionOf()}`,
    pauseAfter_ms: options.pauseAfter_ms ?? ((attempts) => pauseAfter_ms(attempts, Math.random())),
    lease_ms: LEASE_SHARE * timeout_ms,
    turn_ms: TURN_MS,
    served: SERVED_MAX,
  });
  dispatcher.start();
  closeables.add('the deliveries of webhooks', () => dispatcher.stop());
  return webhookService({
    store,
    log,
    rule,
    lookUp,
    changed: () => {
      dispatcher.changed();
    },
  });
}
