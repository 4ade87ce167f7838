/** The tables of webhooks in PostgreSQL, for the deliveries. */
import type { EventKind } from '../../gen/quittance/query/v1/event_query_service_pb.js';
import type { Pool } from '../../lib/log/postgres-client.js';
import type { WebhookClaim } from './claim.js';
import * as sql from './deliveries.sql.js';
import type { DeliveryStore } from './store.js';
import { PARKED_MAX } from './webhook.js';

interface ClaimRow {
  readonly ledger_id: string;
  readonly webhook_id: string;
  readonly version: bigint;
  readonly url: string;
  readonly kinds: EventKind[];
  readonly account_ids: string[];
  readonly epoch: number;
  readonly position: bigint;
  readonly secret: Buffer;
  readonly previous_secret: Buffer | null;
  readonly has_requested: boolean;
  /** Position and attempts. */
  readonly retrying: readonly string[] | null;
}

const PARKED = 2;

/** The pool is from createPool. */
export function postgresDeliveries(pool: Pool): DeliveryStore {
  /** Whether the statement about a claim has done something. */
  const about = async (name: string, text: string, claim: WebhookClaim, ...values: unknown[]) => {
    const { rowCount } = await pool.query({ name, text, values: [...keyOf(claim), ...values] });
    return rowCount === 1;
  };
  return {
    hasActive: async () => {
      const statement = { name: 'has_active_webhooks', text: sql.hasActive };
      const { rows } = await pool.query<{ is_there: boolean }>(statement);
      return rows[0]?.is_there === true;
    },
    claim: async (holder, limit, lease_ms) => {
      const values = [holder, limit, lease_ms];
      const statement = { name: 'claim_webhooks', text: sql.claimWebhooks, values };
      const { rows } = await pool.query<ClaimRow>(statement);
      return rows.map((row) => claimOf(holder, row));
    },
    moved: (claim, { position, delivered = null }, lease_ms) =>
      about('move_webhook', sql.moveWebhook, claim, position, delivered, lease_ms),
    failed: async (claim, attempt) => {
      const { position, eventId, before, isRequested, failure, pause_ms, pauseReason } = attempt;
      const values = [position, eventId, before, isRequested, failure, pause_ms, pauseReason, PARKED_MAX];
      const { rows } = await pool.query<{ state: number }>(sql.failDelivery, [...keyOf(claim), ...values]);
      if (rows[0] === undefined) return undefined;
      return rows[0].state === PARKED ? 'parked' : 'retrying';
    },
    requested: async ({ ledgerId, webhookId }, limit) => {
      const values = [ledgerId, webhookId, limit];
      const { rows } = await pool.query<{ position: bigint }>(sql.readRequested, values);
      return rows.map(({ position }) => position);
    },
    followEpoch: (claim, epoch, fork) =>
      about('follow_epoch_of_webhook', sql.followEpoch, claim, epoch, fork ?? null),
    release: async ({ ledgerId, webhookId, holder }, pause_ms) => {
      const values = [ledgerId, webhookId, holder, pause_ms];
      await pool.query({ name: 'release_webhook', text: sql.releaseWebhook, values });
    },
  };
}

function keyOf({ ledgerId, webhookId, holder, version }: WebhookClaim): unknown[] {
  return [ledgerId, webhookId, holder, version];
}

function claimOf(holder: string, row: ClaimRow): WebhookClaim {
  const [position, attempts] = row.retrying ?? [];
  return {
    ledgerId: row.ledger_id,
    webhookId: row.webhook_id,
    holder,
    version: row.version,
    url: row.url,
    kinds: row.kinds,
    accountIds: row.account_ids,
    secrets: row.previous_secret === null ? [row.secret] : [row.secret, row.previous_secret],
    epoch: row.epoch,
    position: row.position,
    retrying: position === undefined ? undefined : { position: BigInt(position), attempts: Number(attempts) },
    hasRequested: row.has_requested,
  };
}
