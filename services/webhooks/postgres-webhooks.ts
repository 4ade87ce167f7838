/** The tables of webhooks in PostgreSQL, for calls. */
import type { EventKind } from '../../gen/quittance/query/v1/event_query_service_pb.js';
import type { Queries } from '../../lib/log/postgres-client.js';
import type { WebhookStore, WebhookTotals } from './store.js';
import {
  type DeliveryState,
  type FailedDelivery,
  type NewWebhook,
  type Webhook,
  type WebhookChoice,
  type WebhookKey,
  WEBHOOKS_PER_LEDGER,
} from './webhook.js';
import * as sql from './webhooks.sql.js';

interface DeliveryRow {
  readonly position: bigint;
  readonly event_id: string;
  readonly state: number;
  readonly attempts: number;
  readonly failure: string;
  readonly first_time: bigint;
  readonly last_time: bigint;
  readonly next_time: bigint | null;
}

interface WebhookRow {
  readonly ledger_id: string;
  readonly webhook_id: string;
  readonly url: string;
  readonly description: string;
  readonly kinds: EventKind[];
  readonly account_ids: string[];
  readonly retry_period: number;
  readonly is_paused: boolean;
  readonly pause_reason: string;
  readonly webhook_position: bigint;
  readonly ledger_position: bigint;
  readonly previous_secret_expire_time: bigint | null;
  readonly create_time: bigint;
  readonly update_time: bigint;
  readonly parked: bigint;
}

/** A webhook has no delivery that is retried: its columns are null. */
type NoDelivery = { readonly [K in keyof DeliveryRow]: null };

interface TotalsRow {
  readonly active: number;
  readonly paused: number;
  readonly retrying: number;
  readonly parked: number;
  readonly oldest: number;
}

/** The pool is from createPool. */
export function postgresWebhooks(pool: Queries): WebhookStore {
  const read = async (ledgerId: string, webhookId: string | null) => {
    const { rows } = await pool.query<WebhookRow & (DeliveryRow | NoDelivery)>(sql.readWebhooks, [
      ledgerId,
      webhookId,
    ]);
    return rows.map(webhookOf);
  };
  const change = async (statement: string, { ledgerId, webhookId }: WebhookKey, ...values: unknown[]) => {
    const { rowCount } = await pool.query(statement, [ledgerId, webhookId, ...values]);
    return rowCount === 1;
  };
  return {
    create: (webhook) => create(pool, webhook),
    list: (ledgerId) => read(ledgerId, null),
    get: async ({ ledgerId, webhookId }) => (await read(ledgerId, webhookId))[0],
    update: (key, choice) => change(sql.updateWebhook, key, ...valuesOf(choice)),
    pause: (key, reason) => change(sql.pauseWebhook, key, reason),
    resume: (key) => change(sql.resumeWebhook, key),
    delete: (key) => change(sql.deleteWebhook, key),
    rotate: (key, secret, overlap_s) => change(sql.rotateSecret, key, Buffer.from(secret), overlap_s),
    deliveries: async ({ ledgerId, webhookId }, after, limit) => {
      const values = [ledgerId, webhookId, after, limit];
      const { rows } = await pool.query<DeliveryRow>(sql.readDeliveries, values);
      return rows.map(deliveryOf);
    },
    retry: async ({ ledgerId, webhookId }, position) => {
      const values = [ledgerId, webhookId, position];
      const { rows } = await pool.query<{ requested: bigint }>(sql.requestRetries, values);
      return rows[0]?.requested ?? 0n;
    },
    replay: (key, startPosition) => change(sql.replayWebhook, key, startPosition),
    totals: async () => totalsOf((await pool.query<TotalsRow>(sql.readTotals)).rows[0]),
  };
}

interface InsertRow {
  readonly is_made: boolean;
  readonly is_there: boolean;
  readonly is_full: boolean;
}

async function create(
  pool: Queries,
  { ledgerId, webhookId, secret, epoch, position, ...choice }: NewWebhook,
): Promise<boolean | undefined> {
  const own = [Buffer.from(secret), epoch, position, WEBHOOKS_PER_LEDGER];
  const values = [ledgerId, webhookId, ...valuesOf(choice), ...own];
  // Each time that another call is quicker, a slot more is taken.
  for (let tries = 0; tries <= WEBHOOKS_PER_LEDGER; tries += 1) {
    const { rows } = await pool.query<InsertRow>(sql.insertWebhook, values);
    const [row] = rows;
    if (row === undefined) throw new Error('a select of sums has one row');
    if (row.is_made) return true;
    if (row.is_there) return undefined;
    if (row.is_full) return false;
  }
  throw new Error(`the webhooks of ${ledgerId} change all the time`);
}

/** Null where a change leaves it as it is. */
function valuesOf({
  url = null,
  description = null,
  kinds = null,
  accountIds = null,
  retryPeriod_s = null,
}: { readonly [K in keyof WebhookChoice]?: WebhookChoice[K] | null }): unknown[] {
  return [url, description, kinds, accountIds, retryPeriod_s];
}

function webhookOf(row: WebhookRow & (DeliveryRow | NoDelivery)): Webhook {
  return {
    ledgerId: row.ledger_id,
    webhookId: row.webhook_id,
    url: row.url,
    description: row.description,
    kinds: row.kinds,
    accountIds: row.account_ids,
    retryPeriod_s: row.retry_period,
    isPaused: row.is_paused,
    pauseReason: row.pause_reason,
    position: row.webhook_position,
    ledgerPosition: row.ledger_position,
    retrying: row.position === null ? undefined : deliveryOf(row),
    parked: row.parked,
    previousSecretExpireTime: row.previous_secret_expire_time ?? undefined,
    createTime: row.create_time,
    updateTime: row.update_time,
  };
}

const STATES: readonly DeliveryState[] = ['retrying', 'parked', 'retry_requested'];

function deliveryOf(row: DeliveryRow): FailedDelivery {
  const state = STATES[row.state - 1];
  if (state === undefined) throw new Error('a delivery is in a state that this program does not know');
  return {
    position: row.position,
    eventId: row.event_id,
    state,
    attempts: row.attempts,
    firstAttemptTime: row.first_time,
    lastAttemptTime: row.last_time,
    nextAttemptTime: row.next_time ?? undefined,
    failure: row.failure,
  };
}

function totalsOf(row: TotalsRow | undefined): WebhookTotals {
  if (row === undefined) throw new Error('a select of sums has one row');
  const { active, paused, retrying, parked, oldest: oldestRetrying_s } = row;
  return { active, paused, retrying, parked, oldestRetrying_s };
}
