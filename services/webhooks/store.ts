/** The ports of the tables of webhooks: what calls ask of them, and what the deliveries do. */
import type { Delivered, FailedAttempt, WebhookClaim } from './claim.js';
import type { FailedDelivery, NewWebhook, Webhook, WebhookChoice, WebhookKey } from './webhook.js';

/** Figures over all webhooks. */
export interface WebhookTotals {
  readonly active: number;
  readonly paused: number;
  readonly retrying: number;
  readonly parked: number;
  /** How long ago the first attempt of the oldest delivery failed that is retried, seconds; 0 if there is none. */
  readonly oldestRetrying_s: number;
}

/** What calls ask for. Each is one statement. Without such a webhook they answer undefined. */
export interface WebhookStore {
  /** Creates it. False if the ledger has as many as it may; undefined if there is one of this id. */
  create(webhook: NewWebhook): Promise<boolean | undefined>;
  /** The webhooks of a ledger in order of their ids. */
  list(ledgerId: string): Promise<readonly Webhook[]>;
  get(key: WebhookKey): Promise<Webhook | undefined>;
  update(key: WebhookKey, change: Partial<WebhookChoice>): Promise<boolean>;
  pause(key: WebhookKey, reason: string): Promise<boolean>;
  resume(key: WebhookKey): Promise<boolean>;
  delete(key: WebhookKey): Promise<boolean>;
  rotate(key: WebhookKey, secret: Uint8Array, overlap_s: number): Promise<boolean>;
  /** Those beyond a position, in order. */
  deliveries(key: WebhookKey, after: bigint, limit: number): Promise<readonly FailedDelivery[]>;
  /** Asks for parked ones to be sent once more; null: all. Returns how many that are. */
  retry(key: WebhookKey, position: bigint | null): Promise<bigint>;
  /** Moves its place back to before a position. False if it is not there yet, or is not there at all. */
  replay(key: WebhookKey, startPosition: bigint): Promise<boolean>;
  totals(): Promise<WebhookTotals>;
}

/** What the deliveries do. Where a claim is answered with false, the webhook was changed since, or another process has it. */
export interface DeliveryStore {
  /** Whether there is a webhook that is not paused. */
  hasActive(): Promise<boolean>;
  /** Takes webhooks that have something to send, those that were served longest ago first. */
  claim(holder: string, limit: number, lease_ms: number): Promise<readonly WebhookClaim[]>;
  /** Moves the place of a webhook forward, and lengthens its lease. */
  moved(claim: WebhookClaim, delivered: Delivered, lease_ms: number): Promise<boolean>;
  /** Keeps what failed, parks it when its time is over, gives the webhook back, and has it wait. */
  failed(claim: WebhookClaim, attempt: FailedAttempt): Promise<'retrying' | 'parked' | undefined>;
  /** The parked ones that are to be sent once more, in order. */
  requested(claim: WebhookClaim, limit: number): Promise<readonly bigint[]>;
  /** A new epoch of the log has begun: what comes after the fork is forgotten. */
  followEpoch(claim: WebhookClaim, epoch: number, fork: bigint | undefined): Promise<boolean>;
  /** Gives the webhook back; it is not taken again within the pause. */
  release(claim: WebhookClaim, pause_ms: number): Promise<void>;
}
